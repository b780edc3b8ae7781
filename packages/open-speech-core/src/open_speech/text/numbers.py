"""Numbers as words, by Unicode's rules for spelling them out (unicode-rbnf)."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from unicode_rbnf import RbnfEngine

_Purpose = Literal["cardinal", "ordinal", "year"]

LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "nl", "pt"})
"""Where a number reads well without knowing the grammar around it."""
MAX_DIGITS = 15
"""A longer number is read digit by digit."""
_POINTS = {
    "de": "Komma", "en": "point", "es": "coma", "fr": "virgule", "it": "virgola", "nl": "komma",
    "pt": "vírgula",
}  # fmt: skip


def cardinal(number: str, language: str) -> str:
    """Spell digits out, with a decimal part after a point: ``12.5`` is twelve point five.

    What begins with a needless zero, or is very long, is read digit by digit.

    Args:
        number: digits, at most one point among them.
        language: one of ``LANGUAGES``.
    """
    whole, _, fraction = number.partition(".")
    is_plain = len(whole) <= MAX_DIGITS and (len(whole) == 1 or not whole.startswith("0"))
    words = _spelled(int(whole), language, "cardinal") if is_plain and whole else None
    words = words or digits(whole or "0", language)
    return f"{words} {_POINTS[language]} {digits(fraction, language)}" if fraction else words


def ordinal(number: str, language: str) -> str | None:
    """Spell a place in an order out (``3`` is third), in English alone: others inflect it."""
    if language != "en" or len(number) > MAX_DIGITS:
        return None
    return _spelled(int(number), language, "ordinal")


def year(number: str, language: str) -> str:
    """Spell a year out: 1999 is nineteen ninety-nine, 2005 two thousand five."""
    return _spelled(int(number), language, "year") or cardinal(number, language)


def digits(number: str, language: str) -> str:
    """Name digits one by one, and leave out whatever else there is."""
    names = _digit_names(language)
    return " ".join(names[int(each)] for each in number if each.isdecimal())


@lru_cache(maxsize=4096)
def spelled(number: int, locale: str, ruleset: str) -> str | None:
    """Spell a number out by one of the rule sets that Unicode has for a locale (``pt_PT``).

    None if the rule set does not reach so far.
    """
    words = _engine(locale).format_number(number, ruleset_names=[ruleset]).text
    return None if any(each.isdigit() for each in words) else words.replace("\u00ad", "")


@cache
def _engine(language: str) -> RbnfEngine:
    # A tenth of a second, which only a text with a number in it needs.
    from unicode_rbnf import RbnfEngine

    return RbnfEngine.for_language(language)


@cache
def _digit_names(language: str) -> tuple[str, ...]:
    names = (_spelled(each, language, "cardinal") for each in range(10))
    return tuple(name or "" for name in names)


@lru_cache(maxsize=4096)
def _spelled(number: int, language: str, purpose: _Purpose) -> str | None:
    from unicode_rbnf import FormatPurpose
    from unicode_rbnf.engine import NoRuleForNumberError

    try:
        return (
            _engine(language)
            .format_number(number, FormatPurpose[purpose.upper()])
            .text.replace("\u00ad", "")
        )
    except NoRuleForNumberError:
        return None
