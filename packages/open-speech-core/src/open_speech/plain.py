"""Data types to and from plain JSON values, with arrays beside them as raw bytes.

Both ends may run different versions of this package: unknown fields are skipped, missing ones
take their defaults, unknown members of a set of enums are dropped.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")
Plain = Any
"""None, bool, int, float, str, list or dict: what JSON knows."""
Buffer = bytes | bytearray | memoryview

_TYPE = "$type"
_ARRAY = "$array"


def pack(value: object, buffers: list[memoryview] | None = None) -> Plain:
    """Turn a value into plain data; arrays are appended to ``buffers`` and named by their index.

    Raises TypeError for a value that is none of ours, or for an array without ``buffers``.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.generic):  # before float, which np.float64 is too
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if dataclasses.is_dataclass(value):
        fields: dict[str, Plain] = {_TYPE: type(value).__name__}
        for field in dataclasses.fields(value):
            fields[field.name] = pack(getattr(value, field.name), buffers)
        return fields
    if isinstance(value, np.ndarray):
        return _pack_array(value, buffers)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): pack(item, buffers) for key, item in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(pack(item, buffers) for item in value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [pack(item, buffers) for item in value]
    raise TypeError(f"{type(value).__name__} cannot cross between processes")


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
    result: T = _unpack(expected, data, buffers)
    return result


def _unpack(expected: Any, data: Plain, buffers: Sequence[Buffer]) -> Any:
    origin = get_origin(expected)
    if origin in (Union, types.UnionType):
        return _unpack_union(get_args(expected), data, buffers)
    if expected is Any or expected is object:
        return data
    if origin is np.ndarray:
        return _unpack_array(data, buffers)
    if origin is not None:
        return _unpack_collection(origin, get_args(expected), data, buffers)
    if dataclasses.is_dataclass(expected):
        return _unpack_fields(expected, data, buffers)
    if isinstance(expected, type) and issubclass(expected, (Enum, Path)):
        return expected(data)
    if expected is float and isinstance(data, int):
        return float(data)
    if expected in (None, type(None)) and data is None:
        return None
    if isinstance(expected, type) and isinstance(data, expected):
        return data
    raise TypeError(f"expected {expected}, got {type(data).__name__}")


def _unpack_union(members: tuple[Any, ...], data: Plain, buffers: Sequence[Buffer]) -> Any:
    if isinstance(data, dict) and _TYPE in data:
        for member in members:
            if getattr(member, "__name__", None) == data[_TYPE]:
                return _unpack(member, data, buffers)
        raise TypeError(f"{data[_TYPE]} is not expected here")
    if isinstance(data, dict) and sum(map(dataclasses.is_dataclass, members)) > 1:
        raise TypeError("an object without a type, where several are possible")
    for member in members:
        # An exact match first: True is an int, and 1 is a valid float.
        if isinstance(member, type) and type(data) is member:
            return data
    for member in members:
        try:
            return _unpack(member, data, buffers)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"{type(data).__name__} is none of {members}")


def _unpack_collection(
    origin: Any, arguments: tuple[Any, ...], data: Plain, buffers: Sequence[Buffer]
) -> Any:
    if issubclass(origin, Mapping):
        if not isinstance(data, dict):
            raise TypeError(f"expected an object, got {type(data).__name__}")
        return {key: _unpack(arguments[1], item, buffers) for key, item in data.items()}
    if not isinstance(data, list):
        raise TypeError(f"expected a list, got {type(data).__name__}")
    item_type = arguments[0]
    if issubclass(origin, frozenset):
        return frozenset(_known_members(item_type, data, buffers))
    items = [_unpack(item_type, item, buffers) for item in data]
    return tuple(items) if issubclass(origin, tuple) else items


def _known_members(item_type: Any, data: list[Plain], buffers: Sequence[Buffer]) -> list[Any]:
    members = []
    for item in data:
        try:
            members.append(_unpack(item_type, item, buffers))
        except ValueError:  # a capability that a newer version knows
            continue
    return members


def _unpack_fields(expected: Any, data: Plain, buffers: Sequence[Buffer]) -> Any:
    if not isinstance(data, dict):
        raise TypeError(f"expected {expected.__name__}, got {type(data).__name__}")
    hints = _hints(expected)
    known = {
        field.name: _unpack(hints[field.name], data[field.name], buffers)
        for field in dataclasses.fields(expected)
        if field.name in data
    }
    return expected(**known)


def _unpack_array(data: Plain, buffers: Sequence[Buffer]) -> np.ndarray[Any, Any]:
    if not isinstance(data, dict) or _ARRAY not in data:
        raise TypeError("expected an array")
    array = np.frombuffer(buffers[data[_ARRAY]], dtype=np.dtype(data["dtype"]))
    return array.reshape(data["shape"])


@lru_cache(maxsize=256)
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)
