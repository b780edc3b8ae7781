"""Files on disk: hashing, linking, and naming what a disk may refuse."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import DiskFull, DownloadCancelled, OpenSpeechError, Unavailable
from ._records import FileEntry

_BLOCK = 4 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Digest:
    """The running hash of a file, of the kind that its entry asks for."""

    def __init__(self, entry: FileEntry) -> None:
        self._expected = entry.digest
        if len(entry.digest) == 64:
            self._state = hashlib.sha256()
        else:
            start = f"blob {entry.size}\0".encode()
            self._state = hashlib.sha1(start, usedforsecurity=False)

    def update(self, block: bytes) -> None:
        """Add bytes."""
        self._state.update(block)

    def fits(self) -> bool:
        """Whether what was added is what the entry promises."""
        return self._state.hexdigest() == self._expected


def is_intact(path: Path, entry: FileEntry, cancelled: threading.Event | None = None) -> bool:
    """Whether a file is there with the right length and the right bytes; reads all of it."""
    try:
        if path.stat().st_size != entry.size:
            return False
        digest = Digest(entry)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if cancelled is not None and cancelled.is_set():
                    raise stopped()
                digest.update(block)
        return digest.fits()
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def link_or_copy(source: Path, target: Path, scratch: Path) -> None:
    """Give a file a second name, or a copy where the file system has no links between them.

    The target appears whole or not at all; ``scratch`` is a folder on its file system.
    """
    with _appearing(target, scratch) as temporary:
        try:
            # The file itself: whether linking a link follows it depends on the system.
            os.link(source.resolve(), temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def copy(source: Path, target: Path, scratch: Path) -> None:
    """Copy a file; the target appears whole or not at all."""
    with _appearing(target, scratch) as temporary:
        shutil.copyfile(source, temporary)


@contextmanager
def _appearing(target: Path, scratch: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch.mkdir(parents=True, exist_ok=True)
    temporary = scratch / f"{secrets.token_hex(8)}.tmp"
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Give an OSError of writing below a folder a name, and say what to do about it."""
    try:
        yield
    except OSError as error:
        raise disk_error(folder, error) from error


def disk_error(folder: Path, error: OSError) -> OpenSpeechError:
    """What an OSError of writing below a folder means."""
    if error.errno in _FULL:
        return DiskFull(
            f"The disk of {folder} is full ({error.strerror}).",
            hint="Free some space, or delete models that you do not need.",
        )
    return Unavailable(
        f"{folder} cannot be written: {error.strerror}.",
        hint=f"It must be writable for the user with uid {os.getuid()}.",
    )


def check_free_space(folder: Path, missing: int, factor: float) -> None:
    """Raise DiskFull unless the missing bytes, and some more, are free."""
    needed = int(missing * factor)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DiskFull(
            f"{folder} has {free // 2**20} MiB free, and the download needs {needed // 2**20} MiB.",
            hint="Free some space, or delete models that you do not need.",
        )


def stopped() -> DownloadCancelled:
    """The error of a download that somebody stopped."""
    return DownloadCancelled("The download was stopped.", hint="Partial files are kept.")
