"""The network of Silero VAD 6.2 for 16 kHz, on numpy.

A short-time Fourier transform as a convolution, four convolutions over its magnitudes, an LSTM cell
and one output: the architecture of the package silero-vad 6.2.3, whose weights it reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
FRAME = 512
"""Samples of a frame."""
CONTEXT = 64
"""Samples before a frame that are looked at again."""
_PAD = 64
_WINDOW = 256
_STEP = 128
_BINS = _WINDOW // 2 + 1
_HIDDEN = 128


@dataclass
class Memory:
    """What the network remembers of one sound."""

    context: Array = field(default_factory=lambda: np.zeros(CONTEXT, np.float32))
    hidden: Array = field(default_factory=lambda: np.zeros(_HIDDEN, np.float32))
    cell: Array = field(default_factory=lambda: np.zeros(_HIDDEN, np.float32))


class Network:
    """The weights, ready for use. Thread-safe: whatever changes is in ``Memory``."""

    def __init__(self, path: Path) -> None:
        tensors = read_safetensors(path)
        self._fourier = tensors["stft_conv.weight"].reshape(2 * _BINS, _WINDOW).T.copy()
        self._layers = [
            (_taps(tensors[f"{name}.weight"]), tensors[f"{name}.bias"], step)
            for name, step in (("conv1", 1), ("conv2", 2), ("conv3", 2), ("conv4", 1))
        ]
        self._input = tensors["lstm_cell.weight_ih"].T.copy()
        self._recurrent = tensors["lstm_cell.weight_hh"].T.copy()
        self._gates = tensors["lstm_cell.bias_ih"] + tensors["lstm_cell.bias_hh"]
        self._out = tensors["final_conv.weight"].reshape(_HIDDEN)
        self._out_bias = tensors["final_conv.bias"][0]

    def probabilities(self, frames: Array, memory: Memory) -> list[float]:
        """How likely each frame is speech; shape ``(n, FRAME)``, float32 in [-1, 1]."""
        return [self._step(features, memory) for features in self._input_gates(frames, memory)]

    def _input_gates(self, frames: Array, memory: Memory) -> Array:
        """What each frame adds to the gates: all that does not depend on the frames before."""
        before = np.concatenate([memory.context[None], frames[:-1, -CONTEXT:]])
        memory.context = frames[-1, -CONTEXT:].copy()
        sound = np.concatenate([before, frames], axis=1)
        sound = np.pad(sound, ((0, 0), (0, _PAD)), "reflect")
        windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW, axis=1)[:, ::_STEP]
        spectrum = windows @ self._fourier
        values = np.sqrt(spectrum[..., :_BINS] ** 2 + spectrum[..., _BINS:] ** 2)
        for weight, bias, step in self._layers:
            values = np.maximum(_convolved(values, weight, step) + bias, 0.0)
        return values[:, 0] @ self._input + self._gates  # type: ignore[no-any-return]

    def _step(self, features: Array, memory: Memory) -> float:
        """The LSTM cell and the output."""
        gates = features + memory.hidden @ self._recurrent
        let_in, forget, candidate, let_out = np.split(gates, 4)
        memory.cell = _sigmoid(forget) * memory.cell + _sigmoid(let_in) * np.tanh(candidate)
        memory.hidden = _sigmoid(let_out) * np.tanh(memory.cell)
        score = float(np.maximum(memory.hidden, 0.0) @ self._out + self._out_bias)
        return float(1.0 / (1.0 + np.exp(-np.float64(score))))


def read_safetensors(path: Path) -> dict[str, Array]:
    """Read the float32 tensors of a file in the safetensors format.

    Eight bytes with the length of a JSON header, the header, and the numbers in little endian.
    """
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            values = np.frombuffer(data[start + first : start + last], "<f4")
            tensors[name] = values.reshape(entry["shape"]).astype(np.float32)
    return tensors


def _taps(weight: Array) -> Array:
    """A kernel ``(out, in, 3)`` as a matrix for three neighbours side by side."""
    return weight.transpose(2, 1, 0).reshape(-1, weight.shape[0]).copy()


def _convolved(values: Array, weight: Array, step: int) -> Array:
    """Convolve ``(n, time, in)`` with a kernel of three, one zero of padding at each end."""
    padded = np.pad(values, ((0, 0), (1, 1), (0, 0)))
    count = (values.shape[1] - 1) // step + 1
    sides = [padded[:, tap : tap + step * (count - 1) + 1 : step] for tap in range(3)]
    return np.concatenate(sides, axis=2) @ weight


def _sigmoid(values: Array) -> Array:
    return 0.5 * (np.tanh(0.5 * values) + 1.0)  # type: ignore[no-any-return]
