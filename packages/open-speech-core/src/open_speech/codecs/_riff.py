"""A look at the chunks of a WAV file before libav reads them.

libav takes as much memory for a tag as the tag says it has, as long as the list around it says so
too: six kilobytes could ask for gigabytes. Chunks: Microsoft, Multimedia Programming Interface and
Data Specifications 1.0, "Resource Interchange File Format".
"""

from __future__ import annotations

import struct
from io import SEEK_END
from typing import BinaryIO

from open_speech.errors import InvalidAudio

SPARE = 1024 * 1024
"""Bytes by which a chunk may reach past the end of a file that was cut off."""
_MAX_CHUNKS = 10_000
_HEADS = (b"RIFF", b"RF64", b"BW64")


def check_chunks(stream: BinaryIO) -> None:
    """Refuse a WAV file with a chunk, its sound apart, that is larger than the file.

    Passes other files. Leaves ``stream`` anywhere.

    Raises:
        InvalidAudio: there is such a chunk, or there are more than any recording has.
    """
    size = stream.seek(0, SEEK_END)
    stream.seek(0)
    head = stream.read(12)
    if head[:4] not in _HEADS or head[8:] != b"WAVE":
        return
    position = 12
    for _ in range(_MAX_CHUNKS):
        stream.seek(position)
        chunk = stream.read(8)
        if len(chunk) < 8:
            return
        name, length = struct.unpack("<4sI", chunk)
        position += 8 + length + length % 2
        if name == b"data" and position > size:
            return  # to the end: nothing follows
        if position > size + SPARE:
            break
    raise InvalidAudio(
        "The file is not in a supported audio format, or it is damaged.",
        hint="A chunk of this WAV file is larger than the file. Write it again.",
    )
