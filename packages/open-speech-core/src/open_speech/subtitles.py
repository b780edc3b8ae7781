"""Segments as subtitles.

WebVTT follows https://www.w3.org/TR/webvtt1/. SubRip has no standard: a number, a line of times
with a comma before the milliseconds, text, an empty line. In both, text goes on one line, because
an empty line would end it, and ``-->`` may not occur in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .transcription import Segment


@dataclass(frozen=True)
class _Cue:
    start_ms: int
    end_ms: int
    text: str


def to_srt(segments: Iterable[Segment]) -> str:
    """Write SubRip; segments without text are left out, ``-->`` in a text becomes an arrow."""
    return "".join(
        f"{number}\n{_time(cue.start_ms, ',')} --> {_time(cue.end_ms, ',')}\n"
        f"{cue.text.replace('-->', '→')}\n\n"
        for number, cue in enumerate(_cues(segments), start=1)
    )


def to_vtt(segments: Iterable[Segment]) -> str:
    """Write WebVTT; segments without text are left out, ``&``, ``<`` and ``>`` are escaped."""
    return "WEBVTT\n\n" + "".join(
        f"{_time(cue.start_ms, '.')} --> {_time(cue.end_ms, '.')}\n{_escape(cue.text)}\n\n"
        for cue in _cues(segments)
    )


def _cues(segments: Iterable[Segment]) -> Iterator[_Cue]:
    for segment in segments:
        text = " ".join(part.strip() for part in segment.text.splitlines()).strip()
        text = text.replace("\0", "�")  # what a WebVTT parser would read anyway
        if text:
            start = max(0, round(segment.start * 1000))
            # A cue must end after it starts, or players drop it.
            yield _Cue(start, max(start + 1, round(segment.end * 1000)), text)


def _time(milliseconds: int, mark: str) -> str:
    """``hh:mm:ss`` and milliseconds after ``mark``; hours take more digits if they need them."""
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
