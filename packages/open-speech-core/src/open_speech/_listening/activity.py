"""Voice activity of a session's sound, by a model that may come and go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import replace

from .. import errors
from .._lifecycle.lease import Lease
from .._operations import DETECT
from .._types.audio import Audio
from .._types.listening import DetectionRequest, SpeechActivity

Hold = Callable[[], AbstractAsyncContextManager[Lease]]
"""Holds a loaded model; loads it first if need be."""
FRAME_S = 0.032
"""The length of a frame, until the first one is there."""
LAG_S = 2.0
"""How long sound that was fed may take to be judged, before it is not waited for any more."""
MAX_QUEUED = 32
"""Chunks that wait to be judged; who feeds more waits too."""
GIVE_UP_AFTER = 3
"""Deaths of the worker in a row, without a frame between them."""


class ActivityStream:
    """One sound, fed in chunks at the model's rate, and the activity that is found in it."""

    def __init__(self, hold: Hold, start: float = 0.0) -> None:
        self._hold = hold
        self._queue: asyncio.Queue[Audio | None] = asyncio.Queue(MAX_QUEUED)
        self._unjudged: deque[Audio] = deque()
        """Handed to the model, and not judged yet: a new worker gets it again."""
        self._reached = start
        """Where ``_unjudged`` begins."""
        self._offset = start
        """What times of the model count from."""
        self._over = False
        self._fed_to = self._judged_to = start
        self._frame_s = FRAME_S
        self._moved = asyncio.Event()

    async def feed(self, audio: Audio) -> None:
        """Add sound; waits while much of it is not judged yet."""
        self._fed_to += audio.seconds
        await self._queue.put(audio)

    async def judged(self) -> None:
        """Wait until all that was fed is judged, but for less than a frame."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAG_S):
                while self._fed_to - self._judged_to >= self._frame_s:
                    self._moved.clear()
                    await self._moved.wait()

    async def finish(self) -> None:
        """Say that no more comes."""
        await self._queue.put(None)

    async def activity(self) -> AsyncGenerator[SpeechActivity, None]:
        """Yield what is found, until all of the sound is judged.

        A worker that dies, or whose model is unloaded, is replaced; nothing is lost. Raises what
        loading and the engine raise.
        """
        deaths = 0
        while True:
            self._offset = self._reached
            try:
                async with self._hold() as lease:
                    events = lease.run(DETECT, DetectionRequest(), self._fed())
                    async with aclosing(events):
                        async for event in events:
                            deaths = 0
                            yield self._placed(event)
                if self._over:
                    return
            except (errors.WorkerDied, errors.ModelNotReady):
                deaths += 1
                if deaths >= GIVE_UP_AFTER:
                    raise

    async def _fed(self) -> AsyncIterator[Audio]:
        for audio in tuple(self._unjudged):
            yield audio
        while not self._over:
            item = await self._queue.get()
            if item is None:
                self._over = True
                return
            self._unjudged.append(item)
            yield item

    def _placed(self, event: SpeechActivity) -> SpeechActivity:
        placed = replace(event, start=event.start + self._offset)
        self._judged_to, self._frame_s = placed.end, placed.frame_s
        self._moved.set()
        while self._unjudged and self._reached + self._unjudged[0].seconds <= placed.end:
            self._reached += self._unjudged.popleft().seconds
        return placed
