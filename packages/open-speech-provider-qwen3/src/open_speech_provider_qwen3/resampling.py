"""Recordings at any rate to the one that the networks were trained for."""

from __future__ import annotations

import math

import numpy as np

from open_speech import Samples

_CROSSINGS = 24
"""Zero crossings of the sinc on each side: flat up to 0.9 of the band, 80 dB below beyond it."""
_ROLL_OFF = 0.945
_BLOCK = 24_000


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """Change the rate by a windowed sinc. From ``(n,)`` to ``(ceil(n * wanted / rate),)``."""
    if rate == wanted:
        return samples
    band = _ROLL_OFF * min(1.0, wanted / rate)
    reach = math.ceil(_CROSSINGS / band)
    padded = np.pad(samples.astype(np.float64), (reach, reach + 1))
    count = -(-len(samples) * wanted // rate)
    taps = np.arange(-reach, reach + 1)
    out = np.empty(count, np.float32)
    for start in range(0, count, _BLOCK):
        at = np.arange(start, min(start + _BLOCK, count)) * (rate / wanted)
        whole = np.floor(at).astype(np.int64)
        distance = taps[None, :] - (at - whole)[:, None]
        window = np.cos(np.clip(distance / (reach + 1), -1, 1) * (np.pi / 2)) ** 2
        weights = band * np.sinc(band * distance) * window
        heard = padded[whole[:, None] + taps[None, :] + reach]
        out[start : start + len(at)] = (weights * heard).sum(axis=1)
    return out
