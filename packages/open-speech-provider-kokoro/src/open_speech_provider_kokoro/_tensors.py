"""Tensors of a torch file, read as data: nothing in it is ever called or imported.

Beside the numbers, a torch file holds a program for a small stack machine that builds the
dictionary of tensors. Here the program's steps are looked at one by one; the few that describe
tensors are followed, and a file with any other is refused. The steps are those that
``torch.save`` writes (``torch/serialization.py`` and ``torch/_utils.py``, 2.x).
"""

from __future__ import annotations

import pickletools
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._archive import Archive, Malformed

Tensor = NDArray[np.float32]

_MAX_PROGRAM = 4 << 20
_MAX_RANK = 8
_TYPES: dict[str, np.dtype[Any]] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch HalfStorage": np.dtype("<f2"),
    "torch DoubleStorage": np.dtype("<f8"),
    "torch LongStorage": np.dtype("<i8"),
    "torch IntStorage": np.dtype("<i4"),
}
_DICTIONARY = "collections OrderedDict"
_TENSOR = "torch._utils _rebuild_tensor_v2"
_PARAMETER = "torch._utils _rebuild_parameter"
_KNOWN = {_DICTIONARY, _TENSOR, _PARAMETER, *_TYPES}


@dataclass(frozen=True)
class _Name:
    """A name in the file, never looked up."""

    text: str


@dataclass(frozen=True)
class _Storage:
    """Numbers that tensors are views of."""

    values: NDArray[Any]


class _Mark:
    """Where the arguments of a step begin on the stack."""


def read_tensors(path: Path) -> Any:
    """What a torch file holds: a tensor, or dictionaries of tensors.

    Tensors are views into the file. Raises Malformed for anything else, and for sizes that do
    not fit.
    """
    archive = Archive(path)
    programs = [name for name in archive.names if name.endswith("/data.pkl")]
    if len(programs) != 1:
        raise Malformed("is not a torch file")
    program = archive.part(programs[0])
    if len(program) > _MAX_PROGRAM:
        raise Malformed("contains more than tensors")
    machine = _Machine(archive, programs[0].removesuffix("data.pkl"))
    try:
        # A damaged name may hold an escape that Python warns of before _known refuses the name.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return machine.run(program.tobytes())
    except Malformed:
        raise
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise Malformed("has a broken description of its tensors") from error


class _Machine:
    """Follows the steps of a description."""

    def __init__(self, archive: Archive, folder: str) -> None:
        self._archive, self._folder = archive, folder
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, program: bytes) -> Any:
        steps = self._steps()
        for opcode, argument, _ in pickletools.genops(program):
            if opcode.name == "STOP":
                return self._stack.pop()
            if opcode.name in _CONSTANTS:
                self._stack.append(_CONSTANTS[opcode.name])
            elif opcode.name in _LITERALS:
                self._stack.append(argument)
            elif opcode.name in steps:
                steps[opcode.name](argument)
            else:
                raise Malformed(f"holds more than tensors ({opcode.name})")
        raise Malformed("has a broken description of its tensors")

    def _steps(self) -> dict[str, Callable[[Any], None]]:
        put: Callable[[Any], None] = self._put
        get: Callable[[Any], None] = lambda at: self._stack.append(self._memo[at])  # noqa: E731
        return {
            "PROTO": lambda _: None,
            "FRAME": lambda _: None,
            "MARK": lambda _: self._stack.append(_Mark()),
            "EMPTY_DICT": lambda _: self._stack.append({}),
            "EMPTY_LIST": lambda _: self._stack.append([]),
            "GLOBAL": lambda name: self._stack.append(_known(name)),
            "BINPUT": put,
            "LONG_BINPUT": put,
            "MEMOIZE": lambda _: self._put(len(self._memo)),
            "BINGET": get,
            "LONG_BINGET": get,
            "TUPLE": lambda _: self._stack.append(tuple(self._since_mark())),
            "TUPLE1": lambda _: self._tuple(1),
            "TUPLE2": lambda _: self._tuple(2),
            "TUPLE3": lambda _: self._tuple(3),
            "BINPERSID": lambda _: self._stack.append(self._storage(self._stack.pop())),
            "REDUCE": lambda _: self._reduce(),
            "SETITEM": lambda _: self._set_items(self._take(2)),
            "SETITEMS": lambda _: self._set_items(self._since_mark()),
            "BUILD": lambda _: self._attributes(),
        }

    def _put(self, at: int) -> None:
        self._memo[at] = self._stack[-1]

    def _take(self, count: int) -> list[Any]:
        if count > len(self._stack):
            raise Malformed("has a broken description of its tensors")
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def _tuple(self, count: int) -> None:
        self._stack.append(tuple(self._take(count)))

    def _since_mark(self) -> list[Any]:
        place = max(i for i, item in enumerate(self._stack) if isinstance(item, _Mark))
        taken = self._stack[place + 1 :]
        del self._stack[place:]
        return taken

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise Malformed("has a broken description of its tensors")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                raise Malformed("names a tensor by something else than text")
            target[key] = value

    def _attributes(self) -> None:
        """``state_dict`` gives its dictionary a version for each module; nobody needs them."""
        self._stack.pop()
        if not isinstance(self._stack[-1], dict):
            raise Malformed("holds more than tensors (BUILD)")

    def _storage(self, description: tuple[Any, ...]) -> _Storage:
        kind, storage, key, _device, count = description
        if kind != "storage" or not isinstance(storage, _Name) or storage.text not in _TYPES:
            raise Malformed("holds more than tensors")
        form = _TYPES[storage.text]
        data = self._archive.part(f"{self._folder}data/{key}")
        if type(count) is not int or count < 0 or count * form.itemsize > len(data):
            raise Malformed("has a tensor that is larger than its numbers")
        return _Storage(data[: count * form.itemsize].view(form))

    def _reduce(self) -> None:
        name, arguments = self._take(2)
        if name == _Name(_DICTIONARY) and arguments == ():
            self._stack.append({})
        elif name == _Name(_TENSOR):
            self._stack.append(_tensor(*arguments[:4]))
        elif name == _Name(_PARAMETER):
            self._stack.append(arguments[0])
        else:
            raise Malformed("holds more than tensors (REDUCE)")


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = {"BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"}


def _known(name: str) -> _Name:
    if name not in _KNOWN:
        raise Malformed(f"names {name[:64]!r}, which is no part of a tensor")
    return _Name(name)


def _tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> NDArray[Any]:
    """A view of a storage that stays inside it."""
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or len(shape) > _MAX_RANK or not isinstance(storage, _Storage):
        raise Malformed("has a tensor of an odd shape")
    if any(type(number) is not int or number < 0 for number in numbers):
        raise Malformed("has a tensor of an odd shape")
    reach = sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if 0 not in shape and offset + reach >= len(storage.values):
        raise Malformed("has a tensor that reaches beyond its numbers")
    itemsize = storage.values.itemsize
    return np.lib.stride_tricks.as_strided(
        storage.values[offset:],
        shape if 0 not in shape else (0,),
        [step * itemsize for step in strides] if 0 not in shape else (itemsize,),
        writeable=False,
    )
