"""Aligning a text with a recording that is longer than the model hears at once.

Window by window: what is understood in a window tells how far the text goes in it, and that much
of the text is aligned with it. The next window begins behind a word that was surely placed, so
that an error at the edge of a window is mended in the next one. Finding where text and recording
meet before aligning what lies between is the method of Moreno, Joerg, Van Thong and Glickman,
"A recursive algorithm for the forced alignment of very long audio segments", ICSLP 1998.

Nothing here knows the model.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from open_speech import Word
from open_speech.errors import InvalidRequest

from ._silence import Sound, Window

MARGIN_S = 2.0
"""At the end of a window words may be cut off; those that end so late wait for the next one."""
SLACK = 8
"""So many letters must be understood behind a word before it is surely in the window."""
LEAST = 6
"""Matching letters, less those that differ, below which a likeness is chance."""
MOST_LOST = 2
"""Windows in a row in which nothing of the text is understood: an introduction, perhaps music."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One word with its time in the whole recording."""

    word: Word
    token_probabilities: tuple[float, ...]


class Ear(Protocol):
    """What a model does for one text; words go by their index."""

    def room(self, window: Window, first: int) -> int:
        """How many words from one on can be placed in a window. Raises where not even one can."""

    def heard(self, window: Window, first: int) -> str:
        """What is understood in a window; the words before ``first`` were said before it."""

    def placed(self, window: Window, first: int, last: int) -> Sequence[Placed]:
        """Times of the words up to ``last`` (excluded). Raises where they cannot be in it."""


def walk(sound: Sound, words: Sequence[str], ear: Ear, frames: int) -> Iterator[Sequence[Placed]]:
    """Yield the words with their times, window by window, each of so many frames of sound.

    What sounds after the last word is left alone. Raises InvalidRequest where text and recording
    part ways, and what the ear raises.
    """
    done, position, lost = 0, 0.0, 0
    while done < len(words):
        window = sound.window(position, frames)
        if window.is_last:
            yield ear.placed(window, done, len(words))
            return
        room = words[done : done + ear.room(window, done)]
        is_rest, is_due = len(room) == len(words) - done, done > 0 and not lost
        sure, likely = counts(ear.heard(window, done), room, whole=is_rest, due=is_due)
        if not sure:
            if (lost := lost + 1) > MOST_LOST:
                raise _parted(window, words[done:])
            position = window.end - MARGIN_S
            continue
        lost = 0
        placed = ear.placed(window, done, done + likely)
        if kept := keep(placed, sure, window):
            yield placed[:kept]
            done, position = done + kept, placed[kept - 1].word.end
        else:
            position = placed[0].word.start


def keep(placed: Sequence[Placed], sure: int, window: Window) -> int:
    """How many of the words in a window to keep: up to the longest pause in its second half.

    0 where the text begins so late in the window that another one shall begin there.
    """
    latest = window.end - MARGIN_S
    good = [n for n in range(1, sure + 1) if placed[n - 1].word.end <= latest]
    if not good:
        return 0 if placed[0].word.start > window.start + MARGIN_S else sure
    late = [n for n in good if placed[n - 1].word.end >= (window.start + latest) / 2]
    return max(late or good[-1:], key=lambda n: (_pause(placed, n), n))


def _pause(placed: Sequence[Placed], count: int) -> float:
    """Tenths of a second between the so manieth word and the next."""
    if count == len(placed):
        return 0.0
    return round(placed[count].word.start - placed[count - 1].word.end, 1)


def counts(heard: str, words: Sequence[str], *, whole: bool, due: bool) -> tuple[int, int]:
    """How many of the words, from the first on, are surely and likely in what was heard.

    Letters are compared, not words: scripts without spaces have long ones, and "twentyfive" is
    "twenty-five". ``whole``: no words follow these; ``due``: the first one is expected at once.
    """
    spelled = [_letters(word) for word in words]
    ends = list(accumulate(map(len, spelled)))
    total = ends[-1] if ends else 0
    said = _matched(_letters(heard), "".join(spelled), due=due)
    if whole and said >= total - min(2, total // 4):
        return len(words), len(words)
    sure = bisect_right(ends, said - SLACK)
    return sure, min(bisect_right(ends, said) + 1, len(words)) if sure else 0


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, plain))


def _matched(heard: str, known: str, *, due: bool) -> int:
    """Letters of a text, from its beginning, that are somewhere in what was heard.

    An alignment of the two with a point for each letter alike and one less for each other step;
    what was heard after it and the text after cost nothing, nor what was heard before if it is not
    ``due``.
    """
    letters, gaps = _codes(known), np.arange(len(known) + 1, dtype=np.int32)
    row = -gaps
    best, said = min(LEAST, len(known) - len(known) // 4) - 1, 0
    for code in _codes(heard):
        steps = np.where(letters == code, 1, -1)
        following = np.full_like(row, row[0] - 1 if due else 0)
        following[1:] = np.maximum(row[:-1] + steps, row[1:] - 1)
        row = np.maximum.accumulate(following + gaps) - gaps
        if row[place := int(row.argmax())] > best:
            best, said = int(row[place]), place
    return said


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _parted(window: Window, rest: Sequence[str]) -> InvalidRequest:
    return InvalidRequest(
        f"Up to {window.end:.0f} s the recording does not say how the text goes on: "
        f"{' '.join(rest[:6])[:100]!r}.",
        param="text",
        hint="Send the text that is said in the recording, or both in parts that fit.",
    )
