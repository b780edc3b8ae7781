"""Make the weights of this provider from Silero's own package.

    pip install onnx numpy
    pip download --no-deps silero-vad==6.2.3 && unzip silero_vad-6.2.3*.whl -d silero
    python tools/extract_weights.py silero/silero_vad/data/silero_vad.onnx \
        src/open_speech_provider_silero/data/silero_vad_16k.safetensors

The ONNX file holds one network per sample rate in the two branches of an ``If``. That for 16 kHz is
written out in the safetensors format: numbers as they are, names as in silero-vad.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

NAMES = {
    "stft.forward_basis_buffer": "stft_conv.weight",
    **{
        f"encoder.{index}.reparam_conv.{part}": f"conv{index + 1}.{part}"
        for index in range(4)
        for part in ("weight", "bias")
    },
    **{
        f"decoder.rnn.{part}": f"lstm_cell.{part}"
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    },
    "decoder.decoder.2.weight": "final_conv.weight",
    "decoder.decoder.2.bias": "final_conv.bias",
}


def main(source: Path, target: Path) -> None:
    """Read the ONNX file, write the safetensors file."""
    tensors = {}
    for name, value in _constants(onnx.load(str(source)).graph):
        if "then_branch" in name and (known := NAMES.get(name.rpartition("__")[2])):
            tensors[known] = np.ascontiguousarray(value, "<f4")
    missing = set(NAMES.values()) - set(tensors)
    if missing:
        raise SystemExit(f"{source} lacks {sorted(missing)}")
    header, offset = {}, 0
    for name, value in sorted(tensors.items()):
        end = offset + value.nbytes
        header[name] = {
            "dtype": "F32",
            "shape": list(value.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    body = b"".join(value.tobytes() for _, value in sorted(tensors.items()))
    target.write_bytes(len(head).to_bytes(8, "little") + head + body)


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, np.ndarray]]:
    for each in graph.initializer:
        yield each.name, numpy_helper.to_array(each)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _constants(attribute.g)
            elif attribute.type == onnx.AttributeProto.TENSOR:
                yield node.output[0], numpy_helper.to_array(attribute.t)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
