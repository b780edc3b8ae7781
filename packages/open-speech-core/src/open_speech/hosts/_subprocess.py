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

from .. import wire
from ..errors import WorkerDied
from ..messages import FromWorker, Load, ToWorker
from ._host import Host, HostFailure
from ._logs import LogReader

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


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """How worker processes are started."""

    python: Path = field(default_factory=lambda: Path(sys.executable))
    """The interpreter that has the provider."""
    environment: Mapping[str, str] | None = None
    """The workers' environment variables; None passes on this process's own."""


class SubprocessHost(Host):
    """Runs the far side in a process of its own."""

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

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid if self._process else None

    async def _open(self) -> None:
        near, far = socket.socketpair()
        near.setblocking(False)
        for end in (near, far):
            with contextlib.suppress(OSError):  # more than this system allows
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
        with far:
            self._process = spawn(self._options, ["serve", str(far.fileno())], far.fileno())
        threading.Thread(
            target=self._reap, args=(self._process, asyncio.get_running_loop()), daemon=True
        ).start()
        assert self._process.stdout is not None
        # Before anything is waited for: should that be cancelled, this one closes the pipe.
        self._start(LogReader(self._load.model.id, self._process.stdout).run())
        reader, self._writer = await asyncio.open_connection(sock=near, limit=1 << 20)
        self._start(self._read(reader))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                self._deliver(await wire.read_async(reader, FromWorker))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # _reap tells how it ended
        except wire.ProtocolError as error:
            _log.error("the worker of %s broke the protocol: %s", self._load.model.id, error)
            self.kill()

    def _reap(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the process on a thread: works for every loop and platform."""
        failure = HostFailure(reason=_how_it_ended(process.wait()))
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
        self._writer.writelines(wire.encode(message))
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
    code = "import sys; from open_speech.worker import main; main(sys.argv[1:])"
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
