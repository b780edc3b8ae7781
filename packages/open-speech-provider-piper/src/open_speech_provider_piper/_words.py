"""From the phonemes of sentences to the words of their text.

The engine tells how long each phoneme lasts, not which word it belongs to: numbers become several
words, short ones are run together ("of the" is one). So every word is made into phonemes by itself,
and these are laid along those of the sentences with as few differences as possible (the edit
distance of Wagner and Fischer, 1974); a word is what its phonemes come to lie on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._phonemes import Phonemize, Script

_SPACE = " "
_SEPARATORS = frozenset(" ,;:.!?")
_PROSODY = frozenset("ˈˌːˑ")
_MAX_CELLS = 16_000_000
"""Of the table, a byte each; a thousand characters of text need a tenth of them."""

# What differences cost: stress moves with a word's place in the sentence, words stay apart.
_SOFT, _PLAIN, _HARD = 1, 2, 5


class Place(NamedTuple):
    """Where a word is spoken."""

    word: str
    sentence: int
    first: int
    """Its first phoneme, of the sentence's."""
    last: int
    """Behind its last one."""


def places(script: Script, phonemize: Phonemize) -> list[Place]:
    """Find every word of a text that is spoken, in order; none where there is too much text."""
    words = [bare(word) for word, _ in script.words]
    said = [
        _sounds(told if told is not None else _alone(word, phonemize))
        for word, (_, told) in zip(words, script.words, strict=True)
    ]
    spoken = [(word, sounds) for word, sounds in zip(words, said, strict=True) if sounds]
    heard = [
        (sentence, index, phoneme)
        for sentence, phonemes in enumerate(script.sentences)
        for index, phoneme in enumerate([*phonemes, _SPACE])
    ]
    expected = [(number, p) for number, (_, sounds) in enumerate(spoken) for p in [*sounds, _SPACE]]
    if not spoken or len(expected) * len(heard) > _MAX_CELLS:
        return []
    starts = _starts([p for _, p in expected], [p for _, _, p in heard])
    firsts: dict[int, int] = {}
    for (number, phoneme), start in zip(expected, starts, strict=True):
        if phoneme != _SPACE and start is not None and heard[start][2] not in _SEPARATORS:
            firsts.setdefault(number, start)
    return _between([spoken[number][0] for number in firsts], list(firsts.values()), heard)


def bare(word: str) -> str:
    """The word without the punctuation around it, unless there is nothing else."""
    marks = "".join(char for char in word if unicodedata.category(char).startswith("P"))
    return word.strip(marks) or word


def _between(
    words: list[str], firsts: list[int], heard: Sequence[tuple[int, int, str]]
) -> list[Place]:
    """Let each word begin where something does, and end where the next begins."""
    found: list[Place] = []
    floor = 0
    for number, word in enumerate(words):
        first = firsts[number]
        while first > floor and heard[first - 1][2] not in _SEPARATORS:
            first -= 1
        limit = firsts[number + 1] if number + 1 < len(firsts) else len(heard)
        sentence = heard[first][0]
        last = first + 1
        for index in range(first, limit):
            if heard[index][0] == sentence and heard[index][2] not in _SEPARATORS:
                last = index + 1
        found.append(Place(word, sentence, heard[first][1], heard[last - 1][1] + 1))
        floor = last
    return found


def _alone(word: str, phonemize: Phonemize) -> list[str]:
    return [p for sentence in phonemize(word) for p in [*sentence, _SPACE]]


def _sounds(phonemes: Sequence[str]) -> list[str]:
    """What is heard of a word: no punctuation at its end, no space around it."""
    sounds = list(phonemes)
    while sounds and sounds[-1] in _SEPARATORS:
        sounds.pop()
    while sounds and sounds[0] in _SEPARATORS:
        sounds.pop(0)
    return sounds


def _starts(expected: Sequence[str], heard: Sequence[str]) -> list[int | None]:
    """The index in ``heard`` that each phoneme of ``expected`` lies on; None for what is left out.

    A row of the table at a time: what comes from the left is the running minimum of a row from
    which the cost of going there was taken.
    """
    skip = np.array([_gap(p) for p in heard], np.int32)
    ahead = np.concatenate([[0], np.cumsum(skip)]).astype(np.int32)
    alphabet = {p: _costs(p, heard) for p in set(expected)}
    row = ahead.copy()
    moves = np.zeros((len(expected), len(heard) + 1), np.int8)
    for number, phoneme in enumerate(expected):
        up = row + _gap(phoneme)
        across = np.concatenate([up[:1], row[:-1] + alphabet[phoneme]])
        best = np.minimum(up, across)
        final = np.minimum.accumulate(best - ahead) + ahead
        moves[number] = np.where(final < best, 2, np.where(across <= up, 1, 0))
        moves[number, 0] = 0
        row = final.astype(np.int32)
    return _traced(moves)


def _traced(moves: NDArray[np.int8]) -> list[int | None]:
    number, place = moves.shape[0], moves.shape[1] - 1
    starts: list[int | None] = [None] * number
    while number > 0:
        move = moves[number - 1, place]
        if move == 2:
            place -= 1
            continue
        number -= 1
        if move == 1:
            place -= 1
            starts[number] = place
    return starts


def _costs(phoneme: str, heard: Sequence[str]) -> NDArray[np.int32]:
    return np.array([_cost(phoneme, other) for other in heard], np.int32)


def _cost(one: str, other: str) -> int:
    if one == other or (one in _SEPARATORS and other in _SEPARATORS):
        return 0
    if (one in _SEPARATORS) != (other in _SEPARATORS) or (one in _PROSODY) != (other in _PROSODY):
        return _HARD
    return _SOFT if one in _PROSODY else _PLAIN + 1


def _gap(phoneme: str) -> int:
    return _SOFT if phoneme in _PROSODY or phoneme in _SEPARATORS else _PLAIN
