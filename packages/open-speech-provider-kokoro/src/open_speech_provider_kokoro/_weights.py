"""The weights of a folder, by the names that the graphs have for them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from open_speech.errors import ModelLoadFailed

from . import graphs
from ._archive import Malformed
from ._tensors import Tensor, read_tensors
from .catalogue import CONFIG, WEIGHTS

_log = logging.getLogger(__name__)
_PARALLEL = "module."
"""What a network trained on several devices puts before each name."""
_MAX_CONFIG = 1 << 20
_NEUTRAL = {".norm.weight": 1.0, ".norm.bias": 0.0}
"""What normalisation does where the file does not say: nothing. The official one was trained
without these, and they are in the code of kokoro for the sake of ONNX alone (``AdaIN1d``)."""


class Weights:
    """Checked numbers; nothing is copied before it is asked for."""

    def __init__(self, path: Path, model: str) -> None:
        """Read the file's description; raises ModelLoadFailed for one that does not fit."""
        self._path, self._model = path, model
        try:
            self._known = _neutral() | _by_name(read_tensors(path))
        except Malformed as error:
            self._refuse(str(error))
        except OSError as error:
            self._refuse(f"cannot be read: {error.strerror}")
        for name, shape in graphs.shapes().items():
            found = self._shape(name)
            if found != shape:
                lacks = f"lacks {name!r}" if found is None else f"has {name!r} in shape {found}"
                self._refuse(lacks)
        self._tell_unread()

    def __getitem__(self, name: str) -> Tensor:
        """A weight, contiguous; those that are kept as a direction and a length are put together.

        That is ``v * g / |v|`` with the norm over all but the first axis
        (``torch.nn.utils.weight_norm``).
        """
        if name in self._known:
            return np.ascontiguousarray(self._known[name], np.float32)
        length, direction = (self._known[name + part] for part in ("_g", "_v"))
        axes = tuple(range(1, direction.ndim))
        norm = np.sqrt(np.sum(np.square(direction, dtype=np.float64), axis=axes, keepdims=True))
        scale = (length / norm).astype(np.float32)
        return np.ascontiguousarray(direction * scale, np.float32)

    def _tell_unread(self) -> None:
        """Log what is in the file for nothing: another network's, or forgotten by the graphs."""
        unread = {
            name
            for name in self._known.keys() - graphs.UNREAD.keys()
            if name.removesuffix("_g").removesuffix("_v") not in graphs.shapes()
        }
        if unread:
            _log.warning(
                "%s: nothing reads %d weights of %s, such as %s.",
                self._model,
                len(unread),
                self._path.name,
                min(unread)[:120],
            )

    def _shape(self, name: str) -> tuple[int, ...] | None:
        if name in self._known:
            return self._known[name].shape
        length, direction = (self._known.get(name + part) for part in ("_g", "_v"))
        if length is None or direction is None or length.shape[:1] != direction.shape[:1]:
            return None
        return direction.shape if length.size == length.shape[0] else None

    def _refuse(self, reason: str) -> NoReturn:
        raise ModelLoadFailed(
            f"The weights of the model {self._model} cannot be used: {self._path.name} {reason}.",
            model=self._model,
            hint="Delete the model and download it again, or give the folder of an official one.",
        )


def _neutral() -> dict[str, Tensor]:
    return {
        name: np.full(shape, value, np.float32)
        for name, shape in graphs.shapes().items()
        for ending, value in _NEUTRAL.items()
        if name.endswith(ending)
    }


def _by_name(tree: object) -> dict[str, Tensor]:
    """Flatten ``{part: {name: tensor}}``; raises Malformed."""
    if not isinstance(tree, dict):
        raise Malformed("is not a checkpoint of this model")
    known: dict[str, Tensor] = {}
    for part, tensors in tree.items():
        if not isinstance(tensors, dict):
            raise Malformed("is not a checkpoint of this model")
        for name, tensor in tensors.items():
            if isinstance(tensor, np.ndarray):
                known[f"{part}.{name.removeprefix(_PARALLEL)}"] = tensor
    return known


def is_kokoro(folder: Path) -> bool:
    """Whether a folder has the files of this model."""
    try:
        return (folder / WEIGHTS).is_file() and "istftnet" in _config(folder)
    except (OSError, ValueError):
        return False


def read_vocabulary(folder: Path, model: str) -> Mapping[str, int]:
    """The numbers of the symbols, once the network is one that the graphs are of.

    Raises ModelLoadFailed.
    """
    try:
        config = _config(folder)
        for name, value in graphs.ARCHITECTURE.items():
            if name == "dropout":  # no part of what is run
                continue
            found = config.get(name)
            if isinstance(value, dict) and isinstance(found, dict):
                found = {key: found.get(key) for key in value}
            if found != value:
                raise ValueError(f"another {name!r} than Kokoro 82M")
        return _vocabulary(config)
    except (OSError, ValueError) as error:
        raise ModelLoadFailed(
            f"The file {CONFIG} of the model {model} cannot be used: {error}.",
            model=model,
            hint="It takes Kokoro v1.0, as in hexgrad/Kokoro-82M.",
        ) from error


def _vocabulary(config: Mapping[str, Any]) -> Mapping[str, int]:
    vocabulary = config.get("vocab")
    if not isinstance(vocabulary, dict):
        raise ValueError("it has no 'vocab'")  # noqa: TRY004 - a file is of the wrong form
    for symbol, number in vocabulary.items():
        if type(number) is not int or not 0 <= number < config["n_token"] or len(symbol) != 1:
            raise ValueError("its 'vocab' does not fit")
    return vocabulary


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG
    if path.stat().st_size > _MAX_CONFIG:
        raise ValueError("it is too large")
    config = json.loads(path.read_bytes())
    if not isinstance(config, dict):
        raise ValueError("it is no dictionary")  # noqa: TRY004 - a file is of the wrong form
    return config
