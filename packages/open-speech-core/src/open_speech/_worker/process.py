"""The worker process: holds one loaded model, or describes the providers of its interpreter.

``main(["serve", FD])`` holds a model. ``describe FD [NAME ...]`` writes the manifests of the
providers, ``inspect FD NAME PATH ...`` what one of them reports about some paths. All of them talk
through the inherited descriptor, never through standard output: engines print, and what they print
is a log. A server starts workers that have another release of core, so the name of this module
and these arguments stay as they are.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from .._plugins.discovery import installed_providers
from .._plugins.inspection import inspections
from .._plugins.manifest import describe
from . import framing, heap
from .protocol import (
    Call,
    Cancel,
    Close,
    Failed,
    Feed,
    FeedEnd,
    FromWorker,
    Load,
    Measure,
    More,
    ToWorker,
)
from .runner import Runner

LOG_FORMAT = "%(levelname)s:%(name)s:%(message)s"
"""Understood by the host, which logs the line again at the level named first."""
_WAITING = 4
"""Messages that may wait to be sent before the engine waits too."""
_ARENAS = 2
"""Heaps of a worker: two decoders seldom wait for each other, and more keep more."""
_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str]) -> None:
    """Run as the command line says; see the module."""
    verb, descriptor, *names = arguments
    _end_with_parent()
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    # Forked children of an engine must not keep the connection open by what they exec.
    os.set_inheritable(int(descriptor), False)
    connection = socket.socket(fileno=int(descriptor))
    if verb == "describe":
        _describe(connection, names)
    elif verb == "inspect":
        _inspect(connection, names[0], [Path(path) for path in names[1:]])
    else:
        _serve(connection)
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: an engine's threads and destructors must not hold up the end.
    os._exit(0)


def _end_with_parent() -> None:
    """Have the kernel end this process with its parent, even while an engine holds the GIL."""
    if sys.platform != "linux":
        return  # there the closed connection ends it, once Python runs again
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _describe(connection: socket.socket, names: Sequence[str]) -> None:
    """Write one manifest per frame: of the named providers, or of those of this very layer."""
    layer = Path(sys.prefix).resolve()
    for provider in installed_providers():
        own = provider.location.resolve().is_relative_to(layer)
        if provider.name in names if names else own:
            for piece in framing.encode(describe(provider)):
                connection.sendall(piece)
    connection.close()


def _inspect(connection: socket.socket, name: str, paths: Sequence[Path]) -> None:
    """Write one inspection per path and frame, each as soon as it is known."""
    for provider in installed_providers():
        if provider.name == name:
            for inspection in inspections(provider, paths):
                for piece in framing.encode(inspection):
                    connection.sendall(piece)
    connection.close()


def _serve(connection: socket.socket) -> None:
    heap.configure(_ARENAS)
    outbox = _Outbox(connection)
    runner = Runner(outbox.put)
    loads: queue.SimpleQueue[Load] = queue.SimpleQueue()
    reader = threading.Thread(
        target=_read, args=(connection, runner, loads, outbox), name="reader", daemon=True
    )
    reader.start()
    # On the main thread: engines that set signal handlers while they load can do it nowhere else.
    runner.load(loads.get())
    reader.join()


class _Outbox:
    """Sends messages in order. What the socket has no room for is sent by a thread.

    So the engine works on while the server takes what it made, until ``_WAITING`` messages wait.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._rest: queue.Queue[memoryview] = queue.Queue(_WAITING)
        threading.Thread(target=self._send_rest, name="writer", daemon=True).start()

    def put(self, message: FromWorker) -> None:
        """Send now what can be sent: an engine may keep the interpreter to itself afterwards."""
        # Copied, as an engine may use its buffers again.
        data = memoryview(b"".join(framing.encode(message)))
        with self._lock:
            if not self._rest.unfinished_tasks:
                data = data[self._send_at_once(data) :]
            if data:
                self._rest.put(data)

    def flush(self) -> None:
        """Wait until everything is sent."""
        self._rest.join()

    def _send_at_once(self, data: memoryview) -> int:
        try:
            return self._connection.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError:
            os._exit(0)  # the server is gone

    def _send_rest(self) -> None:
        try:
            while True:
                self._connection.sendall(self._rest.get())
                self._rest.task_done()
        except OSError:
            os._exit(0)


def _read(
    connection: socket.socket,
    runner: Runner,
    loads: queue.SimpleQueue[Load],
    outbox: _Outbox,
) -> None:
    """Obey the server until it says Close or is gone."""
    try:
        while True:
            try:
                message: ToWorker = framing.read_blocking(connection, ToWorker)
            except framing.UnknownMessage as unknown:
                _refuse(unknown, outbox)
                continue
            match message:
                case Load():
                    loads.put(message)
                case Call():
                    runner.start(message)
                case Feed() | FeedEnd():
                    runner.feed(message)
                case More():
                    runner.more(message)
                case Cancel(call=call):
                    runner.cancel(call)
                case Measure():
                    runner.measure()
                case Close():
                    runner.close()
                    outbox.flush()
                    break
    except (EOFError, OSError):
        pass  # the server is gone, and nobody waits for what still runs
    except BaseException:  # a frame that cannot be read: say why before the end
        logging.getLogger(__name__).exception("the worker cannot go on")
        os._exit(1)
    os._exit(0)


def _refuse(unknown: framing.UnknownMessage, outbox: _Outbox) -> None:
    """Answer what wants an answer; the rest of what a later release says is dropped."""
    if unknown.name in {Load.__name__, Call.__name__}:
        from .._version import __version__

        message = f"The worker cannot do that: {unknown} (open-speech-core {__version__})."
        outbox.put(Failed(call=unknown.call, error="UnsupportedCapability", message=message))


if __name__ == "__main__":
    main(sys.argv[1:])
