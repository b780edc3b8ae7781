"""Words with their symbols: cut into what the network takes at once, and given their times."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from open_speech import Word

from ._engine import FRAME_SAMPLES, MAX_SYMBOLS, SAMPLE_RATE, Frames

_FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
_LEAD_FRAMES = 3
_MARKS = ("!.?…", ":;", ",—")
"""Where to cut, the best place first."""
_AFTER = ")”"
_SILENT = frozenset(';:,.!?—…"()“” ')


@dataclass(frozen=True)
class Token:
    """A word or a mark, as it is written and as it is spoken."""

    text: str
    symbols: str
    space: bool
    """Whether a space follows."""
    sure: bool = True
    """Whether exactly these symbols are those of the text."""


def known(tokens: Sequence[Token], vocabulary: Mapping[str, int]) -> list[Token]:
    """Without the symbols that the network does not know."""
    return [
        replace(token, symbols="".join(s for s in token.symbols if s in vocabulary))
        for token in tokens
    ]


def symbols_of(tokens: Sequence[Token]) -> str:
    """What is spoken of them."""
    return "".join(token.symbols + " " * token.space for token in tokens).rstrip(" ")


def chunks(tokens: Sequence[Token], limit: int = MAX_SYMBOLS) -> Iterator[list[Token]]:
    """Cut so that none has more symbols than the limit, at the end of a clause where one is."""
    held: list[Token] = []
    size = 0
    for token in _pieces(tokens, limit):
        while held and size + len(token.symbols) > limit:
            place = _cut(held)
            yield held[:place]
            held = held[place:]
            size = _size(held)
        held.append(token)
        size += len(token.symbols) + token.space
    if held:
        yield held


def _pieces(tokens: Sequence[Token], limit: int) -> Iterator[Token]:
    """Each token, in parts where it alone is too long."""
    for token in tokens:
        if len(token.symbols) <= limit:
            yield token
            continue
        for begin in range(0, len(token.symbols), limit):
            part = token.symbols[begin : begin + limit]
            last = begin + limit >= len(token.symbols)
            yield Token(token.text if begin == 0 else "", part, token.space and last, token.sure)


def _cut(tokens: Sequence[Token]) -> int:
    """How many of them make a chunk."""
    for marks in _MARKS:
        for place in range(len(tokens), 0, -1):
            symbols = tokens[place - 1].symbols
            if symbols and symbols[-1] in marks:
                following = tokens[place].symbols if place < len(tokens) else ""
                return place + (following != "" and following in _AFTER)
    return len(tokens)


def _size(tokens: Sequence[Token]) -> int:
    return sum(len(token.symbols) + token.space for token in tokens)


def timed_words(tokens: Sequence[Token], frames: Frames) -> tuple[Word, ...]:
    """When each word sounds, by the frames of its symbols.

    As ``KPipeline.join_timestamps`` of kokoro 0.9.4: a space is shared by the words beside it,
    and everything lies up to three frames earlier than the frames themselves say. What cannot be
    told apart is left out.
    """
    lead = min(_LEAD_FRAMES, int(frames[0]))
    last = float(np.sum(frames))
    words: list[Word] = []
    for run in _runs(_spans(tokens, frames)):
        spoken = [span for span in run if set(span.token.symbols) - _SILENT]
        text = _bare("".join(span.token.text for span in run))
        if spoken and text and all(span.token.sure for span in run):
            begin = max(spoken[0].begin - lead, 0.0)
            end = min(max(spoken[-1].end - lead, begin), last)
            words.append(Word(text=text, start=begin * _FRAME_S, end=end * _FRAME_S))
    return tuple(words)


@dataclass(frozen=True)
class _Span:
    """A token between two times, in frames."""

    token: Token
    begin: float
    end: float


def _spans(tokens: Sequence[Token], frames: Frames) -> Iterator[_Span]:
    ends = np.cumsum(frames)
    place, edge = 1, float(ends[0])  # after the mark at the start
    for token in tokens:
        after = place + len(token.symbols)
        begin, edge = edge, float(ends[after - 1])
        if token.space and after < len(ends) - 1:
            edge += float(frames[after]) / 2
        yield _Span(token, begin, edge)
        place = min(after + token.space, len(ends) - 1)


def _runs(spans: Iterable[_Span]) -> Iterator[list[_Span]]:
    """What stands together without a space."""
    run: list[_Span] = []
    for span in spans:
        run.append(span)
        if span.token.space:
            yield run
            run = []
    if run:
        yield run


def _bare(word: str) -> str:
    """The word without the punctuation around it, unless there is nothing else."""
    word = word.strip()
    marks = "".join(char for char in word if unicodedata.category(char).startswith("P"))
    return word.strip(marks) or word
