"""The latest sound of a session, by its position in the whole."""

from __future__ import annotations

from collections import deque

import numpy as np

from .._types.audio import Audio, Samples

_FRAME_S = 0.05
"""The shortest silence that a cut is made in."""


class Tape:
    """Sound at one rate. Positions are seconds from the start of the session."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._chunks: deque[Samples] = deque()
        self._first = 0
        """Samples that were dropped."""
        self._count = 0
        """Samples in all."""

    @property
    def end(self) -> float:
        """How much there was in all."""
        return self._count / self.sample_rate

    def append(self, samples: Samples) -> None:
        """Add what came in."""
        if len(samples):
            self._chunks.append(samples)
            self._count += len(samples)

    def drop_before(self, position: float) -> None:
        """Forget what lies before a position; whole chunks only."""
        limit = round(position * self.sample_rate)
        while self._chunks and self._first + len(self._chunks[0]) <= limit:
            self._first += len(self._chunks.popleft())

    def cut(self, start: float, end: float) -> Audio:
        """Return what lies between two positions, as far as it is still there."""
        first, last = (round(each * self.sample_rate) for each in (start, end))
        parts, position = [], self._first
        for chunk in self._chunks:
            if position >= last:
                break
            if position + len(chunk) > first:
                parts.append(chunk[max(first - position, 0) : last - position])
            position += len(chunk)
        samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        return Audio(samples=samples, sample_rate=self.sample_rate)

    def quietest(self, start: float, end: float) -> float:
        """Find the middle of the quietest twentieth of a second between two positions."""
        samples = self.cut(start, end).samples
        size = max(1, round(_FRAME_S * self.sample_rate))
        step = max(1, size // 5)
        if len(samples) <= size:
            return (start + end) / 2
        energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
        firsts = np.arange(0, len(samples) - size, step)
        quietest = int(firsts[np.argmin(energy[firsts + size] - energy[firsts])])
        return start + (quietest + size / 2) / self.sample_rate
