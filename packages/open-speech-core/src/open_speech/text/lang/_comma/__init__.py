"""The languages whose decimal mark is the comma: one table of rules, and each language's words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from ...._types.tokens import TokenKind as Kind
from ..._rules import Language, Reading, Rule, Say
from .._addresses import EMAIL, URL
from . import amounts, calendar, names, signs
from .grammar import Grammar

__all__ = ["language"]


class _Row(NamedTuple):
    """One line of the table: the kind of token, how it is written, how it is spoken."""

    kind: Kind
    pattern: Callable[[Grammar], re.Pattern[str]]
    say: Callable[[Grammar, re.Match[str], Reading], str | None]
    said: int | str = 0
    has_figure: bool = True
    joins: bool = False

    def rule(self, g: Grammar) -> Rule:
        """Make the rule of a language."""
        say = _in_region(g, partial(self.say, g))
        rule = Rule(self.kind, self.pattern(g), say, self.said)
        return replace(rule, has_figure=self.has_figure, joins=self.joins)


_BEFORE_ORDINALS = (
    _Row(Kind.PHONE, signs.phone, signs.say_phone),
    # Before numbers: what is written out is the end of the text to the rules after it.
    _Row(Kind.ABBREVIATION, names.counter, names.say_abbreviation),
    _Row(Kind.SYMBOL, signs.paragraph, signs.say_paragraph),
    _Row(Kind.DATE, calendar.iso_date, calendar.say_iso_date),
    _Row(Kind.DATE, calendar.date, calendar.say_date),
    _Row(Kind.DATE, calendar.day_month, calendar.say_day_month),
    _Row(Kind.DATE, calendar.slashed_day, calendar.say_slashed_day),
    _Row(Kind.RANGE, calendar.weekdays, calendar.say_weekdays, has_figure=False),
    _Row(Kind.RANGE, amounts.around_the_clock, amounts.say_around_the_clock),
    _Row(Kind.TIME, calendar.clock, calendar.say_clock),
    _Row(Kind.TIME, calendar.dotted_clock, calendar.say_clock, "clock"),
    _Row(Kind.TIME, calendar.lettered_clock, calendar.say_lettered_clock),
    _Row(Kind.TIME, calendar.hours, calendar.say_hours),
    _Row(Kind.DATE, calendar.month_day, calendar.say_month_day),
    _Row(Kind.DATE, calendar.short_month, calendar.say_short_month, "month"),
    _Row(Kind.DECADE, calendar.decade, calendar.say_decade),
    _Row(Kind.ROMAN, names.ruler, names.say_ruler, "said", has_figure=False),
    _Row(Kind.ROMAN, names.roman_ahead, names.say_roman_ahead, has_figure=False),
    _Row(Kind.ROMAN, names.roman_count, names.say_roman_count, has_figure=False),
)
_AFTER_ORDINALS = (
    _Row(Kind.MONEY, amounts.price_before, amounts.say_price),
    _Row(Kind.MONEY, amounts.price_after, amounts.say_price),
    _Row(Kind.MONEY, amounts.coins, amounts.say_coins),
    _Row(Kind.PERCENT, amounts.percent, amounts.say_percent),
    _Row(Kind.UNIT, amounts.degrees, amounts.say_degrees),
    _Row(Kind.UNIT, amounts.dimensions, amounts.say_dimensions),
    _Row(Kind.UNIT, amounts.measure, amounts.say_measure),
    _Row(Kind.FRACTION, amounts.and_a_half, amounts.say_and_a_half),
    _Row(Kind.FRACTION, amounts.fraction, amounts.say_fraction),
    _Row(Kind.ARITHMETIC, amounts.arithmetic, amounts.say_arithmetic),
    _Row(Kind.VERSION, amounts.version, amounts.say_version),
    _Row(Kind.RANGE, amounts.span, amounts.say_span),
    _Row(Kind.RANGE, amounts.ratio, amounts.say_ratio),
    _Row(Kind.NUMBER, amounts.scaled, amounts.say_scaled),
    _Row(Kind.NUMBER, amounts.plain, amounts.say_plain),
    _Row(Kind.ABBREVIATION, names.phrase, names.say_abbreviation, has_figure=False),
    _Row(Kind.ABBREVIATION, names.title, names.say_abbreviation, has_figure=False),
    _Row(Kind.ABBREVIATION, names.final, names.say_final, has_figure=False),
    _Row(Kind.ABBREVIATION, names.street, names.say_street, has_figure=False, joins=True),
    _Row(Kind.SYMBOL, signs.noise, signs.say_noise, has_figure=False),
    _Row(Kind.SYMBOL, signs.sign, signs.say_sign, has_figure=False),
)


def language(g: Grammar) -> Language:
    """Make the rules of a language."""
    ordinals = (
        Rule(
            Kind.ORDINAL, names.ordinal(pattern), _in_region(g, partial(names.say_ordinal, form, g))
        )
        for pattern, form in g.ordinals
    )
    rules = (
        Rule(Kind.EMAIL, EMAIL, partial(signs.say_email, g)),
        Rule(Kind.URL, URL, partial(signs.say_url, g)),
        *(row.rule(g) for row in _BEFORE_ORDINALS),
        *ordinals,
        *(row.rule(g) for row in _AFTER_ORDINALS),
    )

    def date(year: int | None, month: int, day: int, reading: Reading) -> str | None:
        return calendar.say_parts(g, str(year) if year else "", month, day, reading)

    return Language(rules=rules, date=date, plus=g.plus)


def _in_region(g: Grammar, say: Say) -> Say:
    """Spell what is said as the region does."""

    def regional(match: re.Match[str], reading: Reading) -> str | None:
        said = say(match, reading)
        for usual, other in g.variants.get(reading.region, {}).items():
            said = said and said.replace(usual, other)
        return said

    return regional if g.variants else say
