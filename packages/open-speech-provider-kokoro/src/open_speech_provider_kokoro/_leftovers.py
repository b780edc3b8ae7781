"""Memory that is free, and still counted for this process."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return what loading left behind to the system, where the C library can (glibc).

    ONNX Runtime copies and rearranges weights, and frees most of it: 240 MB that the allocator
    would keep.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
