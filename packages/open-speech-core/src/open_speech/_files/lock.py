"""Locks between processes that share a volume.

``flock`` on files that are never deleted: it needs no cleaning up after a killed process, it is
shared or exclusive, and it holds between two threads of one process as well, because each lock
opens its own file. A volume whose ``flock`` does nothing (some network file systems) is found by
``work_below``; there two processes may fetch a file twice, but never a torn one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_POLL_S = 0.05
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class FileLock:
    """A lock on a file; a context manager once acquired."""

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path
        self._operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._shared = shared
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """Of the file while the lock is held, for a child that is to keep it."""
        if self._descriptor is None:
            raise ValueError(f"the lock on {self.path} is not held")
        return self._descriptor

    def try_acquire(self) -> bool:
        """Take the lock if that is possible now. OSError if the file cannot be made."""
        try:
            descriptor = self._open()
        except OSError as error:
            if self._shared and error.errno in _READ_ONLY:
                # Nobody can take the exclusive lock, or delete anything, on what is read-only.
                return True
            raise
        try:
            fcntl.flock(descriptor, self._operation | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def acquire(self, cancelled: threading.Event, timeout_s: float | None = None) -> bool:
        """Wait for the lock; False if ``cancelled`` was set or the time is over first."""
        waited = 0.0
        while not self.try_acquire():
            if timeout_s is not None and waited >= timeout_s:
                return False
            if cancelled.wait(_POLL_S):
                return False
            waited += _POLL_S
        return True

    def release(self) -> None:
        """Give the lock back; once more does nothing.

        Unlocked, not only closed: a process that another thread starts right now has a copy of
        the descriptor until it runs its program, and would go on holding the lock.
        """
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            finally:
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
        except PermissionError:
            # A shared lock needs no writing: another user's volume, mounted for reading.
            return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)


def work_below(folder: Path) -> bool:
    """Whether a lock that is held keeps another out, on the file system of a folder."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as file:
        path = Path(file.name)
        with FileLock(path) as first, FileLock(path) as second:
            return first.try_acquire() and not second.try_acquire()
