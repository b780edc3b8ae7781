"""The walk over a graph: what it finds, what it refuses, and that it never goes on for ever."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from open_speech import Capability
from open_speech.errors import ModelLoadFailed
from open_speech_provider_piper import _graph

Make = Callable[..., Path]


def written(folder: Path, model: onnx.ModelProto) -> Path:
    path = folder / "voice.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_the_tensor_with_the_lengths_is_found(random_piper: Any, tmp_path: Path) -> None:
    found = _graph.examine(written(tmp_path, random_piper.graph()), "m")
    assert (found.outputs, found.lengths) == ([b"output"], b"w_ceil")
    found = _graph.examine(written(tmp_path, random_piper.graph(ceils=2)), "m")
    assert found.lengths is None


def test_the_patched_graph_is_the_graph_with_one_more_output(
    random_piper: Any, tmp_path: Path
) -> None:
    model = random_piper.graph(speakers=2)
    path = written(tmp_path, model)
    patched = _graph.with_lengths(path, _graph.examine(path, "m"))
    assert patched is not None
    model.graph.output.append(onnx.ValueInfoProto(name="w_ceil"))
    assert onnx.load_from_string(patched) == model
    session = onnxruntime.InferenceSession(patched, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["output", "w_ceil"]


def spoken(graph: bytes) -> list[Any]:
    """What a graph gives without noise, lengths included where it gives them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    inputs = {
        "input": np.arange(1, 8)[None],
        "input_lengths": np.array([7]),
        "scales": np.array([0.0, 1.0, 0.0], np.float32),
        "sid": np.array([1]),
    }
    return list(session.run(None, inputs))


def test_each_weight_changes_the_sound_or_the_lengths(random_piper: Any, tmp_path: Path) -> None:
    """All numbers are random, so none can stand in for another."""
    model = random_piper.graph(speakers=2, layers=2)
    path = written(tmp_path, model)
    (plain,) = spoken(path.read_bytes())
    patched = _graph.with_lengths(path, _graph.examine(path, "m"))
    assert patched is not None
    sound, lengths = spoken(patched)
    np.testing.assert_array_equal(plain, sound)
    assert lengths.sum() * random_piper.HOP == sound.size
    weights = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    assert len(weights) > 6
    for tensor in weights:
        kept = onnx.numpy_helper.to_array(tensor)
        assert kept.size == 1 or kept.min() < kept.max()
        other = onnx.numpy_helper.from_array((kept * 2 + 5).astype(np.float32), tensor.name)
        tensor.CopyFrom(other)
        path = written(tmp_path, model)
        patched = _graph.with_lengths(path, _graph.examine(path, "m"))
        assert patched is not None
        again = spoken(patched)
        assert not (np.array_equal(sound, again[0]) and np.array_equal(lengths, again[1]))
        if tensor.name in ("length", "one"):
            assert not np.array_equal(lengths, again[1])
        tensor.CopyFrom(onnx.numpy_helper.from_array(kept, tensor.name))


def test_a_graph_that_gives_lengths_is_left_as_it_is(random_piper: Any, tmp_path: Path) -> None:
    model = random_piper.graph()
    model.graph.output.append(onnx.ValueInfoProto(name="w_ceil"))
    path = written(tmp_path, model)
    assert _graph.with_lengths(path, _graph.examine(path, "m")) is None


def test_without_lengths_there_are_no_word_times(
    make: Make, load: Callable[..., Any], tmp_path: Path
) -> None:
    path = make(tmp_path, ceils=2)
    assert Capability.WORD_TIMESTAMPS not in load(path).info.capabilities
    path = make(tmp_path, hop_length=128)
    assert Capability.WORD_TIMESTAMPS not in load(path).info.capabilities
    path = make(tmp_path)
    assert Capability.WORD_TIMESTAMPS in load(path).info.capabilities


def _outside(tensor: onnx.TensorProto, location: str) -> None:
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    tensor.ClearField("raw_data")


def _weights(model: onnx.ModelProto) -> onnx.TensorProto:
    return model.graph.initializer[0]


def _sparse(model: onnx.ModelProto) -> onnx.TensorProto:
    return model.graph.sparse_initializer.add().values


def _constant(model: onnx.ModelProto) -> onnx.TensorProto:
    node = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("v", 1, [1], [1.0]))
    model.graph.node.append(node)
    return model.graph.node[-1].attribute[0].t


def _branch(model: onnx.ModelProto) -> onnx.TensorProto:
    inner = helper.make_graph([], "inner", [], [], [helper.make_tensor("v", 1, [1], [1.0])])
    model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=inner))
    return model.graph.node[-1].attribute[0].g.initializer[0]


def _function(model: onnx.ModelProto) -> onnx.TensorProto:
    node = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("v", 1, [1], [1.0]))
    model.functions.append(
        helper.make_function("own", "f", [], ["c"], [node], [helper.make_opsetid("", 15)])
    )
    return model.functions[0].node[0].attribute[0].t


@pytest.mark.parametrize("where", [_weights, _sparse, _constant, _branch, _function])
@pytest.mark.parametrize("location", ["../../secret", "/etc/passwd", "weights.bin"])
def test_a_graph_cannot_have_other_files_read(
    random_piper: Any,
    tmp_path: Path,
    where: Callable[[onnx.ModelProto], onnx.TensorProto],
    location: str,
) -> None:
    model = random_piper.graph()
    _outside(where(model), location)
    with pytest.raises(ModelLoadFailed, match="keeps weights in other files"):
        _graph.examine(written(tmp_path, model), "m")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_a_graph_that_is_cut_short_is_refused(
    make: Make, load: Callable[..., Any], tmp_path: Path, share: float
) -> None:
    path = make(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelLoadFailed, match=r"en_US-lessac-medium\.onnx"):
        load(path)


def test_graphs_within_graphs_have_an_end(tmp_path: Path) -> None:
    def message(number: int, content: bytes) -> bytes:
        size = len(content)
        return bytes([number << 3 | 2, size & 0x7F | 0x80, size >> 7]) + content

    inner = b""
    for _ in range(40):  # each a graph with a node with an attribute that is a graph
        inner = message(1, message(5, message(6, inner)))
    path = tmp_path / "deep.onnx"
    path.write_bytes(message(7, inner))
    with pytest.raises(ModelLoadFailed, match="nested too deeply"):
        _graph.examine(path, "m")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_a_graph_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.onnx"
    path.write_bytes(content)
    with suppress(ModelLoadFailed):
        assert _graph.examine(path, "m").outputs


@pytest.fixture(scope="module")
def small(random_piper: Any) -> bytes:
    """A small graph as it is on disk."""
    return bytes(random_piper.graph(channels=2).SerializeToString())


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_spoilt_byte_is_no_accident(
    small: bytes, tmp_path: Path, place: float, byte: int
) -> None:
    content = bytearray(small)
    content[int(place * len(content))] = byte
    path = tmp_path / "spoilt.onnx"
    path.write_bytes(content)
    with suppress(ModelLoadFailed):
        assert _graph.examine(path, "m").outputs
