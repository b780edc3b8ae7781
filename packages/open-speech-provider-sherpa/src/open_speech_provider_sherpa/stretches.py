"""Long sound in stretches that the engine can take: cut where it is quiet, nothing left out.

The engine hears a recording in one piece, and its memory grows with the length, of some models
with the square of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from open_speech import Samples

SHORTEST = 0.5
"""A cut lies in the second half of what is allowed, as a share of it."""
_WINDOW_S = 0.2
_HOP_S = 0.02


def stretches(samples: Samples, rate: int, longest_s: float) -> Iterator[tuple[int, int]]:
    """First sample and end of each stretch: together they are the whole sound, each once."""
    start, longest = 0, round(longest_s * rate)
    while len(samples) - start > longest:
        end = start + quiet_cut(samples[start : start + longest], rate)
        yield start, end
        start = end
    if start < len(samples):
        yield start, len(samples)


def quiet_cut(samples: Samples, rate: int, shortest: float = SHORTEST) -> int:
    """Where to cut at the latest: the middle of the quietest fifth of a second beyond a share.

    Of equally quiet places, the last. Never 0, and at most the number of samples.
    """
    first = int(len(samples) * shortest)
    window, hop = max(1, round(_WINDOW_S * rate)), max(1, round(_HOP_S * rate))
    levels = _levels(samples[first:], window, hop)
    if not len(levels):
        return len(samples)
    quietest = len(levels) - 1 - int(np.argmin(levels[::-1]))
    return max(1, first + quietest * hop + window // 2)


def _levels(samples: Samples, window: int, hop: int) -> NDArray[np.float64]:
    """Mean power of each window; rounded, so that silence is as quiet as silence."""
    if len(samples) < window:
        return np.zeros(0)
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    power = (total[window:] - total[:-window])[::hop] / window
    return np.asarray(np.round(power, 9))
