"""A running call on the server's side: its answers, its input, its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from .. import errors
from .._operations import Operation
from .._types.audio import Audio
from .._worker.protocol import WINDOW, Feed, FeedEnd, FromWorker, Item, Started, ToWorker
from .._worker.serialization import Payload


@dataclass(frozen=True, kw_only=True)
class HostFailure:
    """Why a host ended without being asked to."""

    reason: str
    """A sentence's end: ``was killed by signal 11 (SIGSEGV)``."""


@dataclass(frozen=True, kw_only=True)
class FeedFailed:
    """What the source of a feed raised."""

    error: Exception


MAX_FED_S = 5.0
"""Audio of more seconds is fed in parts."""
Answer = FromWorker | HostFailure | FeedFailed


class Calling:
    """One call under way. Bounded both ways by credit."""

    def __init__(self, number: int, operation: Operation[Any, Any], timeout_s: float) -> None:
        self.number = number
        self.operation = operation
        self.timeout_s = timeout_s if operation.timeout_s is None else operation.timeout_s
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._waiting = 0
        """Items that were fed and that the engine is not done with."""
        self._credit = asyncio.Event()
        self._over = not operation.feeds
        """Whether nothing more is fed; from then on the end is owed."""
        self._ends_early = False
        self._begun = False
        self._feeder: asyncio.Task[None] | None = None
        self._limit: asyncio.Timeout | None = None
        """While an answer is waited for."""

    @property
    def works(self) -> bool:
        """Whether the engine has begun with it, and owes something."""
        return self._begun and bool(self._over or self._waiting)

    def put(self, answer: Answer) -> None:
        """Hand over an answer."""
        self._begun = isinstance(answer, (Started, Item))
        self._answers.put_nowait(answer)

    async def first(self) -> Answer:
        """Wait for the first answer. No limit: those before it have theirs."""
        return await self._answers.get()

    async def answer(self) -> Answer:
        """Wait for the next answer; TimeoutError if none comes that is owed."""
        if not self._answers.empty():  # an engine that is ahead of us
            return self._answers.get_nowait()
        limit = self._limit = asyncio.timeout(None)
        try:
            async with limit:
                self._restart()
                return await self._answers.get()
        finally:
            self._limit = None

    def _restart(self) -> None:
        """Begin to wait anew: nothing is owed while the engine waits for us."""
        if self._limit is not None and not self._limit.expired():
            owed = self._over or self._waiting
            now = asyncio.get_running_loop().time()
            self._limit.reschedule(now + self.timeout_s if owed else None)

    def taken(self, items: int) -> None:
        """Note that the engine is done with what was fed to it."""
        self._waiting = max(0, self._waiting - items)
        self._credit.set()
        self._restart()

    def feed(
        self, source: AsyncIterator[Any] | None, send: Callable[[ToWorker], Awaitable[None]]
    ) -> None:
        """Begin to feed, if the operation is one that is fed."""
        if self.operation.feeds:
            self._feeder = asyncio.create_task(self._feed(source, send))

    async def _feed(
        self, source: AsyncIterator[Any] | None, send: Callable[[ToWorker], Awaitable[None]]
    ) -> None:
        try:
            if source is not None:
                async for item in source:
                    for part in _parts(item):
                        await self._send(part, send)
        except asyncio.CancelledError:
            if not self._ends_early:
                raise
        except Exception as error:  # of the caller's, who gets it back
            self.put(FeedFailed(error=error))
            return
        self._over = True
        self._restart()
        with suppress(OSError, errors.OpenSpeechError):  # the host is gone, which is told
            await send(FeedEnd(call=self.number))

    async def _send(self, item: Any, send: Callable[[ToWorker], Awaitable[None]]) -> None:
        if not isinstance(item, self.operation.feeds):
            raise TypeError(f"{self.operation.name} is not fed with {type(item).__name__}")
        while self._waiting >= WINDOW:
            self._credit.clear()
            await self._credit.wait()
        self._waiting += 1
        if self._waiting == 1:
            self._restart()
        await send(Feed(call=self.number, value=Payload(item)))

    def end_feed(self) -> None:
        """End what is fed here and now, so that the engine comes to its end."""
        if self._feeder and not self._over:
            self._ends_early = True
            self._feeder.cancel()

    async def leave(self) -> None:
        """Feed nothing more: nobody wants the results."""
        self._over = True
        if self._feeder:
            self._ends_early = False
            self._feeder.cancel()
            await asyncio.gather(self._feeder, return_exceptions=True)


def _parts(item: Any) -> Iterator[Any]:
    """An item as what is sent of it at a time, so that credit bounds bytes as well as items."""
    size = round(MAX_FED_S * item.sample_rate) if isinstance(item, Audio) else 0
    if not size or len(item.samples) <= size:
        yield item
        return
    for first in range(0, len(item.samples), size):
        yield replace(item, samples=item.samples[first : first + size], words=())
