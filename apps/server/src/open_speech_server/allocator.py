"""Having the C library give memory back that large requests took."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Parameters of glibc's ``mallopt(3)``."""
LARGE_BYTES = 8 * 1024 * 1024
"""Pieces from this size on go back to the system as soon as they are freed. Smaller ones (a minute
of sound is 3.8 MB) stay at hand: fetching pages anew costs milliseconds."""
ARENAS = 1
"""Threads share one heap; by default each has its own, and keeps what it once took there."""


def settle_allocator() -> None:
    """Set glibc's allocator up for a process that lives long; does nothing elsewhere.

    Left to itself it raises the size above with the largest piece that it ever freed, and a long
    recording then stays resident for good.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, 2 * LARGE_BYTES)
        library.mallopt(_M_ARENA_MAX, ARENAS)
