"""Write the graphs of the network down as ONNX files without weights.

    python tools/export_graphs.py [FOLDER]

The network comes from the packages ``kokoro`` and ``transformers`` (both Apache-2.0); the weights
are filled in when a model is loaded, from the official file. Needs torch, kokoro and onnx.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from pathlib import Path

import onnx
import torch

from open_speech_provider_kokoro import _network
from open_speech_provider_kokoro.graphs import ARCHITECTURE, HERE, UNREAD

OPSET = 17


def main(folder: Path = HERE) -> None:
    """Write both graphs, and the shapes of the weights that they lack.

    Writes nothing and exits if a weight of the network is in neither graph, and not in ``UNREAD``.
    """
    torch.manual_seed(0)
    with torch.device("meta"):
        shapes = _network.Parts(ARCHITECTURE).state_dict()
    parts = _network.Parts(ARCHITECTURE).eval()
    _tell_apart(parts)
    symbols, frames = 7, 11
    style = torch.zeros(1, 256)
    pace = _export(
        _network.Pace(parts),
        {
            "symbols": torch.ones(1, symbols, dtype=torch.long),
            "style": style,
            "speed": torch.ones(1),
        },
        ["frames", "prosody", "features"],
        {"symbols": {1: "n"}, "frames": {0: "n"}, "prosody": {2: "n"}, "features": {2: "n"}},
    )
    sound = _export(
        _network.Sound(parts),
        {
            "prosody": torch.randn(1, 640, frames),
            "features": torch.randn(1, 512, frames),
            "style": style,
            "noise": torch.zeros(1, 600 * frames),
        },
        ["samples"],
        {"prosody": {2: "f"}, "features": {2: "f"}, "noise": {1: "s"}, "samples": {0: "s"}},
    )
    graphs = {"pace": pace, "sound": sound}
    weights = {name: _empty(graph) for name, graph in graphs.items()}
    _check(set(shapes), {name for names in weights.values() for name in names})
    for name, graph in graphs.items():
        (folder / f"{name}.onnx").write_bytes(graph.SerializeToString(deterministic=True))
    known = {name: list(shapes[name].shape) for names in weights.values() for name in names}
    text = json.dumps({"graphs": weights, "shapes": known}, indent=1)
    (folder / "weights.json").write_text(text + "\n")


def _tell_apart(parts: torch.nn.Module) -> None:
    """Make every parameter random: the exporter merges those with equal values.

    Fresh modules have many of them, biases of 0, norms and alphas of 1. Once merged, one weight of
    the file would stand in for all the others.
    """
    for parameter in parts.parameters():
        torch.nn.init.uniform_(parameter, 0.01, 0.1)


def _check(named: set[str], read: set[str]) -> None:
    """Exit unless every weight is read or known not to be."""
    missing, unknown = named - read - UNREAD.keys(), read - named
    if missing or unknown:
        sys.exit(f"Not read by a graph: {sorted(missing)}. Not of the network: {sorted(unknown)}.")


def _export(
    module: torch.nn.Module,
    inputs: dict[str, torch.Tensor],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> onnx.ModelProto:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing: of constants, which they are meant to be
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            buffer,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            do_constant_folding=False,  # weights keep their names
            dynamo=False,
        )
    return onnx.load_from_string(buffer.getvalue())


def _empty(model: onnx.ModelProto) -> list[str]:
    """Take the weights out, and what tells of the machine; returns the names of the weights."""
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    del model.graph.value_info[:]
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        del tensor.external_data[:]
        place = tensor.external_data.add()
        place.key, place.value = "location", "weights"
    return [tensor.name for tensor in model.graph.initializer]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
