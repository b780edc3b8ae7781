"""Weights as files: the safetensors format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

Array = NDArray[np.float32]


def read_weights(path: Path) -> dict[str, Array]:
    """Read the tensors of a file as float32, whether they take 32 or 16 bits there."""
    return {name: values.astype(np.float32) for name, values in load_file(path).items()}
