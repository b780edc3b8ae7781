"""The gender of the noun behind a number, by its ending."""

from __future__ import annotations

import re
from collections.abc import Callable

_WORD = re.compile(r"[^\W\d_]{2,40}")


def words(text: str) -> frozenset[str]:
    """Return words that stand in a text."""
    return frozenset(text.split())


def one_of(text: str) -> str:
    """Return a pattern of words that stand in a text, the longest ones first."""
    ordered = sorted(words(text), key=lambda each: (-len(each), each))
    return "|".join(each if "[" in each else re.escape(each) for each in ordered)


def behind(text: str) -> re.Pattern[str]:
    """Return a pattern of the end of a text: one of these words, and a space."""
    return re.compile(rf"(?<!\w)(?:{one_of(text)})[ \u00a0]$", re.IGNORECASE)


def by_ending(
    *, feminine: str, feminine_words: str, masculine_words: str, others: str, plural: bool = False
) -> Callable[[str, int], str]:
    """Make the function that tells a gender in a Romance language.

    Args:
        feminine: endings of feminine nouns, without the s of a plural.
        feminine_words: nouns that are feminine whatever their ending.
        masculine_words: nouns that are masculine whatever their ending.
        others: words that are no nouns.
        plural: nouns that there are several of end with an s.
    """
    is_feminine = re.compile(rf"(?:{one_of(feminine)})s?$|^(?:{one_of(feminine_words)})s?$")
    is_masculine = re.compile(rf"^(?:{one_of(masculine_words)})s?$")
    no_nouns = words(others)

    def gender(following: str, count: int) -> str:
        match = _WORD.match(following)
        word = match[0].lower() if match else ""
        if not word or word in no_nouns or (plural and count != 1 and not word.endswith("s")):
            return ""
        if is_masculine.search(word):
            return "m"
        return "f" if is_feminine.search(word) else "m"

    return gender
