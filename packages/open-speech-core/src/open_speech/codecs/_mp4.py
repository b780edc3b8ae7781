"""A look at an MP4 file's index before libav builds its own from it.

The index of an MP4 file may state in four bytes that a track has a hundred million packets;
libav then takes some thirty bytes of memory for each, before it has read any. So the statements
are added up first. Boxes: ISO/IEC 14496-12, sections 8.6.6, 8.7.3 to 8.7.5 and 8.8.8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from open_speech.errors import InvalidAudio

MAX_PACKETS = 2_000_000
"""Twelve hours of AAC at 48 kHz, or four hours of it with video at 60 frames a second."""

_FIRST_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide"})
_CONTAINERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex", b"udta", b"edts"}
)
_MAX_DEPTH = 12
_MAX_BOXES = 2_000_000
_PCM_GROUP = 1024
"""Samples of uncompressed sound that libav puts into one packet."""
_TRUN_FIELDS = 0xF00
"""Flags of a track run that give each of its samples an entry of its own, hence bytes."""


@dataclass
class _Track:
    """What one sample table states."""

    sizes: int = 0
    """Samples, by the table of sizes."""
    chunks: int = 0
    per_chunk: int = 0
    """The largest number of samples in a chunk."""
    edits: int = 1
    """How often the edit list may have the samples played."""

    @property
    def packets(self) -> int:
        """The most entries that libav may make of it, by samples or (if they are PCM) by groups."""
        groups = self.chunks * self.per_chunk // _PCM_GROUP + self.chunks
        return max(self.sizes, groups) * self.edits


def check_index(stream: BinaryIO) -> None:
    """Refuse an MP4 file that states more packets than any recording has; pass other files.

    Leaves ``stream`` anywhere.

    Raises:
        InvalidAudio: the index is beyond belief.
    """
    stream.seek(0)
    if stream.read(8)[4:] not in _FIRST_BOXES:
        return
    end = stream.seek(0, 2)
    track, runs, total = _Track(), 0, 0
    for count, (name, start, size) in enumerate(_boxes(stream, 0, end, 0)):
        if name == b"trak":
            total, track = total + track.packets, _Track()
        elif name == b"trun":
            runs += _run_length(stream, start)
        else:
            _read_table(stream, name, start, size, track)
        if name == b"cmov" or count > _MAX_BOXES or runs + total + track.packets > MAX_PACKETS:
            raise InvalidAudio(
                "The index of the file states more than any recording has.",
                hint="Write it again as wav, mp3, flac or ogg.",
            )


def _boxes(stream: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, first byte of the body and its size, of all boxes, outer ones first."""
    while start + 8 <= end:
        stream.seek(start)
        head = stream.read(16)
        size, name = struct.unpack_from(">I4s", head)
        body = start + 8
        if size == 1 and len(head) == 16:
            size, body = struct.unpack_from(">Q", head, 8)[0], start + 16
        elif size == 0:
            size = end - start
        if start + size < body:
            return
        stop = min(start + size, end)
        yield name, body, stop - body
        if name in _CONTAINERS and depth < _MAX_DEPTH:
            yield from _boxes(stream, body, stop, depth + 1)
        start = stop


def _run_length(stream: BinaryIO, start: int) -> int:
    """The samples of a track run, unless the file holds bytes for each of them anyway."""
    stream.seek(start)
    head = stream.read(8)
    if len(head) < 8:
        return 0
    flags, samples = struct.unpack(">II", head)
    return 0 if flags & _TRUN_FIELDS else int(samples)


def _read_table(stream: BinaryIO, name: bytes, start: int, size: int, track: _Track) -> None:
    if name not in {b"stsz", b"stz2", b"stco", b"co64", b"stsc", b"elst"}:
        return
    stream.seek(start + 4)
    if name in {b"stsz", b"stz2"}:
        track.sizes = max([track.sizes, *_numbers(stream.read(8))[1:]])
        return
    (entries,) = _numbers(stream.read(4)) or (0,)
    if name == b"stsc":
        runs = _numbers(stream.read(max(0, size - 8)))
        track.per_chunk = max([track.per_chunk, *runs[1::3]])
    elif name == b"elst":
        track.edits = max(track.edits, min(entries, size // 12))
    else:
        track.chunks = max(track.chunks, min(entries, size // 4))


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(data) // 4}I", data[: len(data) // 4 * 4])
