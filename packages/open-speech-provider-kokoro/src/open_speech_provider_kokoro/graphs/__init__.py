"""The network as two ONNX graphs without weights, and what weights they take.

Written by ``tools/export_graphs.py`` from the code of kokoro 0.9.4 (Apache-2.0). The graphs hold
no number of the model: those come from the official file when it is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

ARCHITECTURE: Mapping[str, Any] = {
    "hidden_dim": 512,
    "istftnet": {
        "gen_istft_hop_size": 5,
        "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        "resblock_kernel_sizes": [3, 7, 11],
        "upsample_initial_channel": 512,
        "upsample_kernel_sizes": [20, 12],
        "upsample_rates": [10, 6],
    },
    "max_dur": 50,
    "n_layer": 3,
    "n_mels": 80,
    "n_token": 178,
    "plbert": {
        "hidden_size": 768,
        "intermediate_size": 2048,
        "max_position_embeddings": 512,
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
    },
    "style_dim": 128,
    "text_encoder_kernel_size": 5,
    "dropout": 0.0,
}
"""The part of ``config.json`` that the graphs were made for (Kokoro v1.0, and v1.1-zh alike)."""

UNREAD: Mapping[str, str] = {
    "bert.pooler.weight": "the summary of a whole text, which speech has no use for",
    "bert.pooler.bias": "the same",
    "bert.embeddings.position_ids": "the numbers 0 to 511, which the graph counts itself",
}
"""The weights that a checkpoint may have and no graph reads, and why."""


def graph(name: str) -> bytes:
    """The graph ``pace`` or ``sound``."""
    return (HERE / f"{name}.onnx").read_bytes()


@cache
def weights_of(name: str) -> tuple[str, ...]:
    """The names of the weights that a graph takes."""
    return tuple(_weights()["graphs"][name])


@cache
def shapes() -> Mapping[str, tuple[int, ...]]:
    """The shape of each weight, by name."""
    return {name: tuple(shape) for name, shape in _weights()["shapes"].items()}


@cache
def _weights() -> Any:
    return json.loads((HERE / "weights.json").read_bytes())
