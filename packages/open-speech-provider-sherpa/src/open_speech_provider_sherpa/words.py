"""Words and their times, put together from the tokens that the engine tells.

Vocabularies mark words in several ways: a space (or U+2581) before the first token of a word, as
SentencePiece does; ``@@`` at the end of a token that goes on, as Paraformer does; none at all in
scripts without spaces, where each token is taken as a word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from open_speech import Word

LAST_TOKEN_S = 0.2
"""How long the last token is taken to sound; the engine tells where it is found, not its end."""
LONGEST_TOKEN_S = 0.5
"""A token sounds no longer than this, whatever the pause behind it."""

_MARK = "\u2581"
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_GOES_ON = "@@"
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # CJK ideographs
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


@dataclass(frozen=True, kw_only=True)
class Token:
    """One token as the engine tells it."""

    text: str
    start: float
    """Seconds."""
    duration: float = 0.0
    """Seconds, where the model knows them."""
    logprob: float | None = None


def tokens(
    texts: Sequence[str],
    times: Sequence[float],
    durations: Sequence[float] = (),
    logprobs: Sequence[float] = (),
) -> list[Token]:
    """The engine's lists as tokens; none where it tells no times."""
    if len(times) != len(texts):
        return []
    known = durations if len(durations) == len(texts) else [0.0] * len(texts)
    sure: Sequence[float | None] = logprobs if len(logprobs) == len(texts) else [None] * len(texts)
    lists = zip(texts, times, known, sure, strict=True)
    return [
        Token(text=text, start=float(start), duration=float(length), logprob=logprob)
        for text, start, length, logprob in lists
    ]


def words(text: str, heard: Sequence[Token], end: float) -> tuple[Word, ...]:
    """The words of a text, with times from its tokens, none beyond ``end``.

    Where the tokens do not add up to the text (numbers written as figures, letters as bytes),
    its words share the time of all tokens by their letters.
    """
    if not heard:
        return ()
    said = _split(text)
    ends = _ends(heard, end)
    pieces = list(_pieces(heard, ends))
    whole = "".join(said)
    # The engine takes punctuation off the beginning of a text, and not its token.
    while pieces and not pieces[0][0].isalnum() and _text(pieces) != whole:
        pieces.pop(0)
    if _text(pieces) != whole:
        return _shared(said, heard[0].start, ends[-1])
    return tuple(_word(word, parts, end) for word, parts in _matched(said, pieces))


def spread(text: str, start: float, end: float) -> tuple[Word, ...]:
    """The words of a text of which no times are known: they share the time by their letters."""
    return _shared(_split(text), start, end)


_Part = tuple[Token, float]
"""A token and where it ends."""


def _matched(
    said: Sequence[str], pieces: Sequence[tuple[str, Sequence[_Part]]]
) -> Iterator[tuple[str, list[_Part]]]:
    """Each word with its tokens; words that share a token are one."""
    rest = iter(pieces)
    word, length, parts, heard = "", 0, list[_Part](), 0
    for text in said:
        word += (" " if word and not _is_unspaced(text[0]) else "") + text
        length += len(text)
        while heard < length:
            piece, more = next(rest)
            heard += len(piece)
            parts.extend(more)
        if heard == length:
            yield word, parts
            word, parts = "", []


def _text(pieces: Sequence[tuple[str, Sequence[_Part]]]) -> str:
    return "".join(piece for piece, _ in pieces)


def _pieces(heard: Sequence[Token], ends: Sequence[float]) -> Iterator[tuple[str, list[_Part]]]:
    """What each token adds to the text; bytes of one character are put together."""
    data, parts = bytearray(), list[_Part]()
    for token, end in zip(heard, ends, strict=True):
        parts.append((token, end))
        match = _BYTE.fullmatch(token.text)
        if match:
            data.append(int(match[1], 16))
            if not _complete(data):
                continue
        text = data.decode(errors="replace") if data else token.text
        bare = "".join(text.replace(_MARK, " ").split()).removesuffix(_GOES_ON)
        if bare:
            yield bare, parts
            parts = []
        data = bytearray()


def _complete(data: bytearray) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _ends(heard: Sequence[Token], end: float) -> list[float]:
    """Where each token ends: by its duration, else where the next one begins."""
    nexts = [token.start for token in heard[1:]] + [heard[-1].start + LAST_TOKEN_S]
    return [
        min(
            token.start + token.duration
            if token.duration > 0
            else min(max(after, token.start), token.start + LONGEST_TOKEN_S),
            max(end, token.start),
        )
        for token, after in zip(heard, nexts, strict=True)
    ]


def _word(said: str, parts: Sequence[_Part], end: float) -> Word:
    start = min(parts[0][0].start, end)
    sure = [token.logprob for token, _ in parts if token.logprob is not None]
    return Word(
        text=said,
        start=start,
        end=max(start, min(max(stop for _, stop in parts), end)),
        probability=min(1.0, math.exp(sum(sure) / len(sure))) if sure else None,
    )


def _shared(said: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
    whole = sum(map(len, said))
    made, done = [], 0
    for word in said:
        first = start + (end - start) * done / whole
        done += len(word)
        last = min(end, start + (end - start) * done / whole)
        made.append(Word(text=word, start=first, end=max(first, last)))
    return tuple(made)


def _split(text: str) -> list[str]:
    """The words of a text: of scripts without spaces each letter, and no punctuation alone."""
    found: list[str] = []
    for spaced in text.split():
        begins = True
        for char in spaced:
            unspaced = _is_unspaced(char) or (not begins and _is_unspaced(found[-1][-1]))
            if found and not char.isalnum() and not begins:
                found[-1] += char
            elif begins or unspaced:
                found.append(char)
            else:
                found[-1] += char
            begins = False
    return _joined(found)


def _joined(found: Sequence[str]) -> list[str]:
    """Punctuation that stands alone belongs to the word before it."""
    kept: list[str] = []
    for word in found:
        if kept and not any(char.isalnum() for char in word):
            kept[-1] += word
        else:
            kept.append(word)
    return kept


def _is_unspaced(char: str) -> bool:
    point = ord(char)
    return any(low <= point <= high for low, high in _UNSPACED)
