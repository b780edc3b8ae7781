"""One installation at a time, among all processes that share a data folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._files.lock import FileLock
from ._failures import InstallFailed
from ._requests import Request


@contextmanager
def waited_lock(path: Path, request: Request) -> Iterator[int]:
    """Hold the lock, waiting for it; yields its file descriptor.

    A child that inherits the descriptor keeps the lock even if we are killed, so nobody sweeps
    a folder that it still writes to. Raises InstallCancelled while waiting.
    """
    with FileLock(path) as lock:
        with usable(path.parent):
            free = lock.try_acquire()
        if not free:
            request.tell("Waiting for another installation to finish")
            lock.acquire(request.cancelled or threading.Event())
            request.stop_if_cancelled()
        yield lock.descriptor


@contextmanager
def tried_lock(path: Path) -> Iterator[bool]:
    """Hold the lock if nobody else does; yields whether we do."""
    with FileLock(path) as lock:
        with usable(path.parent):
            free = lock.try_acquire()
        yield free


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into a sentence."""
    try:
        yield
    except OSError as error:
        raise InstallFailed(
            f"The folder {folder} cannot be used: {error.strerror or error}.",
            hint="It must be writable and have space left.",
        ) from error
