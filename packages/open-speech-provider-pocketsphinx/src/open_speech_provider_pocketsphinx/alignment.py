"""Known text as words that the dictionary has, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from open_speech import Word
from open_speech.errors import InvalidRequest

MAX_SECONDS = 120.0
"""The engine takes the recording in one piece, so this bounds its time and memory."""

_JOINTS = re.compile(r"[-\u2010-\u2015/]+")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'"})
_EDGES = re.compile(r"^\W+|\W+$")


def spoken(text: str, knows: Callable[[str], bool]) -> list[tuple[str, list[str]]]:
    """Each word of a text (split at white space) with those of the dictionary that it is said as.

    Case and punctuation are left out for the dictionary, and what is joined by hyphens is several
    words there. A word of punctuation alone is said as none. Raises InvalidRequest naming the
    words that the dictionary lacks, figures among them, and for a text without words.
    """
    found = [(word, _said(word, knows)) for word in text.split()]
    strange = [word for word, said in found if said is None]
    if strange:
        raise refusal(f"Not in the dictionary: {', '.join(strange)[:200]}.")
    if not any(said for _, said in found):
        raise refusal("There is no word in the text to align.")
    return [(word, said or []) for word, said in found]


def placed(text: Sequence[tuple[str, list[str]]], timed: Sequence[Word]) -> Iterator[Word]:
    """The words of the text with the times of those of the dictionary, which come in order.

    What is punctuation alone takes no time, where the word before it ends.
    """
    rest, latest = iter(timed), timed[0].start
    for word, said in text:
        if parts := list(islice(rest, len(said))):
            certain = min(part.probability or 0.0 for part in parts)
            latest = parts[-1].end
            yield Word(text=word, start=parts[0].start, end=latest, probability=certain)
        else:
            yield Word(text=word, start=latest, end=latest)


def refusal(message: str) -> InvalidRequest:
    """The error for a text that cannot be aligned."""
    return InvalidRequest(
        message,
        param="text",
        hint="Give what is said word for word, in words that an English dictionary has.",
    )


def _said(word: str, knows: Callable[[str], bool]) -> list[str] | None:
    """The words of the dictionary, or None where it lacks one."""
    lower = word.lower().translate(_APOSTROPHES)
    bare = _EDGES.sub("", lower)
    for form in (lower, bare):
        if form.isascii() and form[:1].isalnum() and knows(form):
            return [form]
    parts = [part for joined in _JOINTS.split(bare) if (part := _EDGES.sub("", joined))]
    return parts if all(part.isascii() and knows(part) for part in parts) else None
