"""Sound as data: samples with their rate, and words with their times."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono samples, shape ``(n,)``, float32 in [-1, 1]."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word and where it lies in the audio."""

    text: str
    """The word as spoken, without the space around it."""
    start: float
    """Seconds from the start of the audio that carries the word."""
    end: float
    """Seconds, never before ``start``."""
    probability: float | None = None
    """The engine's confidence in [0, 1], if it has one."""
    span: tuple[int, int] | None = None
    """Speech, filled by core: first character and end of the span of the request's text that it
    stands for."""

    def shifted(self, seconds: float) -> Self:
        """The same word so many seconds later: of a chunk as part of something longer."""
        return replace(self, start=self.start + seconds, end=self.end + seconds)


@dataclass(frozen=True, kw_only=True, eq=False)
class Audio:
    """A chunk of mono sound. Compared by identity: arrays have no single truth value."""

    samples: Samples
    """Shape ``(n,)``, float32 in [-1, 1]."""
    sample_rate: int
    """Samples per second."""
    words: tuple[Word, ...] = field(default=())
    """Words with times relative to this chunk, from engines that know them."""

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.samples) / self.sample_rate
