"""One installation at a time, among all processes that share a data folder."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ._failures import InstallFailed
from ._requests import Request

_POLL_S = 0.1


@contextmanager
def waited_lock(path: Path, request: Request) -> Iterator[int]:
    """Hold the lock, waiting for our turn; yields its file descriptor.

    A child that inherits the descriptor keeps the lock even if we are killed, so nobody sweeps
    a folder that it still writes to. Raises InstallCancelled while waiting.
    """
    descriptor = _open(path)
    try:
        never = threading.Event()
        told = False
        while not _try(descriptor):
            if not told:
                request.tell("Waiting for another installation to finish")
                told = True
            (request.cancelled or never).wait(_POLL_S)
            request.stop_if_cancelled()
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def tried_lock(path: Path) -> Iterator[bool]:
    """Hold the lock if nobody else does; yields whether we do."""
    descriptor = _open(path)
    try:
        yield _try(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into a sentence."""
    try:
        yield
    except OSError as error:
        raise InstallFailed(
            f"The folder {folder} cannot be used: {error.strerror or error}.",
            hint="It must be writable and have space left.",
        ) from error


def _open(path: Path) -> int:
    with usable(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
