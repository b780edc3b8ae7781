"""Records on disk that a later version of Open Speech wrote.

A volume may go back to an older version. Whoever reads a record skips fields that it does not
know, so new fields need no new number; a form's number grows only where an older reader would be
misled. Such a record is left as it is, nothing of what it speaks of is swept away, and the log says
so once.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

_log = logging.getLogger(__name__)


def is_later(number: object, known: int, path: Path) -> bool:
    """Whether a record is of a later form than the one that is known here."""
    later = type(number) is int and number > known
    if later:
        _tell(path, number, known)
    return later


@lru_cache(maxsize=1024)
def _tell(path: Path, number: object, known: int) -> None:
    _log.warning(
        "%s was written by a later version of Open Speech (form %s; this version reads %s). "
        "It is not used here, and it is kept for that version.",
        path,
        number,
        known,
    )
