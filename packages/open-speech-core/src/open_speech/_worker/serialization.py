"""Data types to and from plain JSON values, with arrays beside them as raw bytes.

Both ends may run different versions of this package: unknown fields are skipped, missing ones
take their defaults, and members of a list are dropped whose type or whose enum is not known.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")
Plain = Any
"""None, bool, int, float, str, list or dict: what JSON knows."""
Buffer = bytes | bytearray | memoryview

_Read = Callable[[Plain, Sequence[Buffer]], Any]

_TYPE = "$type"
_ARRAY = "$array"
_AS_IS = frozenset({type(None), bool, int, float, str})


class Payload:
    """A value whose types whoever reads it knows, and not the message that carries it."""

    __slots__ = ("_buffers", "_data", "value")

    def __init__(
        self, value: object = None, *, data: Plain = None, buffers: Sequence[Buffer] = ()
    ) -> None:
        self.value = value
        """What is sent; None where it came over the wire."""
        self._data = data
        self._buffers = buffers

    def read(self, kinds: tuple[type[Any], ...]) -> Any:
        """The value, which is of one of these types.

        Raises UnknownValue if it is of another, TypeError or ValueError if it cannot be read.
        """
        if self._data is None:
            return self.value
        name = self._data.get(_TYPE) if isinstance(self._data, dict) else None
        for kind in kinds:
            if kind.__name__ == name:
                return unpack(kind, self._data, self._buffers)
        raise UnknownValue(f"a value of the type {str(name)[:64]}")


class UnknownValue(ValueError):
    """Something that another release of this package knows, and this one does not."""


def pack(value: object, buffers: list[memoryview] | None = None) -> Plain:
    """Turn a value into plain data; arrays are appended to ``buffers`` and named by their index.

    Raises TypeError for a value that is none of ours, or for an array without ``buffers``.
    """
    kind: Any = type(value)
    if kind in _AS_IS:
        return value
    if kind is Payload:
        return pack(value.value, buffers)  # type: ignore[attr-defined]
    if (names := _field_names(kind)) is not None:
        fields: dict[str, Plain] = {_TYPE: kind.__name__}
        for name in names:
            fields[name] = pack(getattr(value, name), buffers)
        return fields
    if isinstance(value, np.ndarray):
        return _pack_array(value, buffers)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.generic):  # before float, which np.float64 is too
        return value.item()
    if isinstance(value, (int, float, str)):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): pack(item, buffers) for key, item in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(pack(item, buffers) for item in value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [pack(item, buffers) for item in value]
    raise TypeError(f"{kind.__name__} cannot cross between processes")


@lru_cache(maxsize=256)
def _field_names(kind: type) -> tuple[str, ...] | None:
    """Names of a dataclass's fields; None for any other type."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


def _pack_array(array: np.ndarray[Any, Any], buffers: list[memoryview] | None) -> Plain:
    if buffers is None:
        raise TypeError("an array needs a place beside the plain data")
    array = np.ascontiguousarray(array)
    buffers.append(array.data.cast("B") if array.size else memoryview(b""))
    return {_ARRAY: len(buffers) - 1, "dtype": array.dtype.str, "shape": list(array.shape)}


def unpack(expected: type[T] | Any, data: Plain, buffers: Sequence[Buffer] = ()) -> T:
    """Build a value of the expected type from plain data.

    Raises TypeError or ValueError where the data cannot be of that type.
    """
    kind: Any = expected
    result: T = _reader(kind)(data, buffers)
    return result


@lru_cache(maxsize=256)
def _reader(expected: Any) -> _Read:
    """How to read values of a type: found out once, since a worker's results come in thousands."""
    origin, arguments = get_origin(expected), get_args(expected)
    if (alias := getattr(origin, "__value__", None)) is not None:  # numpy 2.5 on Python 3.12
        origin = get_origin(alias)
    if origin in (Union, types.UnionType):
        return _union_reader(arguments)
    if expected is Any or expected is object:
        return lambda data, _: data
    if expected is Payload:
        return lambda data, buffers: Payload(data=data, buffers=buffers)
    if origin is np.ndarray:
        return _read_array
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_reader(arguments[1])
    if origin is not None:
        return _list_reader(origin, arguments[0])
    if dataclasses.is_dataclass(expected):
        return _fields_reader(expected)
    if isinstance(expected, type) and issubclass(expected, Enum):
        return _enum_reader(expected)
    if expected is Path:
        return lambda data, _: Path(data)
    return _scalar_reader(type(None) if expected is None else expected)


