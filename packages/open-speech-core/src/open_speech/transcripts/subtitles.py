"""Cues as subtitles.

WebVTT follows https://www.w3.org/TR/webvtt1/. SubRip has no standard: a number, a line of times
with a comma before the milliseconds, lines of text, an empty line. In both an empty line ends a
cue, and ``-->`` may not occur in its text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .cues import Cue

__all__ = [
    "to_srt",
    "to_vtt",
]


_SPACES = re.compile("[^\\S\u00a0\u202f]+")
"""White space, but for spaces at which no line ends."""


@dataclass(frozen=True)
class _Written:
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None


def to_srt(cues: Iterable[Cue]) -> str:
    """Write SubRip; cues without text are left out, ``-->`` in a text becomes an arrow.

    The name of a speaker stands before the text: the format has no other place for it.
    """
    return "".join(
        f"{number}\n{_time(cue.start_ms, ',')} --> {_time(cue.end_ms, ',')}\n{_srt_text(cue)}\n\n"
        for number, cue in enumerate(_written(cues), start=1)
    )


def to_vtt(cues: Iterable[Cue]) -> str:
    """Write WebVTT; cues without text are left out, ``&``, ``<`` and ``>`` are escaped.

    The speaker of a cue is its voice: ``<v Name>``.
    """
    return "WEBVTT\n\n" + "".join(
        f"{_time(cue.start_ms, '.')} --> {_time(cue.end_ms, '.')}\n{_vtt_text(cue)}\n\n"
        for cue in _written(cues)
    )


def _written(cues: Iterable[Cue]) -> Iterator[_Written]:
    for cue in cues:
        lines = (_SPACES.sub(" ", line).strip() for line in cue.lines)
        text = "\n".join(filter(None, lines)).replace("\0", "\ufffd")  # as WebVTT parsers read it
        if not text:
            continue
        # A cue must end after it starts, or players drop it; never after the recording.
        end = max(1, math.floor(cue.end * 1000 + 1e-3))
        start = min(max(0, round(cue.start * 1000)), end - 1)
        yield _Written(start, end, text, cue.speaker)


def _time(milliseconds: int, mark: str) -> str:
    """``hh:mm:ss`` and milliseconds after ``mark``; hours take more digits if they need them."""
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"


def _srt_text(cue: _Written) -> str:
    name = f"{_one_line(cue.speaker)}: " if cue.speaker else ""
    return f"{name}{cue.text}".replace("-->", "→")


def _vtt_text(cue: _Written) -> str:
    voice = f"<v {_escape(_one_line(cue.speaker))}>" if cue.speaker else ""
    return f"{voice}{_escape(cue.text)}"


def _one_line(name: str) -> str:
    return " ".join(name.replace("\0", "\ufffd").split())


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
