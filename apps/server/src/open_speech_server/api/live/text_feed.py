"""Text that a client writes, on its way to core."""

from __future__ import annotations

import asyncio
from collections import deque

from open_speech.service import FlushText


class TextFeed:
    """Increments of one text in order. An asynchronous iterator for ``synthesize_stream``."""

    def __init__(self, most: int) -> None:
        """``most``: characters that the whole text may have."""
        self._most = most
        self._items: deque[str | FlushText] = deque()
        self._changed = asyncio.Event()
        self.characters = 0
        self.is_over = False

    def put(self, text: str) -> bool:
        """Add text; False if there is no room for it."""
        if self.characters + len(text) > self._most:
            return False
        self.characters += len(text)
        self._items.append(text)
        self._changed.set()
        return True

    def flush(self) -> None:
        """Have spoken what there is."""
        self._items.append(FlushText())
        self._changed.set()

    def finish(self) -> None:
        """Say that nothing more comes."""
        self.is_over = True
        self._changed.set()

    def __aiter__(self) -> TextFeed:
        return self

    async def __anext__(self) -> str | FlushText:
        while not self._items:
            if self.is_over:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()
