"""From the engine's word events to the words of the text, with times."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from open_speech import Samples, Word

from ._library import SAMPLE_RATE, WordEvent

_RUN = re.compile(r"\S+")

_APOSTROPHES = "'\u2019"

_AUDIBLE = 0.002
"""Samples beyond this are sound; the engine's pauses are digital silence."""


@dataclass
class _Span:
    """Characters ``start`` to ``end`` of the text begin to sound at ``sample``."""

    start: int
    end: int
    sample: int


def timed_words(text: str, events: Sequence[WordEvent], samples: Samples) -> tuple[Word, ...]:
    """Tell when each word of ``text`` sounds, in seconds from the start of ``samples``.

    The engine reports some words in parts (``1999``) and of others a part only (``don`` of
    ``don't``): a word is what reaches to the next event or space, without the punctuation
    around it. A symbol that is read aloud (``&``) is a word if it stands alone. Two words that the
    engine reports as one are one here too: no word is lost.
    """
    spans = _spans(text, events)
    limits = [min(span.sample, len(samples)) for span in spans] + [len(samples)]
    return tuple(
        Word(
            text=_bare(text[span.start : span.end]),
            start=begin / SAMPLE_RATE,
            end=_sound_end(samples, begin, limit) / SAMPLE_RATE,
        )
        for span, (begin, limit) in zip(spans, pairwise(limits), strict=True)
    )


def _spans(text: str, events: Sequence[WordEvent]) -> list[_Span]:
    told = {event.position for event in events}
    spans: list[_Span] = []
    for event in events:
        position = _begin(text, event.position, told)
        if spans and position < spans[-1].end:
            inside = not text[position].isalpha() or text[position - 1] in _APOSTROPHES
            if position <= spans[-1].start or inside:
                continue  # more of the same word
            spans[-1].end = position  # a script without spaces
        if run := _RUN.match(text, position):
            spans.append(_Span(position, run.end(), event.sample))
    return _complete(text, spans)


def _begin(text: str, position: int, told: Container[int]) -> int:
    """Where the word of an event begins: behind an initial ("C. helps") the space is told."""
    if text[position : position + 1].isspace() and (run := _RUN.search(text, position)):
        return position if run.start() in told else run.start()
    return position


def _complete(text: str, spans: list[_Span]) -> list[_Span]:
    """Let a word that the engine runs together with the last one ("NASA's team") go with it."""
    for span, following in pairwise([*spans, _Span(len(text), len(text), 0)]):
        for run in _RUN.finditer(text, span.end, following.start):
            if any(map(str.isalnum, run[0])):
                span.end = run.end()
    for run in _RUN.finditer(text, 0, spans[0].start if spans else 0):
        if any(map(str.isalnum, run[0])):
            spans[0].start = run.start()
            break
    return spans


def _bare(word: str) -> str:
    """The word without the punctuation around it, unless there is nothing else."""
    marks = "".join(char for char in word if unicodedata.category(char).startswith("P"))
    return word.strip(marks) or word


def _sound_end(samples: Samples, begin: int, limit: int) -> int:
    """Where the sound between two samples ends: the pause after a word is no part of it."""
    audible = np.flatnonzero(np.abs(samples[begin:limit]) > _AUDIBLE)
    return begin + int(audible[-1]) + 1 if len(audible) else begin
