"""Where nobody speaks in a recording, by its loudness."""

from __future__ import annotations

import numpy as np

from .._types.audio import Audio

__all__ = [
    "find_pauses",
]


MIN_PAUSE_S = 0.3
"""Shorter silences are part of words."""
_FRAME_S = 0.02
_QUIETER_DB = 35.0
"""So much below the loud parts nothing of a word is heard."""
_ABOVE_FLOOR_DB, _LEAST_DB = 6.0, 15.0
"""In a noisy place: what is hardly louder than the noise, but well below the loud parts."""
_NOTHING = 1e-12


def find_pauses(audio: Audio) -> list[tuple[float, float]]:
    """Seconds at which each silence of a recording begins and ends, in order.

    A millisecond of work for a minute of sound. In steady noise as loud as speech nothing is found.
    """
    frame = max(1, round(_FRAME_S * audio.sample_rate))
    count = len(audio.samples) // frame
    if not count:
        return []
    frames = audio.samples[: count * frame].reshape(count, frame)
    power = np.einsum("ij,ij->i", frames, frames) / frame
    level = 10 * np.log10(power + _NOTHING)
    floor, loud = np.percentile(level, (5, 95))
    limit = max(loud - _QUIETER_DB, min(floor + _ABOVE_FLOOR_DB, loud - _LEAST_DB))
    quiet = np.concatenate([[False], (level < limit) | (power < _NOTHING), [False]])
    edges = np.flatnonzero(quiet[1:] != quiet[:-1]) * frame / audio.sample_rate
    if quiet[count]:
        edges[-1] = audio.seconds  # less than a frame is left over
    found = [(float(begin), float(end)) for begin, end in edges.reshape(-1, 2)]
    return [(begin, end) for begin, end in found if end - begin >= MIN_PAUSE_S]
