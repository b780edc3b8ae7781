"""What is spoken, in order: pieces of text, and pauses between them."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from .._types.audio import Word
from .._types.models import ModelInfo
from .._types.speech import SpeechRequest
from .._types.transcription import gap

_PRONUNCIATION = re.compile(r"\]\(/[^/()]{1,200}/\)")
_AHEAD = 64
"""Characters that an engine may leave out without a word of it."""
_LONG = 64
"""A word is not looked for beyond so many characters on each side."""
_ENDS_WORD = frozenset("—–…“”«»()[]{}<>")  # noqa: RUF001 - dashes
_KEPT = frozenset("%#&@")
"""Punctuation that is spoken, so that it stays with its word."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A span of a piece's text that stands for another span of the original text."""

    start: int
    """Where it begins in ``Piece.text``."""
    end: int
    """Where it ends there."""
    source_start: int
    """Where what it stands for begins in the original text."""
    source_end: int
    """Where that ends."""
    shown: str | None = None
    """What readers see in its place, where the original has markup (``&`` for ``&amp;``)."""


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """A piece of text that an engine speaks at once, under one setting."""

    text: str
    """As the engine gets it; with ``[word](/ipa/)`` only for ``Capability.PHONEMES``."""
    start: int = 0
    """Where it begins in the original text."""
    edits: tuple[Edit, ...] = ()
    """Where it differs from the original, ascending; between them both run side by side."""
    voice: str | None = None
    """Instead of the request's."""
    language: str | None = None
    """Instead of the request's."""
    speed: float = 1.0
    """Times the request's."""
    volume: float = 1.0
    """Factor on the samples."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Silence."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class Passage:
    """Text that is prepared as one: a whole request, or a sentence of a text that comes in."""

    text: str
    script: Sequence[Utterance | Pause]
    """Places in it count from the beginning of ``text``."""
    start: int = 0
    """Characters of the whole text before it."""
    is_last: bool = False
    """Whether it is known that nothing follows."""


@dataclass(frozen=True, kw_only=True)
class SentenceStarted:
    """The sound that follows is of this sentence."""

    text: str
    start: int
    """Characters of the whole text before it."""


PrepareText = Callable[[SpeechRequest, ModelInfo], Sequence[Utterance | Pause]]
"""From a request's text to what is spoken one after the other."""


def whole(request: SpeechRequest, _model: ModelInfo) -> Sequence[Utterance | Pause]:
    """Leave the text in one piece."""
    return [Utterance(text=request.text)]


def original_words(
    text: str, piece: Utterance, words: Sequence[Word], seconds: float = 0.0
) -> tuple[Word, ...]:
    """Say where words of the original text are spoken, from the words of one of its pieces.

    The engine's words are looked up in the piece, in order; case and punctuation may differ. Those
    that fall on one word of the original ("twenty", "five" on "25") become one, from the first
    one's start to the last one's end; an engine's word that stands for several is left so. A word
    that cannot be found stands for what lies between its neighbours. No time is made up, and no
    word is lost: what the engine has no time for joins the word before it, or is the piece's only
    word, which lasts as long as the piece.

    Args:
        text: the original text.
        piece: what was spoken of it.
        words: the engine's words of ``piece.text``.
        seconds: how long the piece sounds.

    Returns:
        Words as the original has them, without punctuation around them but with their signs
        (``$5``, ``50%``); ``span`` is where they stand in it.
    """
    spoken = _PRONUNCIATION.sub(lambda match: " " * len(match[0]), piece.text)
    sources = _Sources(text, piece)
    found: list[Word] = []
    for word, place in _complete(spoken, words, seconds):
        start, end = sources.span(*place)
        last = found[-1] if found else None
        if last and last.span and start < last.span[1]:
            found[-1] = _merged(last, word, (min(start, last.span[0]), max(end, last.span[1])))
        elif start < end:
            found.append(replace(word, span=(start, end)))
    return tuple(sources.named(word) for word in found)


_Place = tuple[int, int]


def _complete(spoken: str, words: Sequence[Word], seconds: float) -> Iterator[tuple[Word, _Place]]:
    """Yield each word with its place, so that nothing which is spoken lies between the places."""
    places = _places(_lowered(spoken), words)
    found = [
        (word, _whole(spoken, *place))
        for word, place in zip(words, places, strict=True)
        if place is not None
    ]
    if not found:
        if whole := _trimmed(spoken, 0, len(spoken)):
            yield Word(text="", start=0.0, end=seconds), whole
        return
    reached = 0
    for index, (word, (start, end)) in enumerate(found):
        if index == 0 and (before := _trimmed(spoken, 0, start)):
            start = before[0]  # noqa: PLW2901
        reached = max(reached, end)
        following = found[index + 1][1][0] if index + 1 < len(found) else len(spoken)
        if after := _trimmed(spoken, reached, following):
            end = reached = after[1]  # noqa: PLW2901
        yield word, (start, end)


