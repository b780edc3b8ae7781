"""Having the C library give back what was taken for work."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

LARGE_BYTES = 8 * 1024 * 1024
"""Pieces from this size on go back to the system as soon as they are freed. Smaller ones (a minute
of sound is 3.8 MB) stay at hand: fetching pages anew costs milliseconds."""
IDLE_S = 1.0
"""So long nothing is asked of a model before its memory is tidied: pages that are fetched anew cost
milliseconds, which nobody may wait for between two sentences."""


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Parameters of glibc's ``mallopt(3)``."""


def configure(arenas: int) -> None:
    """Set glibc's allocator up for a process that lives long; does nothing elsewhere.

    Left to itself it raises ``LARGE_BYTES`` with the largest piece that it ever freed, and a long
    recording then stays resident for good. Each thread has a heap of its own, and keeps what it
    once took there: with ``arenas`` threads share so many. Call it before threads are started.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, 2 * LARGE_BYTES)
        library.mallopt(_M_ARENA_MAX, arenas)


def trim() -> None:
    """Return free memory to the system, where the C library is glibc; tens of milliseconds at most.

    Left to itself glibc keeps what lies between pieces in use: an engine that works in many threads
    on pieces of ever other sizes holds several times its weights after some minutes, for good.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


class Idle:
    """Does something once nothing has happened for a while. Any thread."""

    def __init__(self, then: Callable[[], None] = trim, after_s: float = IDLE_S) -> None:
        self._then, self._after_s = then, after_s
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def begins(self) -> None:
        """Nothing happens from now on."""
        with self._lock:
            self._stop()
            self._timer = threading.Timer(self._after_s, self._then)
            self._timer.daemon = True
            self._timer.start()

    def ends(self) -> None:
        """Something happens again."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
