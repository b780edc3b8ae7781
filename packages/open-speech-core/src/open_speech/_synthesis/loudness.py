"""How loud speech is: voices of one model made even, and peaks kept below full scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .._types.audio import Audio, Samples
from .._types.models import Capability, ModelInfo
from .._types.speech import SpeechRequest
from ..voices.mix import read_mix

CEILING = 0.98
"""What a limited sample is at the most."""
_HALF_S = 0.0025
_NOTHING: Samples = np.zeros(0, np.float32)


def voice_gain(request: SpeechRequest, model: ModelInfo) -> float:
    """The factor that makes a voice as loud as the others of its model; 1 where none is known.

    A blend gets the mean of its voices' decibels, by their shares; a cloned voice stays as it is.
    """
    if request.reference is not None:
        return 1.0
    gains = {voice.id: voice.gain_db for voice in model.voices}
    if request.voice in gains:
        return _factor(gains[request.voice])
    if Capability.VOICE_BLEND not in model.capabilities:
        return 1.0
    shares = read_mix(request.voice)
    total = sum(abs(share.weight) for share in shares)
    mixed = sum(gains.get(share.voice, 0.0) * abs(share.weight) for share in shares) / total
    return _factor(mixed)


def _factor(decibels: float) -> float:
    return float(10.0 ** (decibels / 20.0))


class Limiter:
    """Turns speech down where its peaks would be beyond full scale, some milliseconds around them.

    What stays below is not changed. The last 5 ms are held back, to know the peaks that come.
    """

    def __init__(self) -> None:
        self._before = _NOTHING
        self._held = _NOTHING
        self._rate = 0

    def feed(self, audio: Audio) -> list[Audio]:
        """Take the next chunk; return what can be played."""
        done: list[Audio] = []
        if audio.sample_rate != self._rate:
            done = self.finish()
            self._rate = audio.sample_rate
            self._before = np.zeros(2 * self._half, np.float32)
        offset = len(self._held) / self._rate
        words = tuple(word.shifted(offset) for word in audio.words)
        samples = self._limited(np.concatenate([self._held, audio.samples]))
        if len(samples) or words:
            done.append(replace(audio, samples=samples, words=words))
        return done

    def finish(self) -> list[Audio]:
        """Return what was held back: nothing follows."""
        if not len(self._held):
            return []
        silence = np.zeros(2 * self._half, np.float32)
        rest = self._limited(np.concatenate([self._held, silence]))
        self._held = _NOTHING
        return [Audio(samples=rest, sample_rate=self._rate)]

    @property
    def _half(self) -> int:
        return round(_HALF_S * self._rate)

    def _limited(self, samples: Samples) -> Samples:
        """Give out all but the last ones, each with the peaks on both sides in view."""
        half = self._half
        ready = max(len(samples) - 2 * half, 0)
        around = np.concatenate([self._before, samples])
        self._held, self._before = samples[ready:], around[ready : ready + 2 * half]
        peaks = np.abs(around)
        if not ready or peaks.max() <= CEILING:
            return samples[:ready]
        # The least gain that any peak nearby needs, and of that the mean: it never jumps, and as
        # each value of the mean had the peak in view, it is never too high.
        needed = np.minimum(1.0, CEILING / np.maximum(peaks, CEILING))
        least = sliding_window_view(needed, 2 * half + 1).min(axis=1)
        gain = np.convolve(least, np.full(2 * half + 1, 1.0 / (2 * half + 1)), "valid")
        limited: Samples = (samples[:ready] * gain).astype(np.float32)
        return np.clip(limited, -1.0, 1.0)
