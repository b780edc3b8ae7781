"""Segments as subtitles.

WebVTT follows https://www.w3.org/TR/webvtt1/. SubRip has no standard: a number, a line of times
with a comma before the milliseconds, text, an empty line. In both, text goes on one line, because
an empty line would end it, and ``-->`` may not occur in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .audio import Word
from .transcription import Segment

CUE_CHARS = 84
"""Two lines of the 42 characters that broadcasters allow."""
CUE_GAP_S = 0.8
"""A longer silence ends a cue."""
_ENDS = ".!?…。！？"  # noqa: RUF001 - they are meant
_CLOSING = "\"'”’)]»"  # noqa: RUF001 - likewise


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


def cues_of_speech(text: str, words: Iterable[Word]) -> list[Segment]:
    """Group the words of a text that was spoken into cues that can be read at once.

    ``words`` carry the stretches of ``text`` they stand for. A cue ends with a sentence, before a
    silence, or when it is full. Words keep the signs that stand directly at them; what stands by
    itself, such as a tag, is left out.
    """
    shown = _with_signs(text, [word for word in words if word.span])
    cues: list[list[tuple[str, Word]]] = []
    for written, word in shown:
        if not cues or _is_full(cues[-1], written, word):
            cues.append([])
        cues[-1].append((written, word))
    return [
        Segment(
            text=" ".join(written for written, _ in cue), start=cue[0][1].start, end=cue[-1][1].end
        )
        for cue in cues
    ]


def _with_signs(text: str, words: Sequence[Word]) -> list[tuple[str, Word]]:
    """Each word as it is written, with the quotes, brackets and stops around it."""
    shown: list[tuple[str, Word]] = []
    before = 0
    for word in words:
        assert word.span
        start, end = word.span
        written = " ".join(text[start:end].split())
        between = text[before:start]
        if shown and between and not any(map(str.isspace, between)):  # "two-three"
            last, first = shown[-1]
            shown[-1] = (f"{last}{between}{written}", replace(first, end=word.end))
        else:
            signs = re.split(r"\s+", between)
            if shown:
                shown[-1] = (f"{shown[-1][0]}{signs[0]}", shown[-1][1])
            shown.append((f"{signs[-1]}{written}", word))
        before = end
    if shown:
        tail = re.split(r"\s+", text[before:])[0]
        shown[-1] = (f"{shown[-1][0]}{tail}", shown[-1][1])
    return shown


def _is_full(cue: list[tuple[str, Word]], written: str, word: Word) -> bool:
    last, last_word = cue[-1]
    length = sum(len(each) + 1 for each, _ in cue) + len(written)
    return (
        last.rstrip(_CLOSING).endswith(tuple(_ENDS))
        or word.start - last_word.end > CUE_GAP_S
        or length > CUE_CHARS
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
