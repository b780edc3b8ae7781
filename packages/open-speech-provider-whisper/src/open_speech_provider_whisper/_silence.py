"""Where a recording is silent, so that no word is looked for there."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from open_speech import Samples

FRAME = 160
"""Samples of one frame: 10 ms at 16 kHz."""
FRAMES_PER_S = 100
MARGIN = 5
"""Frames kept before and after each region of sound."""
LONGEST_PAUSE = 30
"""Frames of silence that stay inside a region: a plosive closes the mouth for up to a third."""
CRUMB = 20
"""Frames by which the model may miss the edge of a word."""

_BELOW_PEAK = 0.01  # 40 dB
_FLOOR = 1e-4


@dataclass(frozen=True, kw_only=True)
class Window:
    """Sounding regions of a recording, put one behind the other."""

    samples: Samples
    loud: NDArray[np.bool_]
    """Per frame of the whole recording."""
    runs: tuple[tuple[int, int], ...]
    """First and last frame (excluded) of each region in the whole recording."""
    after: float
    """Seconds in the whole recording from which on it was taken."""
    is_last: bool
    """Whether nothing sounds behind it."""

    @property
    def frames(self) -> int:
        """How many there are, of 10 ms."""
        return len(self.samples) // FRAME

    @property
    def start(self) -> float:
        """Seconds in the whole recording; 0 where nothing sounds."""
        return self.runs[0][0] / FRAMES_PER_S if self.runs else 0.0

    @property
    def end(self) -> float:
        """Seconds in the whole recording; 0 where nothing sounds."""
        return self.runs[-1][1] / FRAMES_PER_S if self.runs else 0.0

    def moment(self, seconds: float, *, end: bool) -> float:
        """Seconds in the whole recording for those in ``samples``.

        A seam belongs to the region before it as the end of a word, else to the one after it.
        """
        left = frame = seconds * FRAMES_PER_S
        for first, last in self.runs:
            frame, length = min(first + left, last), last - first
            if left < length or (end and left == length):
                break
            left -= length
        return frame / FRAMES_PER_S

    def shrunk(self, start: float, end: float) -> tuple[float, float]:
        """The same region (in seconds of the whole) without silence at its ends.

        Nor with crumbs of the words around it, which a long pause sets apart.
        """
        first, last = int(start * FRAMES_PER_S), int(end * FRAMES_PER_S)
        loud = np.flatnonzero(self.loud[first:last])
        if not len(loud):
            return start, end
        parts = np.split(loud, np.flatnonzero(np.diff(loud) > LONGEST_PAUSE) + 1)
        if len(parts) > 1 and len(parts[0]) < min(CRUMB, len(loud) / 2):
            parts = parts[1:]
        if len(parts) > 1 and len(parts[-1]) < min(CRUMB, len(loud) / 2):
            parts = parts[:-1]
        return (
            max(start, (first + int(parts[0][0])) / FRAMES_PER_S),
            min(end, (first + int(parts[-1][-1]) + 1) / FRAMES_PER_S),
        )


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A recording, and where it sounds."""

    samples: Samples
    loud: NDArray[np.bool_]
    """Per frame."""
    runs: tuple[tuple[int, int], ...]
    """First and last frame (excluded) of each region of sound."""

    def window(self, start: float, frames: int) -> Window:
        """What sounds from a moment (in seconds) on, up to so many frames of it."""
        begin, runs = round(start * FRAMES_PER_S), list[tuple[int, int]]()
        for run in self.runs[bisect_right(self.runs, begin, key=lambda run: run[1]) :]:
            first = max(run[0], begin)
            last = min(run[1], first + frames)
            if first == last:
                break
            runs.append((first, last))
            frames -= last - first
        pieces = [self.samples[first * FRAME : last * FRAME] for first, last in runs]
        return Window(
            samples=np.concatenate(pieces) if pieces else np.zeros(0, np.float32),
            loud=self.loud,
            runs=tuple(runs),
            after=start,
            is_last=not runs or runs[-1][1] == self.runs[-1][1],
        )


def sounding(samples: Samples) -> Sound:
    """Leave out what is silent: 40 dB below the loudest 10 ms, for longer than a plosive takes."""
    count = len(samples) // FRAME
    frames = samples[: count * FRAME].reshape(count, FRAME)
    levels = np.sqrt(np.einsum("ij,ij->i", frames, frames) / FRAME)  # makes no second recording
    loud = levels >= max(_BELOW_PEAK * float(levels.max(initial=0.0)), _FLOOR)
    return Sound(samples=samples, loud=loud, runs=_runs(loud))


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
