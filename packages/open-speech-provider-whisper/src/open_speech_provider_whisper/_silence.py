"""Where a recording is silent, so that no word is looked for there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from open_speech import Samples

FRAME = 160
"""Samples of one frame: 10 ms at 16 kHz."""
MARGIN = 5
"""Frames kept before and after each stretch of sound."""
LONGEST_PAUSE = 30
"""Frames of silence that stay inside a stretch: a plosive closes the mouth for up to a third."""

_BELOW_PEAK = 0.01  # 40 dB
_FLOOR = 1e-4
_FRAMES_PER_S = 100


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The sounding stretches of a recording, put one behind the other."""

    samples: Samples
    loud: NDArray[np.bool_]
    """Per frame of the whole recording."""
    runs: tuple[tuple[int, int], ...]
    """First and last frame (excluded) of each stretch in the whole recording."""

    def moment(self, seconds: float, *, end: bool) -> float:
        """Seconds in the whole recording for those in ``samples``.

        A seam belongs to the stretch before it as the end of a word, else to the one after it.
        """
        left = frame = seconds * _FRAMES_PER_S
        for first, last in self.runs:
            frame, length = min(first + left, last), last - first
            if left < length or (end and left == length):
                break
            left -= length
        return frame / _FRAMES_PER_S

    def shrunk(self, start: float, end: float) -> tuple[float, float]:
        """The same stretch (in seconds of the whole) without silence at its ends."""
        first, last = int(start * _FRAMES_PER_S), int(end * _FRAMES_PER_S)
        loud = np.flatnonzero(self.loud[first:last])
        if not len(loud):
            return start, end
        return (
            max(start, (first + int(loud[0])) / _FRAMES_PER_S),
            min(end, (first + int(loud[-1]) + 1) / _FRAMES_PER_S),
        )


def sounding(samples: Samples) -> Sound:
    """Leave out what is silent: 40 dB below the loudest 10 ms, for longer than a plosive takes."""
    count = len(samples) // FRAME
    frames = samples[: count * FRAME].reshape(count, FRAME)
    levels = np.sqrt(np.mean(np.square(frames), axis=1))
    loud = levels >= max(_BELOW_PEAK * float(levels.max(initial=0.0)), _FLOOR)
    runs = _runs(loud)
    pieces = [samples[first * FRAME : last * FRAME] for first, last in runs]
    kept = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return Sound(samples=kept, loud=loud, runs=runs)


def _runs(loud: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    places = np.flatnonzero(loud)
    if not len(places):
        return ()
    pauses = np.flatnonzero(np.diff(places) > LONGEST_PAUSE)
    firsts = [places[0], *places[pauses + 1]]
    lasts = [*places[pauses], places[-1]]
    return tuple(
        (max(int(first) - MARGIN, 0), min(int(last) + 1 + MARGIN, len(loud)))
        for first, last in zip(firsts, lasts, strict=True)
    )
