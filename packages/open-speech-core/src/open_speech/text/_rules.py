"""How a rule of normalisation is written down, and how rules are applied to a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import numbers
from ._tracked import Replacement

NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,6}(?!,?\d)|\d{1,400})(?:\.\d{1,40})?"
"""A number as English writes it. Bounded, as every repetition of a rule is."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a rule needs to know to write something out."""

    language: str
    """The main part of a BCP-47 tag, in lower case."""
    is_day_first: bool = False
    """Dates such as 1/2/2030 begin with the day."""
    spells: bool = True
    """Numbers become words; else they stay, for the engine reads them."""

    def number(self, text: str) -> str:
        """Write a number as it shall stand."""
        return numbers.cardinal(text.replace(",", ""), self.language) if self.spells else text

    def inner(self, text: str) -> str:
        """Write the numbers within a text as they shall stand, apart from its letters."""
        if not self.spells:
            return text
        spelled = re.sub(r"\d{1,400}", lambda match: f" {self._short(match[0])} ", text)
        return " ".join(spelled.split())

    def _short(self, digits: str) -> str:
        read = numbers.cardinal if len(digits) <= 4 else numbers.digits
        return read(digits, self.language)


@dataclass(frozen=True)
class Rule:
    """What is written in one way, and how it is spoken."""

    pattern: re.Pattern[str]
    """Takes bounded time at each place of a text."""
    say: Callable[[re.Match[str], Reading], str | None]
    """Returns what to put for the group ``said``; None leaves it to the rules that follow."""
    said: int | str = 0


def found(
    rules: Iterable[Rule],
    text: str,
    reading: Reading,
    taken: Sequence[Replacement | tuple[int, int]],
) -> list[Replacement]:
    """Apply rules one after the other, each to what the ones before it left.

    Args:
        rules: the first ones first.
        text: what to look through.
        reading: how to write things out.
        taken: parts that are settled, ascending.

    Returns:
        Replacements, ascending; those of ``taken`` are among them.
    """
    made = [each for each in taken if isinstance(each, Replacement)]
    settled = sorted((e.start, e.end) if isinstance(e, Replacement) else e for e in taken)
    for rule in rules:
        new = [
            replacement
            for start, end in _gaps(settled, len(text))
            for replacement in _applied(rule, text, reading, start, end)
        ]
        if new:
            made += new
            settled = sorted([*settled, *((each.start, each.end) for each in new)])
    return sorted(made, key=lambda each: each.start)


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
            yield Replacement(match.start(rule.said), match.end(rule.said), said)
