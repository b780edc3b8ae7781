"""Every weight of a checkpoint is read, and each where it belongs."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from open_speech_provider_kokoro import graphs
from open_speech_provider_kokoro._torch import TorchEngine
from open_speech_provider_kokoro._weights import Weights

SYMBOLS = np.array([[0, 7, 11, 0]])
FRAMES = 3
_RANDOM = np.random.default_rng(5)
INPUTS = {
    "pace": {
        "symbols": SYMBOLS,
        "style": _RANDOM.normal(0, 0.2, (1, 256)).astype(np.float32),
        "speed": np.full(1, 1e-4, np.float32),  # so slow that no change is lost in rounding
    },
    "sound": {
        "prosody": _RANDOM.standard_normal((1, 640, FRAMES), np.float32),
        "features": _RANDOM.standard_normal((1, 512, FRAMES), np.float32),
        "style": _RANDOM.normal(0, 0.2, (1, 256)).astype(np.float32),
        "noise": _RANDOM.standard_normal((1, 600 * FRAMES), np.float32),
    },
}
"""A text of two symbols, and sound of some hundredths of a second."""

Outputs = list[NDArray[Any]]
Speak = Callable[[str, dict[str, NDArray[np.float32]]], Outputs]
"""Runs half a network with some weights changed."""


class Changed(Weights):
    """Weights of which one tensor of the file may have other numbers."""

    def names(self) -> list[str]:
        """The names in the file."""
        return sorted(name for name in self._known if ".norm." not in name)

    def tensor(self, name: str) -> NDArray[np.float32]:
        """The numbers under a name in the file."""
        return self._known[name]

    def change(self, name: str) -> tuple[str, NDArray[np.float32]]:
        """A weight as the network takes it, after the tensor of this name is another."""
        kept = self._known[name]
        random = np.random.default_rng(3)
        self._known[name] = random.normal(0, 0.5, kept.shape).astype(np.float32)
        weight = name.removesuffix("_g").removesuffix("_v")
        try:
            return weight, self[weight]
        finally:
            self._known[name] = kept


@pytest.fixture(scope="module")
def weights(folder: Path) -> Changed:
    return Changed(folder / "kokoro-v1_0.pth", "kokoro")


def test_no_two_tensors_of_the_test_model_have_equal_numbers(weights: Changed) -> None:
    first: dict[float, str] = {}
    for name in weights.names():
        tensor = weights.tensor(name)
        assert tensor.size == 1 or tensor.min() < tensor.max(), name
        same = first.setdefault(float(tensor.flat[0]), name)
        assert same == name


def test_every_weight_of_the_network_is_in_a_graph(weights: Changed) -> None:
    read = {name for graph in ("pace", "sound") for name in graphs.weights_of(graph)}
    assert set(graphs.shapes()) == read
    assert {
        name
        for name in weights.names()
        if name.removesuffix("_g").removesuffix("_v") not in read | graphs.UNREAD.keys()
    } == set()


def test_a_weight_that_nothing_reads_is_told(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Weights(folder / "kokoro-v1_0.pth", "kokoro")
    assert not caplog.records
    tree = torch.load(folder / "kokoro-v1_0.pth", weights_only=True)
    tree["decoder"]["module.generator.alpha"] = torch.ones(3)
    torch.save(tree, tmp_path / "more.pth")
    Weights(tmp_path / "more.pth", "kokoro")
    (record,) = caplog.records
    assert "nothing reads 1 weights" in record.message
    assert "decoder.generator.alpha" in record.message


def unread(weights: Changed, speak: Speak, graph: str) -> set[str]:
    """The tensors of half a network that can be changed without a bit of its output changing."""
    plain, silent = speak(graph, {}), set()
    for name in weights.names():
        weight, values = weights.change(name)
        if weight not in graphs.weights_of(graph):
            continue
        other = speak(graph, {weight: values})
        if all(map(np.array_equal, plain, other)):
            silent.add(name)
    return silent


@pytest.fixture(scope="module")
def by_onnx(weights: Changed) -> Speak:
    """The graphs with weights that are inputs as well, so that one session serves for all."""
    session = cache(lambda graph: overridable(graph, weights))

    def speak(graph: str, other: dict[str, NDArray[np.float32]]) -> Outputs:
        return list(session(graph).run(None, INPUTS[graph] | other))

    return speak


def overridable(graph: str, weights: Weights) -> onnxruntime.InferenceSession:
    model = onnx.load_from_string(graphs.graph(graph))
    for tensor in model.graph.initializer:
        model.graph.input.append(
            onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
        values = onnx.numpy_helper.from_array(weights[tensor.name], tensor.name)
        tensor.CopyFrom(values)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # each run adds up in the same order
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def test_each_tensor_of_the_text_model_changes_what_it_says(
    weights: Changed, by_onnx: Speak
) -> None:
    assert unread(weights, by_onnx, "pace") == set()


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_each_tensor_of_the_decoder_changes_the_sound(weights: Changed, by_onnx: Speak) -> None:
    assert unread(weights, by_onnx, "sound") == set()


@pytest.mark.parametrize("name", ["pace", "sound"])
def test_from_each_weight_a_path_leads_to_the_outputs(name: str) -> None:
    graph = onnx.load_from_string(graphs.graph(name)).graph
    wanted = {output.name for output in graph.output}
    for node in reversed(graph.node):  # which stand in the order in which they are run
        if wanted.intersection(node.output):
            wanted.update(node.input)
    assert {tensor.name for tensor in graph.initializer} - wanted == set()


@pytest.fixture(scope="module")
def torch_engine(weights: Changed) -> Iterator[TorchEngine]:
    engine = TorchEngine(weights, "cpu", 1)
    yield engine
    engine.close()


def modules(engine: TorchEngine) -> dict[str, torch.nn.Module]:
    assert engine._pace is not None
    assert engine._sound is not None
    return {"pace": engine._pace, "sound": engine._sound}


def parameters(engine: TorchEngine) -> dict[str, torch.Tensor]:
    halves = modules(engine).values()
    found = dict(itertools.chain.from_iterable(half.named_parameters() for half in halves))
    # The random source stands in for the original's, with its one layer.
    merge = {name: found.pop(name) for name in list(found) if name.startswith("source.")}
    prefix = "decoder.generator.m_source."
    return found | {prefix + name.removeprefix("source."): value for name, value in merge.items()}


def test_torch_has_each_weight_of_the_file(weights: Changed, torch_engine: TorchEngine) -> None:
    found = parameters(torch_engine)
    assert set(found) - graphs.UNREAD.keys() == set(graphs.shapes())
    for name in graphs.shapes():
        np.testing.assert_array_equal(found[name].numpy(), weights[name], err_msg=name)


def test_each_weight_changes_what_torch_says(torch_engine: TorchEngine) -> None:
    """A slope that is not 0: a sum of all outputs goes up or down with each parameter.

    The original has no slopes for its source of tones, so those are changed.
    """
    halves, found = modules(torch_engine), parameters(torch_engine)
    durations: list[torch.Tensor] = []  # before they are rounded, after which there is no slope
    halves["pace"].predictor.duration_proj.register_forward_hook(
        lambda _module, _inputs, output: durations.append(output)
    )
    for parameter in found.values():
        parameter.requires_grad_()
    said = [
        *halves["pace"](*map(torch.from_numpy, INPUTS["pace"].values()))[1:],
        halves["sound"](*map(torch.from_numpy, INPUTS["sound"].values())),
        *durations,
    ]
    random = torch.Generator().manual_seed(2)
    sum((output * torch.randn(output.shape, generator=random)).sum() for output in said).backward()
    flat = {
        name
        for name, parameter in found.items()
        if parameter.grad is None or not parameter.grad.any()
    }
    source = {name for name in found if ".m_source." in name}
    assert flat == source | (graphs.UNREAD.keys() & found.keys())
    with torch.inference_mode():
        for name in source:
            kept = found[name].clone()
            found[name].add_(0.5)
            changed = halves["sound"](*map(torch.from_numpy, INPUTS["sound"].values()))
            found[name].copy_(kept)
            assert not torch.equal(changed, said[2]), name


def test_the_export_refuses_to_lose_a_weight(capsys: pytest.CaptureFixture[str]) -> None:
    script = exporter()
    named = set(graphs.shapes()) | graphs.UNREAD.keys()
    script._check(named, set(graphs.shapes()))
    lost = "decoder.generator.resblocks.3.alpha1.0"
    with pytest.raises(SystemExit, match=lost):
        script._check(named, set(graphs.shapes()) - {lost})


def exporter() -> ModuleType:
    path = Path(__file__).parents[1] / "tools" / "export_graphs.py"
    spec = importlib.util.spec_from_file_location("export_graphs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
