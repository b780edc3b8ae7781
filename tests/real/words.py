"""Texts made comparable, and how far what was heard is from what was said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import jiwer
from num2words import num2words

WITHOUT_SPACES = frozenset({"ja", "zh"})
"""Languages that are counted by the character."""
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc", "'''")
_SPOKEN = {"mr": "mister", "mrs": "missus", "dr": "doctor"}
"""English titles as they are said; a model that hears writes either."""
_NUMBER = re.compile(r"\d+")


def normal(text: str, language: str = "en") -> str:
    """Words in small letters, one space between them; numbers in words, marks left out."""
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
    text = _NUMBER.sub(lambda found: f" {_spelled(int(found[0]), language)} ", text)
    kept = (
        " " if unicodedata.category(letter)[0] in "PSZC" and letter != "'" else letter
        for letter in text
    )
    words = [word.strip("'") for word in "".join(kept).split()]
    if language == "en":
        words = [_SPOKEN.get(word, word) for word in words]
    joined = " ".join(word for word in words if word)
    return " ".join(joined.replace(" ", "")) if language in WITHOUT_SPACES else joined


def _spelled(number: int, language: str) -> str:
    try:
        return str(num2words(number, lang=language))
    except NotImplementedError:
        return str(number)


@dataclass(frozen=True)
class Heard:
    """One text, and what was understood of it."""

    said: str
    heard: str
    language: str = "en"

    @property
    def pair(self) -> tuple[str, str]:
        """Both, made comparable."""
        return normal(self.said, self.language), normal(self.heard, self.language)


def error_rate(results: Sequence[Heard]) -> float:
    """Words (or characters) wrong, missing and too many, as a share of those that were said."""
    said, heard = zip(*(each.pair for each in results), strict=True)
    return float(jiwer.wer(list(said), list(heard)))


def table(title: str, results: Sequence[Heard]) -> str:
    """What was said, where something else was heard, and the sum of it."""
    count = sum(len(each.pair[0].split()) for each in results)
    lines = [f"{title}: {error_rate(results):.1%} of {count}"]
    for each in results:
        said, heard = each.pair
        if said != heard:
            lines += [f"  said  {said}", f"  heard {heard}"]
    return "\n".join(lines)
