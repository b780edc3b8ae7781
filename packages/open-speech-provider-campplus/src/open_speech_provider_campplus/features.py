"""What the encoder hears: log-mel energies as Kaldi computes them.

Frames of 25 ms every 10 ms, 80 mel bands from 20 Hz to 8 kHz, no dither: the parameters with which
CAM++ was trained.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from .weights import Array

RATE = 16_000
WINDOW = 400
STEP = 160
BANDS = 80
_BINS = 512
_LOWEST_HZ = 20.0
_EMPHASIS = 0.97
_LEAST = float(np.finfo(np.float32).eps)


def log_mel(samples: Array) -> Array:
    """The energies of all whole frames; shape ``(frames, 80)``."""
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::STEP].astype(np.float32)
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    frames -= np.float32(_EMPHASIS) * before
    frames *= _window()
    spectrum = np.fft.rfft(frames, _BINS)[:, :-1]
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    found: Array = np.log(np.maximum(power @ _bands(), np.float32(_LEAST)))
    return found


@cache
def _window() -> Array:
    """Povey's window: between Hann's and Hamming's, and zero at its ends."""
    return np.asarray(np.hanning(WINDOW) ** 0.85, np.float32)


@cache
def _bands() -> Array:
    """Triangles on the mel scale, each of height 1; shape ``(256, 80)``."""
    bottom, top = _mel(np.array([_LOWEST_HZ, RATE / 2]))
    edges = np.linspace(bottom, top, BANDS + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    bins = _mel(np.arange(_BINS // 2) * RATE / _BINS)[:, None]
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return np.asarray(np.maximum(triangles, 0.0), np.float32)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(hertz / 700.0)
