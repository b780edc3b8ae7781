"""How long a live session may last, and how long nothing may be said in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ...settings.settings import Settings


class SessionClock:
    """Ends a session that has become too long, or in which nothing is said any more."""

    def __init__(self, settings: Settings, end: Callable[[str], None]) -> None:
        """``end`` is told why: ``session_too_long`` or ``idle``."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._idle_s = settings.os_stream_idle_s
        self._end = end
        self._longest = loop.call_later(settings.os_stream_max_s, end, "session_too_long")
        self._idle: asyncio.TimerHandle | None = None
        self.active()

    def active(self, *, speaking: bool = False) -> None:
        """Note that something was said; while somebody speaks there is no limit."""
        if self._idle:
            self._idle.cancel()
        self._idle = None if speaking else self._loop.call_later(self._idle_s, self._end, "idle")

    def stop(self) -> None:
        """End nothing any more."""
        self._longest.cancel()
        if self._idle:
            self._idle.cancel()
