"""What the rules of this package need to know of a language, as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Noun:
    """What is counted."""

    one: str
    many: str
    gender: str = ""
    """``m``, ``f`` or ``n``; empty where the number before it stands as in counting."""
    single: str = ""
    """One of it, where that is not the number and ``one``: Italian ``un'ora``."""


def m(one: str, many: str = "", single: str = "") -> Noun:
    """Return a masculine noun."""
    return Noun(one, many or one, "m", single)


def f(one: str, many: str = "", single: str = "") -> Noun:
    """Return a feminine noun."""
    return Noun(one, many or one, "f", single)


def n(one: str, many: str = "", single: str = "") -> Noun:
    """Return a neuter noun."""
    return Noun(one, many or one, "n", single)


def same(word: str) -> Noun:
    """Return what takes the number as in counting: ``por ciento``."""
    return Noun(word, word)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How times of day are written and read."""

    hour: Noun
    """Whose gender the hour takes."""
    full: Callable[[int], bool]
    """Whether a full hour is said with its name: ``quatorze heures``, but ``las nueve``."""
    before_minutes: str
    """What stands between hour and minutes."""
    minutes: str = ""
    """The gender that minutes take."""
    minute: Noun
    seconds: Noun
    halves: Callable[[int, str], str] | None = None
    """What is said for a.m. and p.m., by the hour from 0 to 11 and ``a`` or ``p``."""
    marks: str
    """The words and letters behind a time, as a pattern: ``Uhr``."""
    from_: str = ""
    to: str = ""
    """What stands before and within a range, where that is not as with other numbers."""
    letter: bool = False
    """Times may be written ``14h30``."""
    dotted: str = ""
    """Before or behind which words ``14.30`` is a time, as a pattern of the whole."""


@dataclass(frozen=True, kw_only=True)
class Romans:
    """How numerals behind names are read."""

    men: frozenset[str]
    women: frozenset[str]
    places_up_to: int
    """Rulers have places in an order up to here (Carlos tercero), and counts beyond."""
    article: Callable[[str, str], str] = lambda _gender, _name: ""
    """What stands between name and place: ``der``."""
    before: str
    """Words that a numeral stands behind as a count, as a pattern: ``capítulo``."""
    centuries: str = ""
    """Words that a numeral stands behind as a place up to ten: ``siglo``."""
    ahead: Mapping[str, str] = field(default_factory=dict)
    """Words that a numeral stands before as a place, with its gender, as patterns."""


@dataclass(frozen=True, kw_only=True)
class Fractions:
    """How parts of a whole are read."""

    half: str
    half_m: str
    half_f: str
    half_n: str = ""
    """Before a noun: ``half a cup``."""
    and_half: str
    """Behind a number: ``two and a half``."""
    and_half_f: str
    and_: str
    """Between a number and another part."""
    names: Mapping[int, Noun]
    """By the lower number: thirds, quarters and so on."""
    otherwise: Callable[[str], Noun]
    """Makes such a name of a cardinal."""
    of: str = ""
    """Between a part and a noun."""
    over: str
    """``120/80``."""
    out_of: str
    """``8/10``."""
    half_behind: bool = True
    """Whether a half follows what is counted: ``deux tasses et demie``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Grammar:
    """A language whose decimal mark is the comma."""

    code: str
    locales: Mapping[str, str] = field(default_factory=dict)
    """Regions with spelling rules for numbers that differ, and their names in Unicode's data."""
    variants: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By region: words that are spelled or named in another way there."""
    point_regions: frozenset[str] = frozenset()
    """Where the decimal mark is the point."""
    rulesets: Mapping[str, str]
    """Unicode's rule sets for cardinals, by gender."""
    only_one_agrees: bool = False
    place: Callable[[str], str]
    """Unicode's rule set for places in an order, by gender or form."""
    year: str = ""
    """Unicode's rule set for years, where they differ from numbers."""
    singular_below_two: bool = False
    """1.5 takes a singular."""
    singular_zero: bool = False
    digits_after_comma: bool = True
    """Decimals are named one by one; else up to three of them are read as a number."""
    comma: str
    stop: str
    minus: str
    plus: str
    to: str
    from_: str = ""
    """Stands before a range, unless one of ``not_from`` does."""
    not_from: re.Pattern[str] | None = None
    by: str
    """``30 x 20 cm``."""
    versus: str
    """``3:2``."""
    of: str = ""
    """Between millions and what they are millions of."""
    of_vowel: str = ""
    per: Callable[[Noun], str]
    """What stands before the unit that a price is for, with its space."""
    percent: Mapping[str, Noun]
    money: Mapping[str, tuple[Noun, Noun | None]]
    """By signs, codes and names, divided by spaces: the currency and its hundredth."""
    dollar_regions: Mapping[str, str] = field(default_factory=dict)
    """Where ``$`` is the sign of something else, and its code."""
    coins: Mapping[str, Noun]
    cents: Callable[[str, str, str], str]
    """Joins whole units, cents without and with their name."""
    scales: Mapping[str, tuple[Noun, bool]]
    """By their spellings, divided by spaces: a name, and whether ``of`` follows it."""
    glued_scales: Mapping[str, str]
    """Letters that stand right before a currency: ``M€``."""
    units: Mapping[str, Noun]
    degrees: Mapping[str, Noun]
    months: tuple[str, ...]
    short_months: str
    """Abbreviations of months, as a pattern."""
    date: Callable[[str, str, str], str]
    """Joins the words of day, month and year; the latter may be empty."""
    day_words: tuple[str, ...] = ()
    """Words that a day stands behind: ``le 24/12``."""
    day: Callable[[int, str, str], str | None]
    """Reads the day of a month, by the region and what stands before it; None for the cardinal."""
    utc: str = "UTC"
    """The name of universal time; letters apart where engines would read a word."""
    clock: Clock
    romans: Romans
    fractions: Fractions
    ordinals: tuple[tuple[str, str], ...]
    """How places are written, as patterns with ``NUMBER`` in them, and their forms."""
    form: Callable[[str, str, str], str | None] = lambda form, _before, _behind: form
    """The form of a place, by what stands before and behind it; None if it is no place."""
    ruler_form: Callable[[str, str], str] = lambda gender, _genitive: gender
    """The form of a ruler's place, by gender and the ending of a genitive."""
    titles: Mapping[str, str]
    """Abbreviations before a capital letter."""
    counters: Mapping[str, str]
    """Abbreviations before a number."""
    phrases: Mapping[str, str]
    """Abbreviations anywhere."""
    finals: Mapping[str, str]
    """Abbreviations whose stop may end a sentence as well."""
    signs: Mapping[str, str]
    operators: Mapping[str, str]
    """Signs between numbers."""
    address_signs: Mapping[str, str]
    phones: tuple[str, ...]
    """How telephone numbers are written at home, as patterns."""
    phone_pairs: bool = False
    around_the_clock: Mapping[str, str]
    weekdays: Mapping[str, str] = field(default_factory=dict)
    """Short names of days, read out where two make a range."""
    decades: str = ""
    """Words before ``'90``, as a pattern."""
    gender: Callable[[str, int], str]
    """The gender of the noun that a text begins with, and of which there are so many; empty if it
    cannot be told."""
    labels: re.Pattern[str] | None = None
    """The end of a text behind which a number is a name: ``page``."""
