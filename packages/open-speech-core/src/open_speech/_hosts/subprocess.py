"""The default host: a worker process, possibly of another interpreter.

The worker is spawned, never forked: engines' threads and locks do not survive a fork. It gets one
end of a socket pair; its standard output and error are read as logs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .._types.models import ModelInfo
from .._worker import framing
from .._worker.protocol import Failed, FromWorker, Load, Loaded, ToWorker
from ..errors import WorkerDied
from .calling import HostFailure
from .host import MessageHost
from .logs import LogReader

_log = logging.getLogger("open_speech.worker")
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_SOCKET_BUFFER = 4 * 1024 * 1024
"""A minute of sound goes in one piece where the kernel allows it; it takes what it may have."""
_DEFAULT_ENVIRONMENT = {
    # Two torch workers on two cores spin against each other otherwise: 4.6 to 12.3 s became 1.4 s.
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    # Only the store downloads.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
}

HEARTBEAT_S = 3.0
"""How often an idle worker is asked for a sign of life."""
SILENCE_S = 5.0
"""An idle worker that answers nothing for so long is replaced."""


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """How worker processes are started."""

    python: Path = field(default_factory=lambda: Path(sys.executable))
    """The interpreter that has the provider."""
    environment: Mapping[str, str] | None = None
    """The workers' environment variables; None passes on this process's own."""


class SubprocessHost(MessageHost):
    """Runs the worker in a process of its own."""

    def __init__(
        self,
        load: Load,
        *,
        call_timeout_s: float = 300.0,
        options: WorkerOptions | None = None,
    ) -> None:
        super().__init__(load, call_timeout_s=call_timeout_s)
        self._options = options or WorkerOptions()
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._why_killed: str | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid if self._process else None

    async def load(self, timeout_s: float, paths: Mapping[str, Path]) -> ModelInfo:
        """See ``Host``."""
        info = await super().load(timeout_s, paths)
        self._start(self._keep_watch())
        return info

    async def _keep_watch(self) -> None:
        """Kill a worker that does not answer although no engine keeps it from that.

        While a call runs, its own deadline counts: an engine may hold the GIL for minutes.
        """
        while not self.ended.done():
            await asyncio.wait({self.ended}, timeout=HEARTBEAT_S)
            if self.ended.done() or self._works() or await self._answers(SILENCE_S):
                continue
            if not self.ended.done() and not self._works():
                self._why_killed = f"did not answer for {SILENCE_S:g} s and was killed"
                self.kill()
                return

    def _works(self) -> bool:
        return any(calling.works for calling in self._calls.values())

    async def _open(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        for end in (ours, theirs):
            with contextlib.suppress(OSError):  # more than this system allows
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
        with theirs:
            number = theirs.fileno()
            self._process = spawn(self._options, ["serve", str(number)], number)
        threading.Thread(
            target=self._reap, args=(self._process, asyncio.get_running_loop()), daemon=True
        ).start()
        assert self._process.stdout is not None
        # Before anything is waited for: should that be cancelled, this one closes the pipe.
        self._start(LogReader(self._load.model.id, self._process.stdout).run())
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        self._start(self._read(reader))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                try:
                    self._deliver(await framing.read_async(reader, FromWorker))
                except framing.UnknownMessage as unknown:
                    self._unknown(unknown)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # _reap tells how it ended
        except framing.ProtocolError as error:
            _log.error("the worker of %s broke the protocol: %s", self._load.model.id, error)
            self.kill()

    def _unknown(self, unknown: framing.UnknownMessage) -> None:
        """Drop what a later release says, unless something waits for it."""
        if unknown.name == Loaded.__name__:
            message = f"The worker of {self._load.model.id!r} cannot be used: {unknown}."
            self._deliver(Failed(call=None, error="UnsupportedCapability", message=message))
        else:
            _log.debug("the worker of %s: %s", self._load.model.id, unknown)

    def _reap(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the process on a thread: works for every loop and platform."""
        status = process.wait()
        failure = HostFailure(reason=self._why_killed or _how_it_ended(status))
        _kill_group(process.pid)  # whatever it forked
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._gone, failure)

    def _gone(self, failure: HostFailure) -> None:
        if self._writer:
            self._writer.close()
        self._lost(failure)

    async def _send(self, message: ToWorker) -> None:
        if self._writer is None or self.ended.done():
            raise WorkerDied(f"The worker of {self._load.model.id!r} is gone.", retry_after=1.0)
        self._writer.writelines(framing.encode(message))
        with contextlib.suppress(ConnectionError):  # the death is told by _reap
            await self._writer.drain()

    def kill(self) -> None:
        """Kill the worker and whatever it started."""
        if self._process and not self.ended.done():
            _kill_group(self._process.pid)

    async def _end(self, grace_s: float) -> None:
        if self._process is None:
            self._lost(HostFailure(reason="was never started"))
            return
        try:
            async with asyncio.timeout(grace_s):
                await asyncio.shield(self.ended)
        except TimeoutError:
            self.kill()
            await asyncio.shield(self.ended)

    def _resident_bytes(self) -> int:
        """Resident memory of the worker's process group; 0 where there is no /proc."""
        return 0 if self._process is None else group_resident_bytes(self._process.pid)


def spawn(
    options: WorkerOptions,
    arguments: list[str],
    descriptor: int,
    output: int | IO[bytes] = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a worker with one inherited descriptor; output and errors go to one place."""
    inherited = os.environ if options.environment is None else options.environment
    # -c instead of -m: the folder we were started in must not shadow modules.
    code = "import sys; from open_speech._worker.process import main; main(sys.argv[1:])"
    return subprocess.Popen(
        [str(options.python), "-P", "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=(descriptor,),
        start_new_session=True,  # Ctrl-C in a terminal is the server's affair
        env={**inherited, **_DEFAULT_ENVIRONMENT},
    )


def group_resident_bytes(group: int) -> int:
    """Sum the resident memory of a process group; 0 where there is no /proc."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # After the last parenthesis: a process may call itself anything.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                total += int(fields[21]) * _PAGE
    return total


def _how_it_ended(status: int) -> str:
    if status >= 0:
        return f"ended by itself with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "unknown"
    return f"was killed by signal {-status} ({name})"


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker with whatever it started, and reap it."""
    if process.returncode is None:
        _kill_group(process.pid)
    process.wait()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
