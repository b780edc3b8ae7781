"""What turns symbols into sound: the same network by ONNX Runtime or by torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from open_speech import Samples

SAMPLE_RATE = 24_000
FRAME_SAMPLES = 600
"""Samples per frame; there are 40 frames in a second."""
MAX_SYMBOLS = 510
"""What the network takes at once, beside a mark before and one after."""

Noise = Callable[[int], Samples]
"""Makes so many normally distributed numbers."""
Symbols = NDArray[np.int64]
Frames = NDArray[np.int64]

_MAX_THREADS = 8
_TOPOLOGY = Path("/sys/devices/system/cpu")


class Engine(Protocol):
    """The loaded network; not for several threads at once.

    It is asked for the durations at the voice's own speed, whatever the request's.
    """

    def speak(
        self, symbols: Symbols, style: NDArray[np.float32], speed: float, noise: Noise
    ) -> tuple[Samples, Frames]:
        """Symbols ``(n,)`` with the marks, style ``(1, 256)``.

        Returns samples ``(600 * frames,)`` and frames per symbol ``(n,)``.
        """

    def device_memory_bytes(self) -> int:
        """Bytes on an accelerator."""

    def close(self) -> None:
        """Free the weights."""


def at_speed(frames: Frames, speed: float) -> Frames:
    """Frames per symbol at another speed, from those at the voice's own.

    What rounding takes from one symbol the next one gets, so that the whole has the right length;
    the network rounds each by itself, and short ones never below a frame.
    """
    if speed == 1.0:
        return frames
    paced = np.empty_like(frames)
    owed = 0.0
    for index, count in enumerate(frames / speed):
        owed += float(count)
        paced[index] = max(round(owed), 1)
        owed -= float(paced[index])
    return paced


def threads(wanted: int) -> int:
    """As many as asked for, or one for each core that this process may use, up to eight."""
    if wanted > 0:
        return wanted
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if allowed is None:
        return min(_MAX_THREADS, os.cpu_count() or 1)
    return min(_MAX_THREADS, len({_siblings(processor) for processor in allowed}))


def _siblings(processor: int) -> str:
    try:
        return (_TOPOLOGY / f"cpu{processor}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(processor)  # each for itself
