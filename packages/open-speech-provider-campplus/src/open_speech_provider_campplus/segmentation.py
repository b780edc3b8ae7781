"""The network that hears who speaks within ten seconds, on numpy.

Filters over the samples, two convolutions, four bidirectional LSTM layers and three matrices: the
architecture of pyannote.audio's segmentation model 3.0, whose weights it reads. It says, frame by
frame, which of up to three voices speak, up to two at a time. Which voice comes first is chance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .weights import Array, read_weights

RATE = 16_000
VOICES = 3
"""Told apart within one sound."""
STEP = 270
"""Samples from one frame to the next."""
FIELD = 991
"""Samples that a frame hears."""
_FILTER = 251
_FILTER_STEP = 10
_HIDDEN = 128
_LAYERS = 4
_EPSILON = 1e-5
_SETS = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
"""What the outputs stand for: the voices that speak."""


def frame_count(samples: int) -> int:
    """How many frames a sound has."""
    return max(0, (samples - FIELD) // STEP + 1)


class Segmentation:
    """The weights, ready for use. Thread-safe."""

    def __init__(self, path: Path) -> None:
        tensors = read_weights(path)
        self._wave = [tensors[f"sincnet.wav_norm1d.{part}"] for part in ("weight", "bias")]
        self._filters = tensors["sincnet.conv1d.0.weight"][:, 0].T.copy()
        self._convolutions = [
            tensors[f"sincnet.conv1d.{layer}.weight"].transpose(2, 1, 0).reshape(-1, 60)
            for layer in (1, 2)
        ]
        self._norms = [
            [tensors[f"sincnet.norm1d.{layer}.{part}"] for part in ("weight", "bias")]
            for layer in range(3)
        ]
        self._memory = [_Memory(tensors, layer) for layer in range(_LAYERS)]
        self._matrices = [
            (tensors[f"{name}.weight"].T.copy(), tensors[f"{name}.bias"])
            for name in ("linear.0", "linear.1", "classifier")
        ]
        self._voices = np.zeros((len(_SETS), VOICES), np.bool_)
        for row, voices in enumerate(_SETS):
            self._voices[row, list(voices)] = True

    def scores(self, sounds: Array) -> Array:
        """How each set of voices scores, ``(n, frames, 7)``; sounds are ``(n, samples)``."""
        values = np.stack([self._filtered(sound) for sound in sounds])
        for layer in self._memory:
            values = layer(values)
        for weight, bias in self._matrices[:-1]:
            values = _leaky(values @ weight + bias)
        weight, bias = self._matrices[-1]
        found: Array = values @ weight + bias
        return found

    def voices(self, sounds: Array) -> np.ndarray:
        """Whether each voice speaks, ``(n, frames, 3)``; sounds are ``(n, samples)``."""
        found: np.ndarray = self._voices[self.scores(sounds).argmax(axis=-1)]
        return found

    def _filtered(self, sound: Array) -> Array:
        """Shape ``(frames, 60)``."""
        weight, bias = self._wave
        deviation = np.sqrt(sound.var(dtype=np.float64) + _EPSILON)
        wave = (sound - sound.mean(dtype=np.float64)) / deviation * weight + bias
        windows = np.lib.stride_tricks.sliding_window_view(wave.astype(np.float32), _FILTER)
        values = np.abs(np.ascontiguousarray(windows[::_FILTER_STEP]) @ self._filters)
        values = _leaky(_normalised(_pooled(values), *self._norms[0]))
        for taps, norm in zip(self._convolutions, self._norms[1:], strict=True):
            count = len(values) - 4
            sides = np.concatenate([values[tap : tap + count] for tap in range(5)], axis=1)
            values = _leaky(_normalised(_pooled(sides @ taps), *norm))
        return values


class _Memory:
    """One LSTM layer, forwards and backwards at the same time."""

    def __init__(self, tensors: dict[str, Array], layer: int) -> None:
        ways = [f"l{layer}", f"l{layer}_reverse"]
        self._input = [tensors[f"lstm.weight_ih_{way}"].T.copy() for way in ways]
        self._offset = [
            tensors[f"lstm.bias_ih_{way}"] + tensors[f"lstm.bias_hh_{way}"] for way in ways
        ]
        self._recurrent = np.stack([tensors[f"lstm.weight_hh_{way}"].T for way in ways])
        # Half of what goes into a sigmoid, as that is a tanh of half its argument: then one tanh
        # does for all four gates.
        self._half = np.full(4 * _HIDDEN, 0.5, np.float32)
        self._half[2 * _HIDDEN : 3 * _HIDDEN] = 1.0
        self._recurrent = self._recurrent * self._half

    def __call__(self, values: Array) -> Array:
        """Shape ``(n, frames, in)`` to ``(n, frames, 256)``."""
        count, frames, _ = values.shape
        gates = np.empty((frames, 2, count, 4 * _HIDDEN), np.float32)
        for way, order in ((0, slice(None)), (1, slice(None, None, -1))):
            into = (values @ self._input[way] + self._offset[way]) * self._half
            gates[:, way] = into.transpose(1, 0, 2)[order]
        hidden = np.zeros((2, count, _HIDDEN), np.float32)
        cell = np.zeros((2, count, _HIDDEN), np.float32)
        found = np.empty((count, frames, 2 * _HIDDEN), np.float32)
        for frame in range(frames):
            step = gates[frame]
            step += hidden @ self._recurrent
            np.tanh(step, out=step)
            let_in, forget, candidate, let_out = (
                step[..., part * _HIDDEN : (part + 1) * _HIDDEN] for part in range(4)
            )
            cell = 0.5 * ((forget + 1.0) * cell + (let_in + 1.0) * candidate)
            hidden = 0.5 * (let_out + 1.0) * np.tanh(cell)
            found[:, frame, :_HIDDEN] = hidden[0]
            found[:, frames - 1 - frame, _HIDDEN:] = hidden[1]
        return found


def _pooled(values: Array) -> Array:
    """The greatest of every three along time."""
    count = len(values) // 3
    found: Array = values[: 3 * count].reshape(count, 3, -1).max(axis=1)
    return found


def _normalised(values: Array, weight: Array, bias: Array) -> Array:
    mean, variance = values.mean(axis=0), values.var(axis=0)
    found: Array = (values - mean) / np.sqrt(variance + np.float32(_EPSILON)) * weight + bias
    return found


def _leaky(values: Array) -> Array:
    found: Array = np.maximum(values, np.float32(0.01) * values)
    return found
