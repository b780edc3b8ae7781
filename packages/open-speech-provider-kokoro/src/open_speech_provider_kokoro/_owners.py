# ruff: noqa: RUF001 - phonetic letters
"""Which groups of symbols belong to which word, where that can be told.

espeak-ng gives symbols for a whole text, in groups between spaces. It may join words, and speaks
numbers as several. What each word is spoken as when it stands
alone is held against what there is; where both agree, or exactly one thing stands between two
that agree, the borders are known. Elsewhere they are not, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_WEIGHTLESS = re.compile(r"[\sˈˌː;:,.!?—…\"()“”¿¡«»'-]")
_ALIKE = 0.7
"""``le`` and ``lez`` are alike, ``en`` and ``enla`` are not."""


def owners(alone: Sequence[Sequence[str]], groups: Sequence[str]) -> list[range | None]:
    """For each word the groups that are its own, or None where that cannot be told.

    ``alone`` has the groups of each word by itself, ``groups`` those of the words together.
    """
    single = [_bare(group) for word in alone for group in word]
    found = dict(_pairs(single, [_bare(group) for group in groups]))
    ranges: list[range | None] = []
    first = 0
    for word in alone:
        places = [found.get(place) for place in range(first, first + len(word))]
        first += len(word)
        ranges.append(_range(places))
    return ranges


def _range(places: Sequence[int | None]) -> range | None:
    """Places that follow one another."""
    if not places or places[0] is None:
        return None
    whole = range(places[0], places[0] + len(places))
    return whole if list(places) == list(whole) else None


def _pairs(single: Sequence[str], groups: Sequence[str]) -> Iterator[tuple[int, int]]:
    matcher = SequenceMatcher(None, single, groups, autojunk=False)
    edits = matcher.get_opcodes()
    # A group that nobody has alone may be the end of the word before or the start of the next.
    beside = {at for kind, at, *_ in edits if kind == "insert" for at in (at - 1, at)}
    for kind, begin, end, other, other_end in edits:
        pairs = list(zip(range(begin, end), range(other, other_end), strict=False))
        if kind == "replace":
            pairs = _certain(pairs, single, groups) if end - begin == other_end - other else []
        yield from (pair for pair in pairs if pair[0] not in beside)


def _certain(
    pairs: Sequence[tuple[int, int]], single: Sequence[str], groups: Sequence[str]
) -> list[tuple[int, int]]:
    """Pairs that are alike, and those that stand alone between such."""
    alike = [_alike(single[one], groups[other]) for one, other in pairs]
    border = [True, *alike, True]
    return [
        pair
        for place, pair in enumerate(pairs)
        if alike[place] or (border[place] and border[place + 2])
    ]


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def _bare(group: str) -> str:
    """Without stress, length and marks, which change among other words."""
    return _WEIGHTLESS.sub("", group)
