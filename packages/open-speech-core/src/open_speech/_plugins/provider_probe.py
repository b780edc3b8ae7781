"""Questions to short-lived workers, and a place to keep their answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from .._hosts import WorkerOptions, end_group, spawn
from .._worker import framing
from .._worker.serialization import pack, unpack

_log = logging.getLogger(__name__)
T = TypeVar("T")
_DIGEST = 16
"""Letters of a digest, at the end of a kept file's name."""


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T]):
    """What a worker said until it ended."""

    said: list[T]
    reason: str
    """How it ended, as the middle of a sentence."""
    detail: str
    """The end of what it printed."""
    timed_out: bool = False
    finished: bool = False
    """Whether it ended as it should, with nothing left to say."""


async def ask(
    options: WorkerOptions,
    verb: str,
    arguments: Sequence[str],
    expected: type[T],
    *,
    doing: str,
    timeout_s: float,
) -> Answer[T]:
    """Have an interpreter answer with any number of messages of one type.

    Never raises for what happens over there; ``doing`` says what it is asked for, as in
    ``importing it``.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    # A file, not a pipe: nobody reads while it works, and a full pipe would stop it.
    with ours, tempfile.TemporaryFile() as printed:
        with theirs:
            command = [verb, str(theirs.fileno()), *arguments]
            try:
                process = spawn(options, command, theirs.fileno(), printed)
            except OSError as error:
                return Answer(
                    said=[], reason=f"{options.python} does not start: {error}", detail=""
                )
        try:
            answer = await _listen(ours, process, expected, doing, timeout_s)
        finally:
            end_group(process)
        return replace(answer, detail=_tail(printed))


async def _listen(
    ours: socket.socket,
    process: subprocess.Popen[bytes],
    expected: type[T],
    doing: str,
    timeout_s: float,
) -> Answer[T]:
    said: list[T] = []
    timed_out = finished = False
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        async with asyncio.timeout(timeout_s):
            try:
                while True:
                    said.append(await framing.read_async(reader, expected))
            except (asyncio.IncompleteReadError, ConnectionError):
                # It may have closed the connection and work on, so this has an end, too.
                status = await asyncio.to_thread(process.wait)
        reason, finished = f"{doing} ended the process with status {status}", status == 0
    except TimeoutError:
        reason, timed_out = f"{doing} took longer than {timeout_s:g} s", True
    except (framing.ProtocolError, ValueError, TypeError) as error:
        reason = f"{doing} gave an answer that cannot be read: {error}"
    finally:
        writer.close()
    return Answer(said=said, reason=reason, detail="", timed_out=timed_out, finished=finished)


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 20_000))
    return file.read().decode("utf-8", "replace")


def digest(*parts: object) -> str:
    """A short text that differs wherever the parts do."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]


def kept(file: Path, expected: type[T]) -> list[T] | None:
    """What ``keep`` wrote; None if it is not there, damaged or of another version."""
    listed: Any = list[expected]  # type: ignore[valid-type]
    try:
        values: list[T] = unpack(listed, json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return values


def keep(file: Path, values: Sequence[object]) -> None:
    """Write answers to a file named ``<who>-<digest>.json``, in the place of older ones of theirs.

    A folder that cannot be written is no obstacle: they are asked again next time.
    """
    who = file.stem[: -_DIGEST - 1]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for old in file.parent.glob(f"{who}-{'?' * _DIGEST}.json"):
            old.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, suffix=".partial", delete=False
        ) as partial:
            json.dump(pack(values), partial)
        Path(partial.name).replace(file)
    except OSError as error:
        _log.info("what the providers said cannot be kept in %s: %s", file.parent, error)
