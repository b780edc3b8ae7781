"""Voices with random weights in Piper's real format: inputs, outputs, the one Ceil node.

``length`` frames of each symbol are known beforehand and 256 samples long, as in published voices;
noise comes from RandomNormalLike, scaled as there. ``channels=512, layers=19`` costs what a voice
of medium quality costs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

SYMBOLS = 256
HOP = 256

_LENGTHS = [
    ("Slice", ["scales", "i0", "i1", "i0"], ["noise_scale"], {}),
    ("Slice", ["scales", "i1", "i2", "i0"], ["length_scale"], {}),
    ("Slice", ["scales", "i2", "i3", "i0"], ["noise_w"], {}),
    ("Gather", ["length", "input"], ["w0"], {}),
    ("RandomNormalLike", ["w0"], ["w_noise"], {}),
    ("Mul", ["w_noise", "noise_w"], ["w1"], {}),
    ("Add", ["w0", "w1"], ["w2"], {}),
    ("Max", ["w2", "one"], ["w3"], {}),
    ("Mul", ["w3", "length_scale"], ["w4"], {}),
    ("Transpose", ["w4"], ["w5"], {"perm": [0, 2, 1]}),
    ("Ceil", ["w5"], ["w_ceil"], {}),
    ("Cast", ["w_ceil"], ["w6"], {"to": TensorProto.INT64}),
    ("Squeeze", ["w6", "i1"], ["w7"], {}),
    ("CumSum", ["w7", "s1"], ["ends"], {}),
    ("ReduceSum", ["w7"], ["frames"], {"keepdims": 0}),
    ("Range", ["s0", "frames", "s1"], ["times"], {}),
    ("Unsqueeze", ["times", "i1"], ["times1"], {}),
    ("Unsqueeze", ["ends", "i1"], ["ends1"], {}),
    ("LessOrEqual", ["ends1", "times1"], ["over"], {}),
    ("Cast", ["over"], ["over1"], {"to": TensorProto.INT64}),
    ("ReduceSum", ["over1", "m1"], ["index"], {"keepdims": 0}),
    ("Squeeze", ["index", "i0"], ["symbol"], {}),
]
_SOUND = [
    ("RandomNormalLike", ["z0"], ["z_noise"], {}),
    ("Mul", ["z_noise", "noise_scale"], ["z1"], {}),
    ("Add", ["z0", "z1"], ["z2"], {}),
    ("ConvTranspose", ["z2", "up1"], ["u1"], {"strides": [16], "pads": [8, 8]}),
    ("LeakyRelu", ["u1"], ["u2"], {}),
    ("ConvTranspose", ["u2", "up2"], ["u3"], {"strides": [16], "pads": [8, 8]}),
    ("Tanh", ["u3"], ["output"], {}),
]


def make(
    folder: Path,
    name: str = "en_US-lessac-medium",
    *,
    speakers: Sequence[str] = (),
    rate: int = 22_050,
    espeak: str = "en-us",
    channels: int = 16,
    layers: int = 0,
    ceils: int = 1,
    seed: int = 0,
    **changes: Any,
) -> Path:
    """Write a voice and return its ``.onnx``; ``changes`` are of its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(graph(len(speakers), channels, layers, ceils=ceils, seed=seed), path)
    code = name.split("-")[0]
    config = {
        "audio": {"sample_rate": rate, "quality": name.rsplit("-", 1)[-1]},
        "espeak": {"voice": espeak},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": {key: list(ids) for key, ids in DEFAULT_PHONEME_ID_MAP.items()},
        "num_symbols": SYMBOLS,
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": {speaker: number for number, speaker in enumerate(speakers)},
        "piper_version": "1.0.0",
        "language": {"code": code, "family": code.split("_")[0]},
        "dataset": name.split("-")[1],
        **changes,
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(config))
    return path


def graph(
    speakers: int = 0, channels: int = 16, layers: int = 0, *, ceils: int = 1, seed: int = 0
) -> onnx.ModelProto:
    """The graph alone, with a second rounding of nothing where ``ceils`` is 2."""
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(2.0, 9.0, (SYMBOLS, 1))
    lengths[:3] = 1.0  # padding, beginning and end

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        values = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        return numpy_helper.from_array(values.astype(np.float32), name)

    def whole(name: str, value: Any) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(value, np.int64), name)

    half = max(channels // 2, 4)
    weights = [
        weight("embedding", SYMBOLS, channels),
        weight("encoder", channels, channels, 3),
        weight("up1", channels, half, 32),
        weight("up2", half, 1, 32),
        numpy_helper.from_array(lengths.astype(np.float32), "length"),
        numpy_helper.from_array(np.array(1, np.float32), "one"),
        *(whole(f"i{number}", [number]) for number in range(4)),
        *(whole(f"s{number}", number) for number in range(2)),
        whole("m1", [-1]),
    ]
    nodes = [("Gather", ["embedding", "input"], ["x0"], {}), *_LENGTHS]
    top = "x0"
    if speakers:
        weights.append(weight("speakers", speakers, channels))
        nodes += [
            ("Gather", ["speakers", "sid"], ["g0"], {}),
            ("Unsqueeze", ["g0", "i1"], ["g1"], {}),
            ("Add", ["x0", "g1"], ["x_speaker"], {}),
        ]
        top = "x_speaker"
    nodes += [
        ("Transpose", [top], ["x1"], {"perm": [0, 2, 1]}),
        ("Conv", ["x1", "encoder"], ["x2"], {"pads": [1, 1]}),
        ("Tanh", ["x2"], ["y0"], {}),
    ]
    for number in range(layers):
        weights.append(weight(f"layer{number}", channels, channels, 3))
        nodes += [
            ("Conv", [f"y{number}", f"layer{number}"], [f"a{number}"], {"pads": [1, 1]}),
            ("Tanh", [f"a{number}"], [f"t{number}"], {}),
            ("Add", [f"y{number}", f"t{number}"], [f"y{number + 1}"], {}),
        ]
    nodes += [("Gather", [f"y{layers}", "symbol"], ["z0"], {"axis": 2}), *_SOUND]
    nodes += [("Ceil", ["w0"], [f"spare{number}"], {}) for number in range(1, ceils)]
    made = helper.make_graph(
        [helper.make_node(kind, into, out, **more) for kind, into, out, more in nodes],
        "vits",
        _inputs(speakers),
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 1, "time"])],
        weights,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _inputs(speakers: int) -> list[onnx.ValueInfoProto]:
    inputs = [
        ("input", TensorProto.INT64, ["batch", "phonemes"]),
        ("input_lengths", TensorProto.INT64, ["batch"]),
        ("scales", TensorProto.FLOAT, [3]),
    ]
    if speakers:
        inputs.append(("sid", TensorProto.INT64, ["batch"]))
    return [helper.make_tensor_value_info(*each) for each in inputs]
