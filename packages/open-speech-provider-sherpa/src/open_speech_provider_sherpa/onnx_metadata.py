"""The metadata of an ONNX file, read without onnxruntime and without its weights.

An ONNX file is one message of Protocol Buffers. Its fields are read one by one, and the graph,
which is nearly all of the file, is skipped by its length.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

_METADATA = 14  # ModelProto.metadata_props: entries with a key (1) and a value (2)
_GRAPH = 7
_MAX_ENTRY = 16 * 1024 * 1024  # NeMo writes whole dictionaries of prompts into one value


class NotOnnx(Exception):
    """Says what is wrong with a file, as the end of a sentence."""


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata as a mapping; raises NotOnnx if the file is not ONNX, or is truncated."""
    try:
        with path.open("rb") as file:
            return _model(file, path.stat().st_size)
    except OSError as error:
        raise NotOnnx(f"cannot be read ({error.strerror})") from error


def metadata_or_nothing(path: Path) -> dict[str, str]:
    """The same; empty if the file is not ONNX."""
    try:
        return read_metadata(path)
    except NotOnnx:
        return {}


def _model(file: IO[bytes], size: int) -> dict[str, str]:
    found: dict[str, str] = {}
    has_graph = False
    while file.tell() < size:
        field, wire = divmod(_varint(file), 8)
        if wire == 0:
            _varint(file)
            continue
        if wire != 2 or not 0 < field < 64:
            raise NotOnnx("is no ONNX file")
        length = _varint(file)
        if file.tell() + length > size:
            raise NotOnnx("is cut short, or no ONNX file")
        if field == _METADATA and length <= _MAX_ENTRY:
            key, value = _entry(file.read(length))
            found[key] = value
        else:
            has_graph = has_graph or field == _GRAPH
            file.seek(length, os.SEEK_CUR)
    if not has_graph:
        raise NotOnnx("is no ONNX file")
    return found


def _entry(data: bytes) -> tuple[str, str]:
    texts, place = {1: "", 2: ""}, 0
    while place < len(data):
        tag, place = _varint_at(data, place)
        length, place = _varint_at(data, place)
        if tag % 8 != 2 or place + length > len(data):
            raise NotOnnx("has metadata that cannot be read")
        texts[tag // 8] = data[place : place + length].decode(errors="replace")
        place += length
    return texts[1], texts[2]


def _varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise NotOnnx("is cut short, or no ONNX file")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise NotOnnx("is no ONNX file")


def _varint_at(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte, place = data[place], place + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise NotOnnx("has metadata that cannot be read")
