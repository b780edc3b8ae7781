"""Channels that cancel each other out where they are mixed.

A recording whose one channel is the other upside down (a cable with its wires swapped, an "all
sides" effect) is silent as a mix. Where most of it would be lost the loudest channel is heard
instead. Everything else is left as it is, to the last bit.

Per block the mix is compared with what channels that have nothing to do with each other would
leave in it. Only what speech is made of counts: averages over an eighth of a millisecond leave out
hiss, which codecs share between channels, and their differences hum and rumble. The memory is a
block's.
"""

from __future__ import annotations

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

_LOST, _KEPT = 0.25, 0.5
"""Below the first part of the expected power a mix is given up, above the second it is trusted."""
_LOUDER = 4.0
"""So much more power makes another channel the one to hear."""
_FADE_S = 0.01
_SPEECH_RATE = 8_000
"""Averages per second."""
_SILENT = 1e-7
"""Mean power of differences, against full scale, below which there is nothing to judge: an eighth
of the last bit of sixteen."""
_PROBE = 1 << 14


class Rescue:
    """Watches one run of frames of one format and replaces what the mix would lose."""

    def __init__(self, first: AudioFrame) -> None:
        self._channels = first.layout.nb_channels
        self._fade = max(1, round(_FADE_S * first.sample_rate))
        self._step = max(1, first.sample_rate // _SPEECH_RATE)
        self._planar = first.format.is_planar
        self._weights = _weights(first) if self._channels > 1 else np.ones(1)
        self._heard: int | None = None

    def __call__(self, frame: AudioFrame) -> AudioFrame:
        """Return the frame, changed only where its mix could not be heard."""
        if self._channels == 1:
            return frame
        raw = frame.to_ndarray()
        samples = raw if self._planar else raw.reshape(-1, self._channels).T
        before, self._heard = self._heard, self._chosen(samples)
        if before is None and self._heard is None:
            return frame
        ramp = np.clip(np.arange(1, samples.shape[1] + 1) / self._fade, 0, 1)
        mixed = _part(samples, before) * (1 - ramp) + _part(samples, self._heard) * ramp
        if np.issubdtype(raw.dtype, np.integer):
            mixed = np.rint(mixed)
        self._overwrite(frame, mixed.astype(raw.dtype))
        return frame

    def _chosen(self, samples: NDArray[np.generic]) -> int | None:
        """The channel to hear; None for the mix."""
        whole = samples.shape[1] - samples.shape[1] % self._step
        averages = samples[:, :whole].reshape(self._channels, -1, self._step).mean(2, np.float32)
        differences = np.diff(averages, axis=1)
        power = differences @ differences.T / max(1, differences.shape[1])
        power = power.astype(np.float64) / _full_scale(samples.dtype) ** 2
        each = np.diag(power) * (self._weights > 0)
        expected = float(np.diag(power) @ self._weights**2)
        if float(each.max()) < _SILENT or expected == 0:
            return self._heard
        left = float(self._weights @ power @ self._weights) / expected
        if left > _KEPT or (left >= _LOST and self._heard is None):
            return None
        loudest = int(each.argmax())
        if self._heard is not None and each[loudest] < _LOUDER * each[self._heard]:
            return self._heard
        return loudest

    def _overwrite(self, frame: AudioFrame, samples: NDArray[np.generic]) -> None:
        """Put other samples into the same frame, whose layout may have no name."""
        planes = samples if self._planar else samples.T.reshape(1, -1)
        for plane, values in zip(frame.planes, planes, strict=True):
            plane.update(values.tobytes())


def _part(samples: NDArray[np.generic], channel: int | None) -> NDArray[np.float64]:
    """All channels as they are, or one in the place of all."""
    if channel is None:
        return samples.astype(np.float64)
    return np.repeat(samples[channel : channel + 1].astype(np.float64), len(samples), axis=0)


def _full_scale(kind: np.dtype[np.generic]) -> float:
    return 2.0 ** (8 * kind.itemsize - 1) if kind.kind in "iu" else 1.0


def _weights(frame: AudioFrame) -> NDArray[np.float64]:
    """What each channel counts in the mix; libav is asked, as it knows the layouts."""
    channels = frame.layout.nb_channels
    probe = (np.eye(channels, dtype=np.int16) * np.int16(_PROBE)).reshape(1, -1)
    try:
        asked = AudioFrame.from_ndarray(probe, format="s16", layout=frame.layout.name)
    except ValueError:  # a number of channels without an order: all count alike
        return np.full(channels, 1 / channels)
    asked.sample_rate = frame.sample_rate
    mixer = AudioResampler(format="s16", layout="mono", rate=frame.sample_rate)
    mixed = [*mixer.resample(asked), *mixer.resample(None)]
    heard = np.concatenate([part.to_ndarray()[0] for part in mixed])[:channels]
    return np.abs(heard.astype(np.float64)) / _PROBE
