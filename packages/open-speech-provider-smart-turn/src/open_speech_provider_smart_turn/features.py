"""What the network hears: a log-mel spectrogram of the last eight seconds, as Whisper's.

Frames of 25 ms every 10 ms, 80 mel bands after Slaney, of sound with zero mean and unit variance:
the parameters of the package pipecat-ai 1.14.0, which runs the same model.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
RATE = 16_000
SECONDS = 8
WINDOW = 400
STEP = 160
BANDS = 80
_LINEAR_TO = 1_000.0
"""Hertz up to which Slaney's mel scale is linear, three to 200 Hz; logarithmic above."""
_OCTAVE = np.log(6.4) / 27.0
_LEAST = 1e-10


def log_mel(samples: Array) -> Array:
    """The spectrogram, shape ``(80, 800)``; shorter sound has silence before it."""
    wanted = SECONDS * RATE
    sound = samples[-wanted:].astype(np.float32)
    sound = np.pad(sound, (wanted - len(sound), 0))
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    padded = np.pad(sound.astype(np.float64), WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP][:-1]
    power = np.abs(np.fft.rfft(frames * _window())) ** 2
    levels = np.log10(np.maximum(power @ _bands(), _LEAST))
    levels = np.maximum(levels, levels.max() - 8.0)
    found: Array = ((levels.T + 4.0) / 4.0).astype(np.float32)
    return found


@cache
def _window() -> NDArray[np.float64]:
    """A Hann window that would go on periodically."""
    return np.hanning(WINDOW + 1)[:-1]


@cache
def _bands() -> NDArray[np.float64]:
    """Triangles on the mel scale, each of the same area; shape ``(201, 80)``."""
    top = _mel(np.array(RATE / 2))
    edges = _hertz(np.linspace(0.0, float(top), BANDS + 2))
    bins = np.linspace(0.0, RATE / 2, WINDOW // 2 + 1)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - low) / (middle - low)
    falling = (high - bins) / (high - middle)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    found: NDArray[np.float64] = triangles * (2.0 / (high - low))
    return found


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = hertz * 3.0 / 200.0
    above = _LINEAR_TO * 3.0 / 200.0 + np.log(np.maximum(hertz, 1.0) / _LINEAR_TO) / _OCTAVE
    return np.where(hertz >= _LINEAR_TO, above, linear)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_TO * 3.0 / 200.0
    return np.where(mel >= knee, _LINEAR_TO * np.exp(_OCTAVE * (mel - knee)), mel * 200.0 / 3.0)
