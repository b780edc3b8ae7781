"""SSML's ``say-as``: text read in a certain way."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..languages import main_language
from . import numbers
from ._calendar import date
from ._rules import Reading

_NUMBER = re.compile(r"\d{1,3}(?:,\d{3}){1,6}|\d{1,400}")
_PARTS = re.compile(r"\d{1,4}")


def say_as(content: str, attributes: Mapping[str, str], language: str | None) -> str | None:
    """Write out what an element's content is said to be; None to read it as usual.

    Letters in any language; numbers in those of ``numbers.LANGUAGES``; ordinals and dates in
    English.
    """
    kind = attributes.get("interpret-as", "").strip().lower()
    if kind in {"characters", "spell-out", "verbatim"}:
        return " ".join(character.upper() for character in content if not character.isspace())
    tag = main_language(language)
    if tag not in numbers.LANGUAGES:
        return None
    if kind in {"telephone", "digits"}:
        groups = re.findall(r"\d{1,400}", content)
        plus = "plus " if tag == "en" and content.startswith("+") else ""
        separator = ", " if kind == "telephone" else " "
        return plus + separator.join(numbers.digits(group, tag) for group in groups)
    if kind in {"cardinal", "number", "ordinal"} and _NUMBER.fullmatch(content):
        plain = content.replace(",", "")
        return numbers.ordinal(plain, tag) if kind == "ordinal" else numbers.cardinal(plain, tag)
    if kind == "date" and tag == "en":
        return _date(content, attributes.get("format", "").strip().lower())
    return None


def _date(content: str, form: str) -> str | None:
    """Read a date whose parts are numbers, in the order that its form names (``mdy``)."""
    parts = _PARTS.findall(content)
    if len(form) != len(parts) or sorted(form) not in (sorted("dmy"), sorted("dm")):
        return None
    named = dict(zip(form, parts, strict=True))
    reading = Reading(language="en", is_day_first=form.startswith("d"))
    return date(named.get("y", ""), int(named["m"]), int(named["d"]), reading)
