"""What may be under way on a loaded model at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType

from .._types.models import ModelInfo


class CallSlots:
    """A semaphore with two queues. Background work takes only a slot that would lie idle.

    Everybody else is served first come, first served; with ``async with`` as by a semaphore.
    """

    def __init__(self, concurrency: int, spare: int) -> None:
        self.capacity = concurrency + spare
        """How many calls a host is given: what the model takes at once, and some to go on with.

        An engine that had to wait for the next sentence to be sent would idle between any two.
        """
        self.in_use = 0
        self._concurrency = concurrency
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._background: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def locked(self) -> bool:
        """Whether the next one would have to wait."""
        return bool(self._waiting) or self.in_use >= self.capacity

    async def acquire(self, *, background: bool = False) -> None:
        """Wait for a slot; in the background, for one that nobody else waits for."""
        queue = self._background if background else self._waiting
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(future)
        self._grant()
        try:
            await future
        except asyncio.CancelledError:
            if future.cancelled():
                with suppress(ValueError):  # passed over already
                    queue.remove(future)
                self._grant()
            else:  # it was granted in the same moment
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        self.in_use -= 1
        self._grant()

    def _grant(self) -> None:
        while self._waiting and self.in_use < self.capacity:
            self._take(self._waiting)
        while self._background and not self._waiting and self.in_use < self._concurrency:
            self._take(self._background)

    def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        future = queue.popleft()
        if not future.cancelled():
            self.in_use += 1
            future.set_result(None)


class Slots:
    """Calls and sessions of one loaded model."""

    def __init__(self, info: ModelInfo, spare: int = 1) -> None:
        self.calls = CallSlots(max(1, info.concurrency), spare)
        self.session_capacity = max(0, info.sessions)
        self.sessions = asyncio.Semaphore(self.session_capacity)
        """Of operations that are fed: they may last for hours, and nobody waits for one to end."""

    async def free(self) -> None:
        """Wait until nothing is under way, and keep it so."""
        for _ in range(self.calls.capacity):
            await self.calls.acquire()
        for _ in range(self.session_capacity):
            await self.sessions.acquire()
