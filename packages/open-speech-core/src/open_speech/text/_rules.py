"""How a rule of normalisation is written down, and how rules are applied to a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .._types.tokens import TokenKind
from . import numbers
from ._tracked import Replacement


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a rule needs to know to write something out."""

    language: str
    """The main part of a BCP-47 tag, in lower case."""
    region: str = ""
    """The country of the tag, in upper case: ``GB`` of ``en-GB``; empty if it has none."""

    is_day_first: bool = False
    """English dates such as 1/2/2030 begin with the day."""

    def number(self, text: str) -> str:
        """Spell out digits, with a point before decimals and without marks between thousands."""
        return numbers.cardinal(text, self.language)


Say = Callable[[re.Match[str], Reading], str | None]
"""From what a pattern found to what is spoken; None leaves it to the rules that follow."""


@dataclass(frozen=True)
class Rule:
    """What is written in one way, and how it is spoken.

    What a rule returns is final, no other rule sees it. Where it returns just what was found, that
    stays as it is and no other rule sees it either.
    """

    kind: TokenKind
    """An engine that reads this kind rightly gets what was found as it stands."""
    pattern: re.Pattern[str]
    """Takes bounded time at each place of a text."""
    say: Say
    said: int | str = 0
    """The group that is replaced; what surrounds it is left to the rules that follow."""
    has_figure: bool = False
    """What the pattern finds has a figure in it: a text without any is not searched."""
    joins: bool = False
    """What is spoken may be a part of a word; else spaces keep it apart from letters and digits."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """What core knows of a language."""

    rules: tuple[Rule, ...]
    """In order: each one sees what the ones before it left."""
    date: Callable[[int | None, int, int, Reading], str | None] | None = None
    """Reads a year, a month and a day; None if there is no such day."""
    plus: str = "plus"
    """The sign that begins an international telephone number."""


def found(
    rules: Iterable[Rule],
    text: str,
    reading: Reading,
    taken: Sequence[Replacement | tuple[int, int]],
    left: Collection[TokenKind] = (),
) -> list[Replacement]:
    """Apply rules one after the other, each to what the ones before it left.

    Args:
        rules: the first ones first.
        text: what to look through.
        reading: how to write things out.
        taken: parts that are settled, ascending.
        left: kinds that are found, and left as they are.

    Returns:
        Replacements, ascending; those of ``taken`` are among them.
    """
    made = [each for each in taken if isinstance(each, Replacement)]
    settled = sorted((e.start, e.end) if isinstance(e, Replacement) else e for e in taken)
    figures = any(character.isnumeric() for character in text)
    for rule in rules:
        if rule.has_figure and not figures:
            continue
        new = [
            replacement
            for start, end in _gaps(settled, len(text))
            for replacement in _applied(rule, text, reading, start, end)
        ]
        if new:
            settled = sorted([*settled, *((each.start, each.end) for each in new)])
            if rule.kind not in left:
                made += (each for each in new if each.text != text[each.start : each.end])
    return _parted(sorted(made, key=lambda each: each.start))


def _parted(made: list[Replacement]) -> list[Replacement]:
    """Put a space between words that stand for parts of the text right beside each other."""
    for index in range(1, len(made)):
        one, other = made[index - 1], made[index]
        is_beside = one.end == other.start and one.text and other.text
        if is_beside and one.text[-1].isalnum() and other.text[0].isalnum():
            made[index] = replace(other, text=f" {other.text}")
    return made


def _gaps(settled: Sequence[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    position = 0
    for start, end in settled:
        if start > position:
            yield position, start
        position = end
    if position < size:
        yield position, size


def _applied(
    rule: Rule, text: str, reading: Reading, start: int, end: int
) -> Iterator[Replacement]:
    for match in rule.pattern.finditer(text, start, end):
        said = rule.say(match, reading)
        if said is not None and match[rule.said]:
            begin, stop = match.span(rule.said)
            apart = said if rule.joins else _apart(said, text, begin, stop)
            yield Replacement(begin, stop, apart)


def _apart(said: str, text: str, start: int, end: int) -> str:
    """Put spaces around words that would run into what stands beside them."""
    if not said or said == text[start:end]:
        return said
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if before.isalnum() and said[0].isalnum():
        said = f" {said}"
    if after.isalnum() and said[-1].isalnum():
        said = f"{said} "
    return said
