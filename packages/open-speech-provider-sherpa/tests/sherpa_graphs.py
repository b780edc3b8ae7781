"""A small writer of ONNX graphs whose parameters are all random and none of them zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]
BOOL, FLOAT = TensorProto.BOOL, TensorProto.FLOAT
INT32, INT64 = TensorProto.INT32, TensorProto.INT64
Port = tuple[str, int, Sequence[int | str]]
"""Name, type and shape of an input or output; a dimension by name may have any size."""


class Graph:
    """One graph in the making: each call adds a node and returns the name of its output."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self._nodes: list[Any] = []
        self._tensors: list[Any] = []

    def draw(self, *shape: int, scale: float) -> Array:
        """Normal random numbers, with a distance from zero."""
        values = self.random.normal(0.0, scale, shape)
        return (values + np.copysign(scale * 0.05, values)).astype(np.float32)

    def weight(self, values: Array) -> str:
        """A parameter: what tests change to see whether it counts."""
        return self._tensor(f"weight_{len(self._tensors)}", values.astype(np.float32))

    def constant(self, *values: int, dtype: Any = np.int64) -> str:
        """Whole numbers that say how the graph is built."""
        return self._tensor(f"constant_{len(self._tensors)}", np.array(values, dtype))

    def scalar(self, value: float, dtype: Any = np.int64) -> str:
        return self._tensor(f"constant_{len(self._tensors)}", np.array(value, dtype))

    def _tensor(self, name: str, values: Any) -> str:
        self._tensors.append(numpy_helper.from_array(values, name))
        return name

    def __call__(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        output = name or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def linear(self, values: str, weight: Array, bias: Array, name: str | None = None) -> str:
        """Multiply the last axis and add."""
        return self(
            "Add", self("MatMul", values, self.weight(weight)), self.weight(bias), name=name
        )

    def every(self, values: str, axis: int, step: int, start: int = 0, end: int = 2**31) -> str:
        """Every so many along an axis."""
        bounds = [self.constant(each) for each in (start, end, axis, step)]
        return self("Slice", values, *bounds)

    def size(self, values: str, axis: int) -> str:
        """The size of one axis, shape ``(1,)``."""
        return self("Gather", self("Shape", values), self.constant(axis))

    def save(
        self,
        path: Path,
        inputs: Sequence[Port],
        outputs: Sequence[Port],
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Write the file with its metadata."""
        graph = helper.make_graph(
            self._nodes,
            path.stem,
            [helper.make_tensor_value_info(*port) for port in inputs],
            [helper.make_tensor_value_info(*port) for port in outputs],
            self._tensors,
        )
        opset = helper.make_opsetid("", 17)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        helper.set_model_props(model, {key: str(value) for key, value in (metadata or {}).items()})
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())


def weights(path: Path) -> list[str]:
    """The names of a file's parameters."""
    model = onnx.load(path)
    return [each.name for each in model.graph.initializer if each.name.startswith("weight_")]


def redraw(path: Path, name: str, seed: int) -> None:
    """Give one parameter of a file other numbers, some of them larger."""
    model = onnx.load(path)
    tensor = next(each for each in model.graph.initializer if each.name == name)
    values = numpy_helper.to_array(tensor)
    spread = max(float(np.abs(values).max()), 0.1)
    drawn = np.random.default_rng(seed).normal(0.0, 2 * spread, values.shape).astype(np.float32)
    tensor.CopyFrom(numpy_helper.from_array(drawn, name))
    path.write_bytes(model.SerializeToString())