def _places(spoken: str, words: Sequence[Word]) -> list[_Place | None]:
    """Find each word in the text that was spoken; None for one that nothing is left for."""
    places: list[_Place | None] = []
    position = 0
    for word in words:
        place = _find(spoken, _lowered(word.text), position)
        places.append(place)
        position = place[1] if place else position
    begin = index = 0
    for is_missing, group in groupby(list(places), key=lambda place: place is None):
        count = len(list(group))
        if is_missing:
            following = places[index + count] if index + count < len(places) else None
            end = following[0] if following else len(spoken)
            places[index : index + count] = [_trimmed(spoken, begin, end)] * count
        index += count
        last = places[index - 1]
        begin = last[1] if last else begin
    return places


def _find(spoken: str, word: str, position: int) -> _Place | None:
    """Find the next place where a word stands by itself, not far ahead."""
    inner = _trimmed(word, 0, len(word))
    if inner is None:
        return None
    word = word[slice(*inner)]
    stop = position + _AHEAD + len(word)
    while (start := spoken.find(word, position, stop)) >= 0:
        end = start + len(word)
        if not _goes_on(spoken, start) and not _goes_on(spoken, end):
            return start, end
        position = start + 1
    return None


def _goes_on(text: str, place: int) -> bool:
    """Tell whether a word lies on both sides of a place, in a script that puts spaces between."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    return before.isalnum() and after.isalnum() and _spaced(before, after)


def _whole(text: str, start: int, end: int) -> _Place:
    """Widen a place to whole words: what spaces, brackets, quotes or dashes enclose."""
    least, most = max(start - _LONG, 0), min(end + _LONG, len(text))
    while start > least and _joined(text, start):
        start -= 1
    while end < most and _joined(text, end):
        end += 1
    return start, end


def _joined(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if before in _ENDS_WORD or after in _ENDS_WORD:
        return False
    return _spaced(before, after)


def _spaced(before: str, after: str) -> bool:
    """Tell whether two characters would be apart, had they a word's end between them."""
    if before.isascii() and after.isascii():
        return not (before.isspace() or after.isspace())
    return gap(before, after) == " "


def _trimmed(text: str, start: int, end: int) -> _Place | None:
    """Narrow a place to what is spoken of it; None if that is nothing."""
    while start < end and _is_silent(text[start]):
        if text[start] == "-" and text[start + 1 : start + 2].isdigit():
            break
        start += 1
    while start < end and _is_silent(text[end - 1]):
        end -= 1
    return (start, end) if start < end else None


def _is_silent(character: str) -> bool:
    if character in _KEPT:
        return False
    return character.isspace() or unicodedata.category(character)[0] in "PC"


def _lowered(text: str) -> str:
    """Lower case, with every character where it was."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(each.lower() if len(each.lower()) == 1 else each for each in text)


def _merged(one: Word, other: Word, span: _Place) -> Word:
    sure = [each for each in (one.probability, other.probability) if each is not None]
    return Word(
        text="",
        start=one.start,
        end=max(one.end, other.end),
        probability=min(sure, default=None),
        span=span,
    )


class _Sources:
    """Where the parts of a piece come from."""

    def __init__(self, text: str, piece: Utterance) -> None:
        self._text = text
        self._piece = piece
        self._shown = [edit for edit in piece.edits if edit.shown is not None]

    def span(self, start: int, end: int) -> _Place:
        """Return the span of the original that a part of the piece stands for."""
        edits = self._piece.edits
        first = bisect_right(edits, start, key=lambda edit: edit.end)
        begin = start + self._shift(first)
        if first < len(edits) and edits[first].start < start:
            begin = edits[first].source_start
        last = bisect_left(edits, end, key=lambda edit: edit.start)
        if last and edits[last - 1].end >= end:
            return begin, edits[last - 1].source_end
        return begin, end + self._shift(last)

    def _shift(self, index: int) -> int:
        """Say how far the original is ahead of the piece before the edit of this index."""
        if not index:
            return self._piece.start
        before = self._piece.edits[index - 1]
        return before.source_end - before.end

    def named(self, word: Word) -> Word:
        """Give a word the text that readers see in its span, without punctuation around it."""
        if word.span is None:
            return word
        readable, places = "", []
        for part, start, end in self._parts(*word.span):
            readable += part
            places += (
                [(start, end)] * len(part)
                if end - start != len(part)
                else [(place, place + 1) for place in range(start, end)]
            )
        kept = _trimmed(readable, 0, len(readable))
        if kept is None:
            return replace(word, text=readable.strip() or word.text)
        text = " ".join(readable[slice(*kept)].split())
        return replace(word, text=text, span=(places[kept[0]][0], places[kept[1] - 1][1]))

    def _parts(self, start: int, end: int) -> Iterator[tuple[str, int, int]]:
        """Yield what is readable of a span, with where each part of it stands."""
        index = bisect_right(self._shown, start, key=lambda edit: edit.source_end)
        while index < len(self._shown) and self._shown[index].source_start < end:
            edit = self._shown[index]
            yield self._text[start : edit.source_start], start, edit.source_start
            yield edit.shown or "", edit.source_start, edit.source_end
            start = edit.source_end
            index += 1
        yield self._text[start:end], start, end
