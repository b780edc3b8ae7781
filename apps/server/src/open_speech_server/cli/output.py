"""Files that the command writes: whole or not at all."""

from __future__ import annotations

import os
import secrets
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

ENDINGS: Mapping[str, str] = {
    ".aac": "aac",
    ".flac": "flac",
    ".m4a": "m4a",
    ".mp3": "mp3",
    ".mp4": "m4a",
    ".oga": "opus",
    ".ogg": "opus",
    ".opus": "opus",
    ".pcm": "pcm",
    ".raw": "pcm",
    ".wav": "wav",
}
"""Ending of a file -> the format that it promises, a key of ``codecs.encode.FORMATS``."""

_UNKNOWN_SIZE = 0xFFFFFFFF
"""In a wav header that was written before the sound: to the end."""


def format_of(path: Path) -> str:
    """The format of a file by its ending; UsageError for one that nobody knows."""
    try:
        return ENDINGS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(sorted(set(ENDINGS.values())))
        raise click.UsageError(
            f"{path.name!r} has no ending that tells a format; add --format with one of {known}"
        ) from None


@contextmanager
def written(target: Path | None) -> Iterator[BinaryIO]:
    """A file to write in full; it takes its place only when the block ends well.

    None is standard output. What is no ordinary file, such as a pipe, is written as it is.
    """
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    # Beside the target, in its file system; a link is followed, and what it leads to replaced.
    place = target.resolve()
    partial = place.with_name(f".{place.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb+") as file:
            yield file
            complete_wav(file)
        if place.exists():
            partial.chmod(place.stat().st_mode & 0o777)
        partial.replace(place)
    except FileNotFoundError as error:
        error.filename = str(target)  # not a name that nobody gave
        raise
    except PermissionError as error:
        error.filename = str(target)
        raise
    finally:
        partial.unlink(missing_ok=True)


def complete_wav(file: BinaryIO) -> None:
    """Put the true lengths into a wav header that was written before they were known."""
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(44)
    if head[:4] == b"RIFF" and head[36:44] == b"data" + struct.pack("<I", _UNKNOWN_SIZE):
        for place, size in ((4, length - 8), (40, length - 44)):
            file.seek(place)
            file.write(struct.pack("<I", min(size, _UNKNOWN_SIZE)))
