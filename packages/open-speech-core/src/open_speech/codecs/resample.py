"""Changing the sample rate of speech, whole or as it comes (libsoxr, high quality)."""

from __future__ import annotations

import numpy as np
import soxr

from open_speech._types.audio import Audio, Samples

__all__ = [
    "Resampler",
    "resample",
]


_NOTHING: Samples = np.zeros(0, np.float32)


class Resampler:
    """Brings a sequence of chunks to one rate, without seams between them.

    The chunks may differ in rate: where it changes, what is inside the filter comes out first.
    The samples do not depend on how the sound is cut into chunks. Not for several threads at
    once. Memory: the filter's, some thousand samples.
    """

    def __init__(self, sample_rate: int, *, quality: str = "HQ") -> None:
        """``quality``: libsoxr's recipe. MQ, for recognition, has half the delay of HQ or less."""
        self._quality = quality
        self.sample_rate = sample_rate
        """Samples per second of what comes out."""
        self._source_rate: int | None = None
        self._stream: soxr.ResampleStream | None = None

    def feed(self, audio: Audio) -> Samples:
        """Take the next chunk and return what is ready, possibly nothing."""
        if audio.sample_rate == self._source_rate:
            return self._resample(audio.samples)
        flushed = self.finish()
        self._source_rate = audio.sample_rate
        if audio.sample_rate != self.sample_rate:
            self._stream = soxr.ResampleStream(
                audio.sample_rate, self.sample_rate, 1, quality=self._quality
            )
        return np.concatenate([flushed, self._resample(audio.samples)])

    def finish(self) -> Samples:
        """Return what the filter still holds. Feeding again starts afresh."""
        stream, self._stream, self._source_rate = self._stream, None, None
        if stream is None:
            return _NOTHING
        rest: Samples = stream.resample_chunk(_NOTHING, last=True)
        return rest

    def _resample(self, samples: Samples) -> Samples:
        if self._stream is None:
            return samples
        out: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples, np.float32))
        return out


def resample(audio: Audio, sample_rate: int) -> Audio:
    """The same sound at another rate; ``audio`` itself if it has that rate already."""
    if audio.sample_rate == sample_rate:
        return audio
    resampler = Resampler(sample_rate)
    samples = np.concatenate([resampler.feed(audio), resampler.finish()])
    return Audio(samples=samples, sample_rate=sample_rate, words=audio.words)
