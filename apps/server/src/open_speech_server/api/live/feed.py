"""What a client sends to a live session, on its way to core."""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np

from open_speech import Audio, Samples
from open_speech.service import ListenInput

BUFFER_S = 60.0
"""Sound that may wait to be understood; then no more is read from the client."""


class SessionFeed:
    """Sound and commands in order. An asynchronous iterator for ``OpenSpeech.listen``."""

    def __init__(self) -> None:
        self._items: deque[ListenInput] = deque()
        self._seconds = 0.0
        self._changed = asyncio.Event()
        self._over = False

    async def put(self, item: ListenInput) -> None:
        """Add something; waits while as much sound as may be is waiting. Ignored at the end."""
        while self._seconds > BUFFER_S and not self._over:
            self._changed.clear()
            await self._changed.wait()
        if not self._over:
            self._items.append(item)
            self._seconds += getattr(item, "seconds", 0.0)
            self._changed.set()

    def finish(self) -> None:
        """Say that nothing more comes."""
        self._over = True
        self._changed.set()

    def __aiter__(self) -> SessionFeed:
        return self

    async def __anext__(self) -> ListenInput:
        while not self._items:
            if self._over:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        item = self._items.popleft()
        self._seconds -= getattr(item, "seconds", 0.0)
        self._changed.set()
        return item


def pcm16(data: bytes) -> Samples:
    """Samples of 16-bit little-endian sound; an odd byte at the end is dropped."""
    whole = data[: len(data) - len(data) % 2]
    return np.frombuffer(whole, "<i2").astype(np.float32) / np.float32(32768.0)


def pcm16_audio(data: bytes, sample_rate: int) -> Audio:
    """The same as sound."""
    return Audio(samples=pcm16(data), sample_rate=sample_rate)
