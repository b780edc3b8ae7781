"""How far a download is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

_WINDOW_S = 5.0
_PERIOD_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a download is; never goes back, and ends with ``bytes_done == bytes_total``."""

    bytes_done: int
    """Of all files; includes what was there before."""
    bytes_total: int
    bytes_per_second: float
    """Off the network, over the last few seconds."""


ProgressCallback = Callable[[Progress], None]
"""Called on the thread that downloads, about ten times a second: return soon."""


def ignore(progress: Progress) -> None:
    """A callback for those who do not ask."""


class ProgressMeter:
    """Adds up what the files of one download report. One thread only."""

    def __init__(self, callback: ProgressCallback) -> None:
        self._callback = callback
        self._total = 0
        self._done: dict[Hashable, int] = {}
        self._shown = 0
        self._last = float("-inf")
        self._news: Progress | None = None
        self._received: deque[tuple[float, int]] = deque()

    def expect(self, total: int) -> None:
        """Say how many bytes there are in all; only ever called once, before anything else."""
        self._total = total
        self._report(now=time.monotonic())

    def at(self, file: Hashable, done: int, received: int = 0) -> None:
        """Say how many bytes of a file are here, and how many of them just came in.

        A file may go back to nothing, when what came was wrong; the sum that is shown waits.
        """
        self._done[file] = done
        now = time.monotonic()
        if received:
            self._received.append((now, received))
        if now - self._last >= _PERIOD_S:
            self._report(now)

    def tick(self) -> None:
        """Show what changed while nothing came: the rate sinks."""
        now = time.monotonic()
        if self._news is not None and now - self._last >= _PERIOD_S:
            self._report(now, only_news=True)

    def finish(self) -> None:
        """Say that everything is here."""
        self._shown = self._total
        self._report(time.monotonic())

    def _report(self, now: float, *, only_news: bool = False) -> None:
        while self._received and self._received[0][0] < now - _WINDOW_S:
            self._received.popleft()
        since = min(self._received[0][0], now - _PERIOD_S) if self._received else now
        recent = sum(count for _, count in self._received)
        rate = recent / (now - since) if recent else 0.0
        self._shown = max(self._shown, min(self._total, sum(self._done.values())))
        news = Progress(bytes_done=self._shown, bytes_total=self._total, bytes_per_second=rate)
        if only_news and news == self._news:
            return
        self._last = now
        self._news = news
        self._callback(news)
