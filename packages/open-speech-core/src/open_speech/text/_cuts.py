"""Where to cut a span of text that is too long: at a clause, a space, or between characters."""

# ruff: noqa: RUF001 - signs of many scripts are what this is about

from __future__ import annotations

import re

# Western signs end a clause only before a space ("1,000" and "10:30" go on); East Asian ones do
# anywhere.
_CLAUSE = re.compile(
    r"""[,;:!?…—–،؛؟]["'”’»)\]]*(?=\s)"""
    r"""|[、，；：。！？…][」』”’）]*"""
)
_SPACE = re.compile(r"\s+")
GRAPHEME_REACH = 32
"""Characters beyond a cut that decide whether it would split what looks like one character."""


def clause_cut(text: str, start: int, room: int) -> int | None:
    """Return the end of the last clause that fits into ``room`` characters, if there is one.

    A clause that fills less than a quarter of the room is not worth a piece of its own.
    """
    last = None
    for match in _CLAUSE.finditer(text, start, start + room + 1):
        if room // 4 <= match.end() - start <= room:
            last = match.end()
    return last


def best_cut(text: str, start: int, room: int) -> int:
    """Return where to end a piece of at most ``room`` characters; the text goes on beyond it."""
    cut = clause_cut(text, start, room) or _space_cut(text, start, room)
    return cut or _grapheme_cut(text, start, room)


def _space_cut(text: str, start: int, room: int) -> int | None:
    last = None
    for match in _SPACE.finditer(text, start, start + room + 1):
        last = match.start()
    return last


def _grapheme_cut(text: str, start: int, room: int) -> int:
    """Never inside an accented letter, a flag or a family, unless that alone fills the room."""
    # 50 ms that almost no text needs.
    import regex  # type: ignore[import-untyped, unused-ignore]

    window, last = text[start : start + room + GRAPHEME_REACH], 0
    for match in regex.finditer(r"\X", window):
        if match.end() > room:
            break
        last = match.end()
    return start + (last or room)
