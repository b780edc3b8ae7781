"""Numbers as they are written with a decimal comma, and their words with gender and number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ... import numbers
from .grammar import Grammar, Noun

_SPACES = " \u00a0\u202f\u2009"
_GROUPS = (
    r"[1-9]\d{0,2}(?:\.\d{3}){1,5}(?![\d.])"
    rf"|[1-9]\d{{0,2}}(?:[{_SPACES}]\d{{3}}){{1,5}}(?![{_SPACES}]?\d)"
    r"|[1-9]\d{0,2}(?:['\u2019]\d{3}){1,5}(?!\d)"
    r"|[1-9]\d{0,2}(?:,\d{3}){2,5}(?![\d,])"
    r"|[1-9]\d{0,2}(?:,\d{3})(?=\.\d)"
)
NUMBER = rf"(?:{_GROUPS}|\d{{1,400}})(?:[.,]\d{{1,40}})?"
"""A number. Bounded, as every repetition of a rule is."""
SPACE = "[ \u00a0\u202f]?"
"""A space that may be missing."""
DASH = rf"{SPACE}[-\u2010-\u2014]{SPACE}"
MINUS = "\u2212\u2013-"
"""Signs; the hyphen last, for use in a class of characters."""
BEFORE = rf"(?<![\w.,:/'\u2019{MINUS}])"
"""Nothing that a number goes on from."""
SIGNED = rf"(?:(?<![^\s(\[{{\"'\u00ab\u201e\u201c<>=\u2248])(?P<minus>[{MINUS}])|{BEFORE})"
"""A minus begins a number only where nothing stands right before it."""
AFTER = r"(?!\w|[.,:/'\u2019]\d|[-\u2013]\d)"
"""Nothing that a number goes on with."""


@dataclass(frozen=True)
class Written:
    """A number as it is written."""

    whole: str
    part: str = ""
    mark: str = ","

    @property
    def is_one(self) -> bool:
        """Whether it is exactly one."""
        return self.whole == "1" and not self.part

    @property
    def is_whole_millions(self) -> bool:
        """Whether it ends with the name of millions."""
        return not self.part and len(self.whole) > 6 and not int(self.whole[-6:] or "0")


def written(text: str, grammar: Grammar, region: str) -> Written:
    """Tell the marks between thousands from the decimal mark."""
    text = re.sub(rf"[{_SPACES}'\u2019]", "", text)
    marks = [each for each in text if each in ".,"]
    if not marks:
        return Written(text)
    last = marks[-1]
    whole, _, part = text.rpartition(last)
    if len(set(marks)) == 1:
        is_decimal_mark = (last == ".") == (region in grammar.point_regions)
        groups = len(part) == 3 and len(whole) <= 3 and not whole.startswith("0")
        if len(marks) > 1 or (groups and not is_decimal_mark):
            return Written(text.replace(last, ""))
    return Written(re.sub("[.,]", "", whole), part, last)


def cardinal(number: Written, grammar: Grammar, region: str, gender: str = "") -> str:
    """Spell a number out; a gender is for one that stands before what it counts."""
    if grammar.only_one_agrees and not number.is_one:
        gender = ""
    words = _whole(number.whole, grammar, region, "" if number.part else gender)
    if not number.part:
        return words
    mark = grammar.comma if number.mark == "," or region in grammar.point_regions else grammar.stop
    if region in grammar.point_regions:
        mark = grammar.stop
    return f"{words} {mark} {_part(number, grammar, region)}"


def _whole(digits: str, grammar: Grammar, region: str, gender: str = "") -> str:
    locale = grammar.locales.get(region, grammar.code)
    is_plain = len(digits) <= numbers.MAX_DIGITS and (len(digits) == 1 or digits[0] != "0")
    ruleset = grammar.rulesets.get(gender) or grammar.rulesets[""]
    words = numbers.spelled(int(digits), locale, ruleset) if is_plain else None
    return words or numbers.digits(digits, grammar.code)


def _part(number: Written, grammar: Grammar, region: str) -> str:
    part = number.part
    is_read_whole = not grammar.digits_after_comma or number.mark == "."
    rest = part.lstrip("0")
    if not is_read_whole or len(part) > 3 or not rest:
        return numbers.digits(part, grammar.code)
    zeros = numbers.digits("0" * (len(part) - len(rest)), grammar.code)
    return f"{zeros} {_whole(rest, grammar, region)}".strip()


def year(digits: str, grammar: Grammar, region: str) -> str:
    """Spell a year out."""
    if grammar.year and 1100 <= int(digits) < 2000:
        locale = grammar.locales.get(region, grammar.code)
        return numbers.spelled(int(digits), locale, grammar.year) or digits
    return _whole(digits.lstrip("0") or "0", grammar, region)


def place(digits: str, form: str, grammar: Grammar, region: str) -> str | None:
    """Spell a place in an order out; the form is a gender or what the language calls it."""
    locale = grammar.locales.get(region, grammar.code)
    if len(digits) > 6 or not int(digits):
        return None
    return numbers.spelled(int(digits), locale, grammar.place(form))


def counted(number: Written, noun: Noun, grammar: Grammar, region: str) -> str:
    """Say how much there is of something."""
    if number.is_one and noun.single:
        return noun.single
    words = cardinal(number, grammar, region, noun.gender)
    name = noun.one if is_singular(number, grammar) else noun.many
    return f"{words} {of(name, grammar) if number.is_whole_millions else name}"


def of(name: str, grammar: Grammar) -> str:
    """Say that it is millions of something."""
    if not grammar.of:
        return name
    if grammar.of_vowel and name[:1].lower() in "aeiouyéèêh":
        return f"{grammar.of_vowel}{name}"
    return f"{grammar.of} {name}"


def is_singular(number: Written, grammar: Grammar) -> bool:
    """Tell whether what is counted stands in the singular."""
    if number.is_one:
        return True
    if len(number.whole) > 1:
        return False
    if number.whole == "0":
        return grammar.singular_zero or (grammar.singular_below_two and bool(number.part))
    return grammar.singular_below_two and number.whole == "1"
