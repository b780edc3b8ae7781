"""Kokoro's checkpoint from its published 8-bit ONNX export.

The export is the real network: the weights of matrix products, convolutions and recurrences are
rounded to 8 bits, norms and biases are as they were. What comes out fits ``kokoro.KModel``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from open_speech_provider_kokoro.graphs import ARCHITECTURE

Numbers = NDArray[np.float32]

PARTS = ("bert", "bert_encoder", "predictor", "decoder", "text_encoder")
_PITCH = ("F0", "N", "shared", "F0_proj", "N_proj")
"""Modules of the predictor that the export names without it."""
_KEPT = ("encoder.", "decoder.decoder.")
_NO_WEIGHTS = ("_scale", "_zero_point", "inverse_basis", "window_sum")
_POOLER = {"bert.pooler.weight": (768, 768), "bert.pooler.bias": (768,)}
"""Never read, so the export left them out; the checkpoint has them."""


def write(folder: Path, export: bytes, vocabulary: Mapping[str, int]) -> None:
    """The checkpoint and its configuration, in the published layout."""
    config = {**ARCHITECTURE, "vocab": vocabulary, "dim_in": 64, "multispeaker": True}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    torch.save(checkpoint(export), folder / "kokoro-v1_0.pth")


def write_voice(path: Path, numbers: bytes) -> None:
    """A voice's pack of styles, one for each length of a text, from raw little-endian floats."""
    path.parent.mkdir(parents=True, exist_ok=True)
    styles = np.frombuffer(numbers, "<f4").reshape(510, 1, 256)
    torch.save(torch.from_numpy(styles.copy()), path)


def checkpoint(export: bytes) -> dict[str, dict[str, torch.Tensor]]:
    """The tensors of each part of the model, named as in the published file."""
    found = _Export(onnx.load_model_from_string(export).graph).tensors()
    parts: dict[str, dict[str, torch.Tensor]] = {part: {} for part in PARTS}
    for name, numbers in found.items():
        part, _, rest = name.partition(".")
        whole = np.ascontiguousarray(numbers, np.float32).copy()
        parts[part][f"module.{rest}"] = torch.from_numpy(whole)
    return parts


class _Export:
    """The graph, read node by node: where a weight is used says what it is called."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._nodes = graph.node
        self._initializers = {each.name: each for each in graph.initializer}
        self._consumers: dict[str, onnx.NodeProto] = {}
        for node in graph.node:
            for name in node.input:
                self._consumers.setdefault(name, node)
        self._found: dict[str, Numbers] = {}

    def tensors(self) -> dict[str, Numbers]:
        """Every tensor of the checkpoint."""
        for node in self._nodes:
            self._read(node, _module(node.name))
        for name, tensor in self._initializers.items():
            if (
                tensor.data_type == onnx.TensorProto.FLOAT
                and name.startswith(_KEPT)
                and not name.endswith(_NO_WEIGHTS)
            ):
                short = name.removeprefix("encoder.").removeprefix("decoder.")
                self._found.setdefault(short, self._get(name))
        for name, shape in _POOLER.items():
            self._found[name] = np.zeros(shape, np.float32)
        return self._found

    def _read(self, node: onnx.NodeProto, where: str) -> None:
        inputs, weight = node.input, f"{where}.weight"
        match node.op_type:
            case "Gather" if inputs[0].endswith("weight_quantized"):
                zero = self._consumers[node.output[0]].input[2]
                self._found[weight] = self._dequantised(inputs[0], zero)
            case "MatMulInteger" if inputs[1] in self._initializers:
                # ALBERT runs one layer twelve times, and a number tells the repetitions apart.
                if weight not in self._found and not re.search(r"_\d+$", where):
                    self._found[weight] = self._dequantised(inputs[1], inputs[3]).T
            case "MatMul" if inputs[1] in self._initializers:
                self._found[weight] = self._get(inputs[1]).T
            case "ConvInteger":
                numbers = self._dequantised(inputs[1], inputs[3])
                if inputs[1].endswith(".weight_quantized"):
                    self._found[weight] = numbers  # the few that are not normalised
                else:
                    self._put_normed(weight, numbers)
            case "Conv" | "ConvTranspose" if "/istft/" not in node.name:
                if inputs[1] in self._initializers:
                    self._put_normed(weight, self._get(inputs[1]))
            case "DynamicQuantizeLSTM":
                self._put_recurrence(node, where)

    def _get(self, name: str) -> Numbers:
        return np.asarray(numpy_helper.to_array(self._initializers[name]), np.float32)

    def _dequantised(self, name: str, zero: str) -> Numbers:
        return (self._get(name) - self._get(zero)) * self._get(name.replace("_quantized", "_scale"))

    def _put_normed(self, name: str, weight: Numbers) -> None:
        """As ``weight_norm`` keeps it: a direction, and its length over all axes but the first.

        A row that 8 bits have made zero has no direction; any will do for a length of zero.
        """
        squares = weight.astype(np.float64) ** 2
        length = np.sqrt(squares.sum(axis=(1, 2), keepdims=True)).astype(np.float32)
        self._found[f"{name}_v"] = np.where(length == 0, np.float32(1), weight)
        self._found[f"{name}_g"] = length

    def _put_recurrence(self, node: onnx.NodeProto, where: str) -> None:
        """Both directions of an LSTM; the node's inputs hold weights, biases, scales and zeros."""
        for matrix, scale, name in ((1, 8, "weight_ih_l0"), (2, 10, "weight_hh_l0")):
            whole, step, zero = (self._get(node.input[i]) for i in (matrix, scale, scale + 1))
            whole = (whole - zero.reshape(2, 1, -1)) * step.reshape(2, 1, -1)
            for numbers, suffix in zip(whole, ("", "_reverse"), strict=True):
                self._found[f"{where}.{name}{suffix}"] = _torch_gates(numbers.T)
        for both, suffix in zip(self._get(node.input[3]), ("", "_reverse"), strict=True):
            for numbers, name in zip(np.split(both, 2), ("bias_ih_l0", "bias_hh_l0"), strict=True):
                self._found[f"{where}.{name}{suffix}"] = _torch_gates(numbers)


def _torch_gates(rows: Numbers) -> Numbers:
    """ONNX keeps the gates as input, output, forget, cell; torch as input, forget, cell, output."""
    entry, output, forget, cell = np.split(rows, 4)
    return np.concatenate([entry, forget, cell, output])


def _module(node: str) -> str:
    """The module that a node belongs to, by the names of ``KModel``.

    A node's path has the wrapper of the export first and the operator last; where a module is in a
    list, the list stands before it again.
    """
    steps: list[str] = node.strip("/").split("/")[1:-1]
    following = [*steps[1:], ""]
    kept = [a for a, b in zip(steps, following, strict=False) if not b.startswith(f"{a}.")]
    name = ".".join(kept)
    return f"predictor.{name}" if name.split(".")[0] in _PITCH else name


def vocabulary(document: bytes) -> dict[str, int]:
    """The symbols and their numbers, from the package's own file."""
    found: dict[str, Any] = json.loads(document)
    return dict(found["vocab"])
