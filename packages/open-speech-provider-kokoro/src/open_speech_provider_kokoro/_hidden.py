"""Importing a package without what it would like to have."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Let these modules seem to be missing, unless they are loaded already.

    An entry None in ``sys.modules`` makes their import fail as if they were not installed. It
    holds for every thread, so this belongs to a worker's start.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
