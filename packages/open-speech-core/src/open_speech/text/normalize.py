"""What a text says in signs and figures, written out as words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..languages import main_language
from ..models import Capability, ModelInfo
from . import _addresses, _amounts, _calendar, _symbols, numbers
from ._rules import Reading, Rule, found
from ._tracked import Replacement, Tracked, replaced
from .options import NormalizationOptions

_UNSPEAKABLE = Rule(
    re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufff9-\ufffc\ud800-\udfff]{1,400}"),
    lambda *_: "",
)
"""Control characters and halves of characters, which no engine is to see."""
_TOKEN_SIGNS = Rule(re.compile(r"\](?=\(/)"), lambda *_: "] ")
"""What only looks like a pronunciation, to an engine that reads them."""

_ENGLISH_NUMBERS = (
    _calendar.ISO_DATE, _calendar.DATE, _calendar.TIME, _calendar.HALF, _calendar.MONTH_DAY,
    _amounts.PRICE, _amounts.PRICE_AFTER, _calendar.DECADE, _amounts.ORDINAL, _amounts.FRACTION,
    _amounts.PERCENT, _amounts.VERSION, _amounts.RANGE, _amounts.SCALED, _symbols.NUMBER_SIGN,
    _amounts.ANY, _symbols.TITLE, _symbols.PHRASE, _symbols.ET_CETERA,
)  # fmt: skip
_SIGNS = (_symbols.SLASHES, _symbols.NOISE, _symbols.SIGN)
_DAY_FIRST = frozenset({"GB", "AU", "NZ", "IE", "IN", "ZA"})

_COMMA_NUMBER = re.compile(
    r"(?<![\w.,:/-])(?P<whole>\d{1,3}(?:[.\u00a0\u202f]\d{3}){1,5}|\d{1,400})(?:,(?P<part>\d{1,40}))?"
    r"(?![\w:/]|[.,-]\d)"
)
"""A number as the other languages of ``numbers.LANGUAGES`` write it."""
# "Am 3. Mai": the stop makes it an ordinal, whose form depends on the sentence.
_BEFORE_ORDINAL_STOP = re.compile(r"\.\s")


def normalized(
    tracked: Tracked,
    language: str | None,
    model: ModelInfo,
    options: NormalizationOptions,
    settled: list[Replacement],
) -> Tracked:
    """Write a text out for a model.

    Args:
        tracked: the text.
        language: BCP-47; without one nothing is written out.
        model: numbers and the like are left to one that reads them (``NORMALIZATION``).
        options: what to write out.
        settled: replacements that come before any of these, ascending.
    """
    reading = _reading(language, spells=Capability.NORMALIZATION not in model.capabilities)
    rules = [_UNSPEAKABLE, _TOKEN_SIGNS, *(_rules(reading, options) if reading else ())]
    taken = sorted([*((each.start, each.end) for each in settled), *tracked.fixed])
    new = found(rules, tracked.text, reading or Reading(language=""), taken)
    return replaced(tracked, sorted([*settled, *new], key=lambda each: each.start))


def _reading(language: str | None, *, spells: bool) -> Reading | None:
    main = main_language(language)
    if main not in numbers.LANGUAGES:
        return None
    subtags = (language or "").upper().replace("_", "-").split("-")[1:]
    day_first = not _DAY_FIRST.isdisjoint(subtags)
    return Reading(language=main, is_day_first=day_first, spells=spells)


def _rules(reading: Reading, options: NormalizationOptions) -> Iterator[Rule]:
    """Yield the rules that hold, the first ones first."""
    if not options.normalize:
        return
    if reading.language != "en":
        if reading.spells:
            yield Rule(_COMMA_NUMBER, _say_comma_number)
        return
    if options.email_normalization:
        yield _addresses.EMAIL
    if options.url_normalization:
        yield _addresses.URL
    if options.phone_normalization:
        yield _addresses.PHONE
    if options.unit_normalization:
        yield _amounts.MEASURE
    if options.optional_pluralization_normalization:
        yield _symbols.PLURAL
    if reading.spells:
        yield from _ENGLISH_NUMBERS
        if options.replace_remaining_symbols:
            yield from _SIGNS


def _say_comma_number(match: re.Match[str], reading: Reading) -> str | None:
    is_ordinal = reading.language == "de" and _BEFORE_ORDINAL_STOP.match(match.string, match.end())
    if is_ordinal and not match["part"]:
        return None
    whole = re.sub(r"\D", "", match["whole"])
    return numbers.cardinal(
        f"{whole}.{match['part']}" if match["part"] else whole, reading.language
    )