def _enum_reader(expected: type[Enum]) -> _Read:
    def read(data: Plain, _: Sequence[Buffer]) -> Any:
        try:
            return expected(data)
        except ValueError as error:
            raise UnknownValue(f"the {expected.__name__} {str(data)[:64]!r}") from error

    return read


def _scalar_reader(expected: Any) -> _Read:
    def read(data: Plain, _: Sequence[Buffer]) -> Any:
        if expected is float and isinstance(data, int):
            return float(data)
        if isinstance(expected, type) and isinstance(data, expected):
            return data
        raise TypeError(f"expected {expected}, got {type(data).__name__}")

    return read


def _union_reader(members: tuple[Any, ...]) -> _Read:
    found: list[Any] = [member for member in members if dataclasses.is_dataclass(member)]
    objects = {member.__name__: member for member in found}

    def read(data: Plain, buffers: Sequence[Buffer]) -> Any:
        # An exact match first: True is an int, and 1 is a valid float.
        if type(data) in members:
            return data
        if isinstance(data, dict) and _TYPE in data:
            if (member := objects.get(data[_TYPE])) is None:
                raise UnknownValue(f"a value of the type {str(data[_TYPE])[:64]}")
            return _reader(member)(data, buffers)
        if isinstance(data, dict) and len(objects) > 1:
            raise TypeError("an object without a type, where several are possible")
        for member in members:
            try:
                return _reader(member)(data, buffers)
            except UnknownValue:
                raise
            except (TypeError, ValueError):
                continue
        raise TypeError(f"{type(data).__name__} is none of {members}")

    return read


def _mapping_reader(item_type: Any) -> _Read:
    def read(data: Plain, buffers: Sequence[Buffer]) -> Any:
        if not isinstance(data, dict):
            raise TypeError(f"expected an object, got {type(data).__name__}")
        read_item = _reader(item_type)
        return {key: read_item(item, buffers) for key, item in data.items()}

    return read


def _list_reader(origin: Any, item_type: Any) -> _Read:
    def read(data: Plain, buffers: Sequence[Buffer]) -> Any:
        if not isinstance(data, list):
            raise TypeError(f"expected a list, got {type(data).__name__}")
        if not data:
            return make(())
        return make(_known_members(_reader(item_type), data, buffers))

    make = next((kind for kind in (frozenset, tuple) if issubclass(origin, kind)), list)
    return read


def _known_members(read: _Read, data: list[Plain], buffers: Sequence[Buffer]) -> list[Any]:
    """Those that are known here: a later release may have capabilities and kinds beyond."""
    members = []
    for item in data:
        with suppress(UnknownValue):
            members.append(read(item, buffers))
    return members


def _fields_reader(expected: Any) -> _Read:
    def read(data: Plain, buffers: Sequence[Buffer]) -> Any:
        if not isinstance(data, dict):
            raise TypeError(f"expected {expected.__name__}, got {type(data).__name__}")
        known = {
            name: read_field(data[name], buffers)
            for name, read_field in _field_readers(expected)
            if name in data
        }
        return expected(**known)

    return read


@lru_cache(maxsize=256)
def _field_readers(cls: Any) -> tuple[tuple[str, _Read], ...]:
    # Not before the first value comes: a class may mention itself.
    hints = get_type_hints(cls)
    return tuple((field.name, _reader(hints[field.name])) for field in dataclasses.fields(cls))


def _read_array(data: Plain, buffers: Sequence[Buffer]) -> np.ndarray[Any, Any]:
    if not isinstance(data, dict) or _ARRAY not in data:
        raise TypeError("expected an array")
    array = np.frombuffer(buffers[data[_ARRAY]], dtype=np.dtype(data["dtype"]))
    return array.reshape(data["shape"])
