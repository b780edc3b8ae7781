"""A graph with Smart Turn's input and output, and random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write(folder: Path, seed: int = 0) -> Path:
    """Write it under the name that the backend expects; the folder."""
    rng = np.random.default_rng(seed)
    weights = {
        "bands": rng.normal(0, 0.05, (80, 16)).astype(np.float32),
        "bias": rng.normal(0, 0.1, 16).astype(np.float32),
        "out": rng.normal(0, 0.5, (16, 1)).astype(np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["input_features", "axes"], ["levels"], keepdims=0),
        helper.make_node("Gemm", ["levels", "bands", "bias"], ["hidden"]),
        helper.make_node("Tanh", ["hidden"], ["bent"]),
        helper.make_node("MatMul", ["bent", "out"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["logits"]),
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    constants.append(numpy_helper.from_array(np.array([2], np.int64), "axes"))
    given = helper.make_tensor_value_info("input_features", TensorProto.FLOAT, [1, 80, 800])
    found = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1])
    graph = helper.make_graph(nodes, "turn", [given], [found], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, str(folder / "smart-turn-v3.2-cpu.onnx"))
    return folder
