"""What a text says in signs and figures, written out as words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .._types.languages import main_language
from .._types.models import ModelInfo
from .._types.tokens import TokenKind
from . import emoji, lang, markdown
from ._rules import Reading, Rule, found
from ._tracked import Replacement, Tracked, replaced
from .options import NormalizationOptions
from .typography import FANCY, TYPOGRAPHY

_UNSPEAKABLE = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufff9-\ufffc\ud800-\udfff]{1,400}"
)
_ALWAYS = (
    # Control characters and halves of characters, which no engine is to see.
    Rule(TokenKind.SYMBOL, _UNSPEAKABLE, lambda *_: ""),
    # What only looks like a pronunciation, to an engine that reads them.
    Rule(TokenKind.SYMBOL, re.compile(r"\](?=\(/)"), lambda *_: "] "),
)
_DAY_FIRST = frozenset({"AU", "GB", "HK", "IE", "IN", "JM", "KE", "NG", "NZ", "SG", "ZA"})
"""Where English dates begin with the day."""
_OPTIONS = {
    TokenKind.EMAIL: "email_normalization",
    TokenKind.URL: "url_normalization",
    TokenKind.PHONE: "phone_normalization",
    TokenKind.UNIT: "unit_normalization",
    TokenKind.PLURAL: "optional_pluralization_normalization",
    TokenKind.SYMBOL: "replace_remaining_symbols",
}
"""Kinds that can be switched off by themselves."""


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
        model: what its engine reads rightly by itself is left to it.
        options: what to write out.
        settled: replacements that come before any of these, ascending.
    """
    text = tracked.text
    reading = _reading(language)
    new = found(_ALWAYS, text, reading, [*settled, *tracked.fixed])
    if options.normalize:
        taken: list[Replacement | tuple[int, int]] = [*new, *tracked.fixed]
        rules = _rules(reading, options)
        new = found(rules, text, reading, taken, model.read_kinds(language))
    return replaced(tracked, new)


def cleaned(tracked: Tracked, options: NormalizationOptions, *, marks: bool) -> Tracked:
    """Take out what is only there for the eye.

    Args:
        tracked: the text.
        options: what to write out.
        marks: it may be Markdown or HTML.
    """
    reading = Reading(language="")
    rules = (*TYPOGRAPHY, *FANCY) if options.normalize else TYPOGRAPHY
    new = found(rules, tracked.text, reading, tracked.fixed)
    if marks and options.normalize and options.markup_normalization:
        taken = sorted([*((each.start, each.end) for each in new), *tracked.fixed])
        new = sorted(
            [*new, *markdown.marks(tracked.text, taken)], key=lambda replacement: replacement.start
        )
    return replaced(tracked, new)


def _reading(language: str | None) -> Reading:
    subtags = (language or "").upper().replace("_", "-").split("-")[1:]
    region = next((each for each in subtags if len(each) == 2), "")
    main = main_language(language)
    return Reading(language=main, region=region, is_day_first=main != "en" or region in _DAY_FIRST)


def _rules(reading: Reading, options: NormalizationOptions) -> Iterator[Rule]:
    """Yield the rules that hold."""
    yield from emoji.NAMED if options.read_emoji else emoji.SILENT
    known = lang.find(reading.language)
    for rule in known.rules if known else ():
        option = _OPTIONS.get(rule.kind)
        if option is None or getattr(options, option):
            yield rule
