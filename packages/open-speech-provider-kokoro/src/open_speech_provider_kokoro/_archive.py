"""Where the parts of a torch file lie.

A torch file is a zip archive whose parts are stored as they are, so that they can be mapped into
memory (APPNOTE.TXT of PKWARE, sections 4.3.7 to 4.3.16). Nothing is unpacked: the directory at
the end of the file says where each part begins, and is believed in nothing that does not fit.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_ALL_ONES = 0xFFFF_FFFF
_MAX_PARTS = 10_000


class Malformed(ValueError):
    """The file is not what it says; the text is the rest of a sentence about it."""


@dataclass(frozen=True)
class _Entry:
    name: str
    offset: int
    size: int


class Archive:
    """A file of stored parts, mapped into memory."""

    def __init__(self, path: Path) -> None:
        """Read the directory; raises Malformed."""
        if path.stat().st_size < _END.size:
            raise Malformed("is not a torch file")
        self._bytes: NDArray[np.uint8] = np.memmap(path, np.uint8, mode="r")
        self._entries = {entry.name: entry for entry in self._directory()}

    @property
    def names(self) -> list[str]:
        """The names of the parts, with the folder that all of them lie in."""
        return list(self._entries)

    def part(self, name: str) -> NDArray[np.uint8]:
        """The bytes of a part, in place; raises Malformed."""
        entry = self._entries.get(name)
        if entry is None:
            raise Malformed(f"lacks its part {name[:64]!r}")
        header = self._unpack(_LOCAL, entry.offset, b"PK\3\4")
        begin = entry.offset + _LOCAL.size + header[9] + header[10]
        if begin + entry.size > len(self._bytes):
            raise Malformed("is cut short")
        return self._bytes[begin : begin + entry.size]

    def _directory(self) -> list[_Entry]:
        count, offset = self._end()
        if count > _MAX_PARTS:
            raise Malformed("has too many parts")
        entries: list[_Entry] = []
        for _ in range(count):
            entry, offset = self._entry(offset)
            entries.append(entry)
        return entries

    def _end(self) -> tuple[int, int]:
        """How many parts there are, and where the directory begins."""
        tail = self._bytes[-(_END.size + 65_535) :].tobytes()
        place = tail.rfind(b"PK\5\6")
        if place < 0 or place + _END.size > len(tail):
            raise Malformed("is not a torch file, or is truncated")
        count, _size, offset = _END.unpack_from(tail, place)[4:7]
        begin = len(self._bytes) - len(tail) + place
        if begin >= _LOCATOR64.size and (count == 0xFFFF or offset == _ALL_ONES):
            far = self._unpack(_LOCATOR64, begin - _LOCATOR64.size, b"PK\6\7")[2]
            end = self._unpack(_END64, far, b"PK\6\6")
            count, offset = end[7], end[9]
        return count, offset

    def _entry(self, place: int) -> tuple[_Entry, int]:
        fields = self._unpack(_ENTRY, place, b"PK\1\2")
        method, packed, size = fields[4], fields[8], fields[9]
        name_length, extra_length, comment_length, offset = *fields[10:13], fields[16]
        begin = place + _ENTRY.size
        name = self._bytes[begin : begin + name_length].tobytes().decode(errors="replace")
        if _ALL_ONES in (size, packed, offset):
            extra = self._bytes[begin + name_length : begin + name_length + extra_length].tobytes()
            size, packed, offset = _wide(extra, size, packed, offset)
        if method != 0 or packed != size:
            raise Malformed("is compressed, which torch files are not")
        return _Entry(name, offset, size), begin + name_length + extra_length + comment_length

    def _unpack(self, form: struct.Struct, place: int, mark: bytes) -> tuple[int, ...]:
        data = self._bytes[place : place + form.size].tobytes() if place >= 0 else b""
        if len(data) < form.size or not data.startswith(mark):
            raise Malformed("is not a torch file, or is truncated")
        return form.unpack(data)


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Sizes beyond 32 bits, from the extra field 1."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{length // 8}Q", extra, place + 4))
            wide = [
                next(numbers, -1) if number == _ALL_ONES else number
                for number in (size, packed, offset)
            ]
            if min(wide) < 0:
                break
            return wide[0], wide[1], wide[2]
        place += 4 + length
    raise Malformed("has a size that does not fit")
