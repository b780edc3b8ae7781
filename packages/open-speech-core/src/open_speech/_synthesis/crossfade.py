"""Joining pieces of speech that were made one by one, without clicks between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._types.audio import Audio, Samples

EDGE_S = 0.005
"""What is faded on either side of a seam that would be heard."""
STEP = 0.01
"""A jump between two samples that is taken for a click; 40 dB below full scale."""


class Crossfade:
    """Passes chunks on; keeps the last 5 ms back until it is known what follows them.

    Samples are changed at seams only, and only where the sound would jump.
    """

    def __init__(self) -> None:
        self._kept: Samples | None = None
        self._rate = 0
        self._seam = False
        self._rising = 0

    def begin(self) -> None:
        """Say that what is fed from now on is another piece."""
        self._seam = True

    def feed(self, audio: Audio, *, last: bool) -> list[Audio]:
        """Take the next chunk; return what can be played. ``last``: of the last piece."""
        done: list[Audio] = []
        if self._kept is not None and audio.sample_rate != self._rate:
            done = self.finish()
        if not len(audio.samples):
            return done
        kept = self._kept if self._kept is not None else np.zeros(0, np.float32)
        samples = audio.samples
        edge = round(EDGE_S * audio.sample_rate)
        if self._seam:
            jumps = len(kept) and abs(float(kept[-1]) - float(samples[0])) > STEP
            self._rising = edge if jumps else 0
            kept = _falling(kept, edge) if jumps else kept
        if self._rising:
            samples = _rising(samples, edge, edge - self._rising)
            self._rising = max(self._rising - len(samples), 0)
        self._seam, self._rate = False, audio.sample_rate
        joined = np.concatenate([kept, samples]) if len(kept) else samples
        hold = 0 if last else min(edge, len(joined))
        self._kept = joined[len(joined) - hold :] if hold else None
        offset = len(kept) / audio.sample_rate
        words = tuple(word.shifted(offset) for word in audio.words) if offset else audio.words
        done.append(replace(audio, samples=joined[: len(joined) - hold], words=words))
        return done

    def finish(self) -> list[Audio]:
        """Return what was kept back: nothing follows."""
        kept, self._kept, self._seam = self._kept, None, False
        return [] if kept is None else [Audio(samples=kept, sample_rate=self._rate)]


def _falling(samples: Samples, edge: int) -> Samples:
    """Fade to nothing; the samples are the last ones of a piece, at most ``edge``."""
    faded: Samples = samples * _ramp(edge)[::-1][edge - len(samples) :]
    return faded


def _rising(samples: Samples, edge: int, position: int) -> Samples:
    """Fade in over the first ``edge`` samples of a piece, of which ``position`` came before."""
    count = min(edge - position, len(samples))
    faded = samples.copy()
    faded[:count] *= _ramp(edge)[position : position + count]
    return faded


def _ramp(count: int) -> Samples:
    """Half a raised cosine, from 0 to 1."""
    phase = (np.arange(count) / max(count, 1)) * np.pi
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
