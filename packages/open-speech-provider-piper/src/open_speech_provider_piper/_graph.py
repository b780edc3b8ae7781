"""The graph of a voice, looked into without the engine.

An ``.onnx`` is one message of protocol buffers (``onnx.proto`` of the ONNX specification). It is
walked once, over a map of the file, for two things: whether it would have the engine read other
files, and which tensor holds how long each phoneme lasts.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from shutil import copyfileobj

from open_speech.errors import ModelLoadFailed

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_DEPTH = 16
_OUTSIDE = 1  # TensorProto.DataLocation.EXTERNAL

# Numbers of fields.
_MODEL_GRAPH, _MODEL_FUNCTION = 7, 25
_FUNCTION_NODE = 7
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_OUTPUT, _GRAPH_SPARSE = 1, 5, 12, 15
_NODE_OUTPUT, _NODE_KIND, _NODE_ATTRIBUTE = 2, 4, 5
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_TENSOR_ELSEWHERE, _TENSOR_LOCATION = 13, 14
_SPARSE_TENSORS = (1, 2)
_VALUE_NAME = 1


@dataclass
class Graph:
    """What was found in a graph."""

    outputs: list[bytes] = field(default_factory=list)
    """The tensors that it gives, by name."""
    ceilings: list[bytes] = field(default_factory=list)
    """The tensors that are rounded up; lengths in frames are, and in VITS nothing else."""

    @property
    def lengths(self) -> bytes | None:
        """The tensor with the frames of each phoneme, where it can be told."""
        return self.ceilings[0] if len(self.ceilings) == 1 else None


def examine(path: Path, model: str) -> Graph:
    """Walk a graph; raises ModelLoadFailed if it is cut short, no graph or refers to files."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _walk(data)
    except (_Broken, ValueError, OSError) as error:
        reason = str(error) if isinstance(error, _Broken) else "cannot be read"
        raise ModelLoadFailed(
            f"The model {model} cannot be loaded: {path.name} {reason}.",
            model=model,
            hint="Download the model again, or export the voice to a single .onnx.",
        ) from error


def with_lengths(path: Path, graph: Graph) -> bytes | None:
    """The file with the phonemes' lengths as a second output; None if it gives them, or cannot.

    A message that occurs twice is merged by whoever reads it (protocol buffers, "Last One Wins"),
    so it is enough to append a graph of nothing but the output.
    """
    if graph.lengths is None or len(graph.outputs) != 1:
        return None
    value = _message(_VALUE_NAME, graph.lengths)
    patched = BytesIO()
    with path.open("rb") as file:
        copyfileobj(file, patched, 1 << 20)
    patched.write(_message(_MODEL_GRAPH, _message(_GRAPH_OUTPUT, value)))
    return patched.getvalue()


class _Broken(Exception):
    """Says what is wrong with the file, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    value: int
    """Of a number; where the bytes begin otherwise."""
    end: int
    """Where the field ends."""
    is_bytes: bool


def _walk(data: mmap.mmap) -> Graph:
    found = Graph()
    for part in _fields(data, 0, len(data)):
        if part.number == _MODEL_GRAPH:
            _walk_graph(data, part, found, 0)
        elif part.number == _MODEL_FUNCTION:
            for inner in _inside(data, part):
                if inner.number == _FUNCTION_NODE:
                    _walk_node(data, inner, Graph(), 0)
    if not found.outputs:
        raise _Broken("is no graph")
    return found


def _walk_graph(data: mmap.mmap, graph: _Field, found: Graph, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _Broken("has graphs nested too deeply")
    for part in _inside(data, graph):
        if part.number == _GRAPH_NODE:
            _walk_node(data, part, found, depth)
        elif part.number == _GRAPH_TENSOR:
            _check_tensor(data, part)
        elif part.number == _GRAPH_SPARSE:
            _check_sparse(data, part)
        elif part.number == _GRAPH_OUTPUT:
            names = (each for each in _inside(data, part) if each.number == _VALUE_NAME)
            found.outputs += (data[name.value : name.end] for name in names)


def _walk_node(data: mmap.mmap, node: _Field, found: Graph, depth: int) -> None:
    kind, outputs = b"", list[bytes]()
    for part in _inside(data, node):
        if part.number == _NODE_OUTPUT:
            outputs.append(data[part.value : part.end])
        elif part.number == _NODE_KIND:
            kind = data[part.value : part.end]
        elif part.number == _NODE_ATTRIBUTE:
            _walk_attribute(data, part, depth)
    if kind == b"Ceil":
        found.ceilings += outputs


def _walk_attribute(data: mmap.mmap, attribute: _Field, depth: int) -> None:
    for part in _inside(data, attribute):
        if not part.is_bytes:
            continue
        if part.number in _ATTRIBUTE_TENSORS:
            _check_tensor(data, part)
        elif part.number in _ATTRIBUTE_GRAPHS:
            _walk_graph(data, part, Graph(), depth + 1)
        elif part.number in _ATTRIBUTE_SPARSE:
            _check_sparse(data, part)


def _check_sparse(data: mmap.mmap, sparse: _Field) -> None:
    for part in _inside(data, sparse):
        if part.number in _SPARSE_TENSORS:
            _check_tensor(data, part)


def _check_tensor(data: mmap.mmap, tensor: _Field) -> None:
    """The engine would read numbers from whichever file such a tensor names."""
    for part in _inside(data, tensor):
        elsewhere = part.number == _TENSOR_LOCATION and part.value == _OUTSIDE
        if elsewhere or part.number == _TENSOR_ELSEWHERE:
            raise _Broken("keeps weights in other files, which are not read")


def _inside(data: mmap.mmap, field: _Field) -> Iterator[_Field]:
    if not field.is_bytes:
        raise _Broken("is no graph")
    return _fields(data, field.value, field.end)


def _fields(data: mmap.mmap, position: int, end: int) -> Iterator[_Field]:
    while position < end:
        tag, position = _varint(data, position, end)
        kind = tag & 7
        value, after = position, position
        if kind == _VARINT:
            value, after = _varint(data, position, end)
        elif kind == _BYTES:
            length, value = _varint(data, position, end)
            after = value + length
        elif kind in (_FIXED64, _FIXED32):
            after = position + (8 if kind == _FIXED64 else 4)
        else:
            raise _Broken("is no graph")
        if after > end:
            raise _Broken("is cut short")
        yield _Field(tag >> 3, value, after, kind == _BYTES)
        position = after


def _varint(data: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise _Broken("is cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _Broken("is no graph")


def _message(number: int, content: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(content)) + content


def _encoded(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
