"""The host for tests and tiny boards: the model lives in this very process.

Nothing protects the process from its engine, and unloading gives back what the allocator likes.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import suppress

from .._worker.protocol import (
    Call,
    Cancel,
    Close,
    Feed,
    FeedEnd,
    FromWorker,
    Load,
    Measure,
    More,
    ToWorker,
)
from .._worker.runner import Runner
from .calling import HostFailure
from .host import MessageHost


class InProcessHost(MessageHost):
    """Runs the worker in threads. A call that hangs cannot be ended, only abandoned."""

    def __init__(self, load: Load, *, call_timeout_s: float = 300.0) -> None:
        super().__init__(load, call_timeout_s=call_timeout_s)
        self._loop = asyncio.get_running_loop()
        self._runner = Runner(self._emit)
        self._inbox: queue.SimpleQueue[ToWorker] = queue.SimpleQueue()

    def _emit(self, message: FromWorker) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(self._deliver, message)

    async def _open(self) -> None:
        threading.Thread(target=self._work, name="model-host", daemon=True).start()

    async def _send(self, message: ToWorker) -> None:
        if isinstance(message, (Load, Close, Measure)):
            self._inbox.put(message)  # these block
        elif isinstance(message, Call):
            self._runner.start(message)
        elif isinstance(message, (Feed, FeedEnd)):
            self._runner.feed(message)
        elif isinstance(message, More):
            self._runner.more(message)
        elif isinstance(message, Cancel):
            self._runner.cancel(message.call)

    def _work(self) -> None:
        while True:
            message = self._inbox.get()
            if isinstance(message, Load):
                self._runner.load(message)
            elif isinstance(message, Measure):
                self._runner.measure()
            else:
                break
        self._runner.close()
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._lost, HostFailure(reason="was closed"))

    def kill(self) -> None:
        """Abandon the model: what runs cannot be stopped, but nobody waits for it any more."""
        self._inbox.put(Close())  # should it ever come back
        self._lost(HostFailure(reason="hangs and was abandoned"))

    async def _end(self, grace_s: float) -> None:
        self._inbox.put(Close())
        try:
            async with asyncio.timeout(max(grace_s, 0.1)):
                await asyncio.shield(self.ended)
        except TimeoutError:
            self.kill()
