"""The network of CAM++, which describes a voice, on numpy.

Two-dimensional convolutions over log-mel energies, then three blocks of densely connected layers
along time, each masked by what was heard around it, then mean and deviation over time: the
architecture of 3D-Speaker's CAM++ with 192 outputs, whose weights it reads. Batch normalisation is
a factor and an offset here, and joined with the matrix before it where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .weights import Array, read_weights

SIZE = 192
"""Numbers of a vector."""
LEAST_FRAMES = 8
"""Fewer are refused: nothing is left of them after the convolutions."""
MOST_FRAMES = 1_000
"""Of one pass through the network: more would take memory without limit."""
_SEGMENT = 100
_EPSILON = 1e-5
_LAYERS = {1: (12, 1), 2: (24, 2), 3: (16, 2)}
"""By block: its number of layers, and how far apart the three taps of each are."""

Scale = tuple[Array, Array]


class Encoder:
    """The weights, ready for use. Thread-safe."""

    def __init__(self, path: Path) -> None:
        tensors = read_weights(path)
        self._head = [_Image(tensors, *names) for names in _HEAD]
        self._shortcuts = {
            layer: _Image(tensors, f"head.{layer}.0.shortcut.0", f"head.{layer}.0.shortcut.1", 2)
            for layer in ("layer1", "layer2")
        }
        scale, offset = _scale(tensors, "xvector.tdnn.nonlinear.batchnorm")
        # The head's output is (time, frequency, channel) here, and (channel, frequency) in a row
        # of the weights.
        taps = tensors["xvector.tdnn.linear.weight"].reshape(128, 32, 10, 5)
        weight = taps.transpose(3, 2, 1, 0).reshape(5 * 320, 128)
        self._first = (weight * scale, offset)
        self._blocks = [_Block(tensors, block, *_LAYERS[block]) for block in _LAYERS]
        self._last = _scale(tensors, "xvector.out_nonlinear.batchnorm")
        scale, offset = _scale(tensors, "xvector.dense.nonlinear.batchnorm")
        self._dense = (tensors["xvector.dense.linear.weight"][:, :, 0].T * scale, offset)

    def vector(self, features: Array) -> Array:
        """The voice in log-mel energies ``(frames, 80)``: 192 numbers, of length 1.

        The mean over time is taken off here. Long sound is cut into stretches of equal length, and
        the mean of their vectors taken.
        """
        pieces = max(1, -(-len(features) // MOST_FRAMES))
        found = sum(self.raw(piece) for piece in np.array_split(features, pieces))
        return np.asarray(found / np.linalg.norm(found), np.float32)

    def raw(self, features: Array) -> Array:
        """What the network says of one stretch, of whatever length."""
        values = (features - features.mean(axis=0))[:, :, None]
        values = self._convolved(values)
        padded = np.pad(values.reshape(len(values), -1), ((2, 2), (0, 0)))
        count = (len(values) - 1) // 2 + 1
        taps = [padded[tap : tap + 2 * count - 1 : 2] for tap in range(5)]
        weight, offset = self._first
        values = np.maximum(np.concatenate(taps, axis=1) @ weight + offset, 0.0)
        for block in self._blocks:
            values = block(values)
        values = _rectified(values, self._last)
        deviation = values.std(axis=0, ddof=1) if count > 1 else np.full(values.shape[1], 1e-2)
        weight, offset = self._dense
        found: Array = np.concatenate([values.mean(axis=0), deviation]) @ weight + offset
        return found.astype(np.float32)

    def _convolved(self, values: Array) -> Array:
        """Shape ``(time, 80, 1)`` to ``(time, 10, 32)``."""
        image = iter(self._head)
        values = np.maximum(next(image)(values), 0.0)
        for layer in ("layer1", "layer2"):
            straight = self._shortcuts[layer](values)
            for _ in range(2):
                inner = np.maximum(next(image)(values), 0.0)
                values = np.maximum(next(image)(inner) + straight, 0.0)
                straight = values
        return np.maximum(next(image)(values), 0.0)


class _Image:
    """A convolution over time and frequency, with its normalisation."""

    def __init__(self, tensors: dict[str, Array], name: str, norm: str, step: int = 1) -> None:
        scale, offset = _scale(tensors, norm)
        weight = tensors[f"{name}.weight"] * scale[:, None, None, None]
        out, into, self._taps, _ = weight.shape
        # Rows: frequency tap, channel; columns: time tap, channel.
        self._weight = weight.transpose(2, 1, 3, 0).reshape(self._taps * into, -1).copy()
        self._offset, self._step, self._out = offset, step, out

    def __call__(self, values: Array) -> Array:
        time, bands, _ = values.shape
        count = (bands - 1) // self._step + 1
        if self._taps == 1:
            found: Array = values[:, :: self._step] @ self._weight + self._offset
            return found
        padded = np.pad(values, ((0, 0), (1, 1), (0, 0)))
        last = self._step * (count - 1) + 1
        taps = [padded[:, tap : tap + last : self._step] for tap in range(3)]
        sides = np.concatenate(taps, axis=2).reshape(time * count, -1) @ self._weight
        sides = sides.reshape(time, count, 3, self._out)
        found = sides[:, :, 1] + self._offset
        found[1:] += sides[:-1, :, 0]
        found[:-1] += sides[1:, :, 2]
        return found


class _Block:
    """Layers each of which hears all the earlier ones, then a matrix that halves the channels."""

    def __init__(self, tensors: dict[str, Array], block: int, count: int, spread: int) -> None:
        names = [f"xvector.block{block}.tdnnd{layer + 1}" for layer in range(count)]
        self._layers = [_Layer(tensors, name, spread) for name in names]
        self._norm = _scale(tensors, f"xvector.transit{block}.nonlinear.batchnorm")
        self._weight = tensors[f"xvector.transit{block}.linear.weight"][:, :, 0].T.copy()

    def __call__(self, values: Array) -> Array:
        width = values.shape[1]
        heard = np.empty((len(values), self._weight.shape[0]), np.float32)
        heard[:, :width] = values
        for layer in self._layers:
            heard[:, width : width + 32] = layer(heard[:, :width])
            width += 32
        return _rectified(heard, self._norm) @ self._weight


class _Layer:
    """A convolution along time, masked by the mean of a second and of the whole."""

    def __init__(self, tensors: dict[str, Array], name: str, spread: int) -> None:
        self._spread = spread
        self._norm = _scale(tensors, f"{name}.nonlinear1.batchnorm")
        scale, self._offset = _scale(tensors, f"{name}.nonlinear2.batchnorm")
        self._narrow = tensors[f"{name}.linear1.weight"][:, :, 0].T * scale
        local = tensors[f"{name}.cam_layer.linear_local.weight"]
        self._local = local.transpose(2, 1, 0).reshape(3 * 128, 32).copy()
        self._mask = [
            (
                tensors[f"{name}.cam_layer.{part}.weight"][:, :, 0].T.copy(),
                tensors[f"{name}.cam_layer.{part}.bias"],
            )
            for part in ("linear1", "linear2")
        ]

    def __call__(self, heard: Array) -> Array:
        values = np.maximum(_rectified(heard, self._norm) @ self._narrow + self._offset, 0.0)
        count, spread = len(values), self._spread
        padded = np.pad(values, ((spread, spread), (0, 0)))
        taps = [padded[spread * tap : spread * tap + count] for tap in range(3)]
        local = np.concatenate(taps, axis=1) @ self._local
        starts = np.arange(0, count, _SEGMENT)
        sizes = np.minimum(count - starts, _SEGMENT)
        context = values.mean(axis=0) + np.add.reduceat(values, starts) / sizes[:, None]
        (first, first_offset), (second, second_offset) = self._mask
        inner = np.maximum(context.astype(np.float32) @ first + first_offset, 0.0)
        mask = 0.5 * (np.tanh(0.5 * (inner @ second + second_offset)) + 1.0)
        found: Array = local * np.repeat(mask, sizes, axis=0)
        return found


def _head_names() -> Iterator[tuple[str, str, int]]:
    yield "head.conv1", "head.bn1", 1
    for layer in ("layer1", "layer2"):
        for part in (0, 1):
            for step, conv in ((2 - part, 1), (1, 2)):
                name = f"head.{layer}.{part}"
                yield f"{name}.conv{conv}", f"{name}.bn{conv}", step
    yield "head.conv2", "head.bn2", 2


_HEAD = tuple(_head_names())


def _scale(tensors: dict[str, Array], name: str) -> Scale:
    """The factor and the offset that a batch normalisation comes down to."""
    deviation = np.sqrt(tensors[f"{name}.running_var"] + np.float32(_EPSILON))
    factor = tensors.get(f"{name}.weight", np.float32(1.0)) / deviation
    offset = tensors.get(f"{name}.bias", np.float32(0.0)) - tensors[f"{name}.running_mean"] * factor
    return factor.astype(np.float32), offset.astype(np.float32)


def _rectified(values: Array, scale: Scale) -> Array:
    factor, offset = scale
    found = values * factor
    found += offset
    np.maximum(found, 0.0, out=found)
    return found
