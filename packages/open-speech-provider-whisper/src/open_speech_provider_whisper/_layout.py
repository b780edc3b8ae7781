"""Folders of CTranslate2's format, looked into without the engine.

The weights are one binary file: a header, then each variable with its name, shape, type and size,
then aliases. The engine makes room by the shape and reads by the size, so a file whose sizes lie
could have it write beyond that room; here they are compared before it sees the file.
"""

from __future__ import annotations

import json
import math
import os
import struct
from pathlib import Path
from typing import IO

from open_speech.errors import ModelLoadFailed

SPEC = "WhisperSpec"
MULTILINGUAL_TOKENS = 51_865
"""From so many tokens on the engine takes a model for a multilingual one."""

_VERSION = 6
_MAX_VERSION = 100  # what claims more is another kind of file
_ITEM_BYTES = (4, 1, 2, 4, 2, 2)  # float32, int8, int16, int32, float16, bfloat16
_MAX_VARIABLES = 100_000
_MAX_RANK = 8


def is_whisper(folder: Path) -> bool:
    """Whether the folder holds a Whisper model in this format."""
    try:
        with (folder / "model.bin").open("rb") as file:
            _number(file, "<I")
            return _text(file) == SPEC
    except (OSError, _Broken):
        return False


def vocabulary_size(folder: Path) -> int:
    """How many tokens the model knows; 0 where that cannot be read."""
    try:
        listed = folder / "vocabulary.json"
        if listed.is_file():
            return len(json.loads(listed.read_bytes()))
        with (folder / "vocabulary.txt").open("rb") as file:
            return sum(1 for _ in file)
    except (OSError, ValueError, TypeError, RecursionError):
        return 0


def check(folder: Path, model: str) -> None:
    """Raise ModelLoadFailed unless everything is there and the weights are what they say."""
    missing = [
        name for name in ("config.json", "model.bin", "tokenizer.json") if not _there(folder, name)
    ]
    if not any(_there(folder, f"vocabulary.{kind}") for kind in ("json", "txt")):
        missing.append("vocabulary.json")
    if missing:
        raise _failed(model, f"has no {' and no '.join(missing)}")
    weights = folder / "model.bin"
    try:
        with weights.open("rb") as file:
            _check_weights(file, weights.stat().st_size)
    except _Broken as broken:
        raise _failed(model, f"has a model.bin that {broken}") from broken


class _Broken(Exception):
    """Says what is wrong with the weights, as the end of a sentence."""


def _check_weights(file: IO[bytes], size: int) -> None:
    version = _number(file, "<I")
    if version > _MAX_VERSION:
        raise _Broken("is of another format")
    if version > _VERSION:
        return  # of a later engine; ours refuses it, a later one knows its own
    if version < _VERSION:
        raise _Broken(f"is of version {version} of the format, which is too old")
    if (spec := _text(file)) != SPEC:
        raise _Broken(f"is a {spec[:40]!r}, not a {SPEC!r}")
    _number(file, "<I")  # the revision of the specification
    variables = _number(file, "<I")
    if variables > _MAX_VARIABLES:
        raise _Broken(f"claims to hold {variables} variables")
    for _ in range(variables):
        _skip_variable(file, size)


def _skip_variable(file: IO[bytes], size: int) -> None:
    name = _text(file)
    rank = _number(file, "<B")
    if rank > _MAX_RANK:
        raise _Broken(f"holds {name[:80]!r} with {rank} dimensions")
    items = math.prod(_number(file, "<I") for _ in range(rank))
    kind = _number(file, "<B")
    length = _number(file, "<I")
    if kind >= len(_ITEM_BYTES) or length != items * _ITEM_BYTES[kind]:
        raise _Broken(f"holds {name[:80]!r} with a size that does not fit its shape")
    if file.seek(length, os.SEEK_CUR) > size:
        raise _Broken("is cut short")


def _number(file: IO[bytes], form: str) -> int:
    data = file.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        raise _Broken("is cut short")
    return int(struct.unpack(form, data)[0])


def _text(file: IO[bytes]) -> str:
    length = _number(file, "<H")
    data = file.read(length)
    if len(data) < length:
        raise _Broken("is cut short")
    return data.rstrip(b"\0").decode(errors="replace")


def _there(folder: Path, name: str) -> bool:
    return (folder / name).is_file()


def _failed(model: str, reason: str) -> ModelLoadFailed:
    return ModelLoadFailed(
        f"The folder of the model {model} {reason}.",
        model=model,
        hint="It takes a Whisper model that was converted with ct2-transformers-converter and "
        "'--copy_files tokenizer.json preprocessor_config.json'.",
    )
