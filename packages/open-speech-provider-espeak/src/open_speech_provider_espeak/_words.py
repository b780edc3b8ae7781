"""From the engine's word events to the words of the text, with times."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from open_speech import Samples, Word

from ._library import SAMPLE_RATE, WordEvent

_RUN = re.compile(r"\S+")

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
    around it. A symbol that is read aloud (``&``) is a word if it stands alone.
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
    spans: list[_Span] = []
    for event in events:
        if spans and event.position < spans[-1].end:
            if event.position <= spans[-1].start or not text[event.position].isalpha():
                continue  # more of the same word
            spans[-1].end = event.position  # a script without spaces
        if run := _RUN.match(text, event.position):
            spans.append(_Span(event.position, run.end(), event.sample))
    return spans


def _bare(word: str) -> str:
    """The word without the punctuation around it, unless there is nothing else."""
    marks = "".join(char for char in word if unicodedata.category(char).startswith("P"))
    return word.strip(marks) or word


def _sound_end(samples: Samples, begin: int, limit: int) -> int:
    """Where the sound between two samples ends: the pause after a word is no part of it."""
    audible = np.flatnonzero(np.abs(samples[begin:limit]) > _AUDIBLE)
    return begin + int(audible[-1]) + 1 if len(audible) else begin
