"""SSML's ``say-as``: text read in a certain way."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .._types.languages import main_language
from . import lang, numbers
from ._rules import Language, Reading

_NUMBER = re.compile(r"\d{1,3}(?:,\d{3}){1,6}|\d{1,400}")
_PARTS = re.compile(r"\d{1,4}")


def say_as(content: str, attributes: Mapping[str, str], language: str | None) -> str | None:
    """Write out what an element's content is said to be; None to read it as usual.

    Letters in any language; numbers in those of ``numbers.LANGUAGES``; dates in those that have a
    way to say them; ordinals in English.
    """
    kind = attributes.get("interpret-as", "").strip().lower()
    if kind in {"characters", "spell-out", "verbatim"}:
        return " ".join(character.upper() for character in content if not character.isspace())
    tag = main_language(language)
    known = lang.find(tag)
    if known is None:
        return None
    if kind in {"telephone", "digits"}:
        groups = re.findall(r"\d{1,400}", content)
        plus = f"{known.plus} " if content.startswith("+") else ""
        separator = ", " if kind == "telephone" else " "
        return plus + separator.join(numbers.digits(group, tag) for group in groups)
    if kind in {"cardinal", "number", "ordinal"} and _NUMBER.fullmatch(content):
        plain = content.replace(",", "")
        return numbers.ordinal(plain, tag) if kind == "ordinal" else numbers.cardinal(plain, tag)
    if kind == "date":
        return _date(content, attributes.get("format", "").strip().lower(), tag, known)
    return None


def _date(content: str, form: str, tag: str, known: Language) -> str | None:
    """Read a date whose parts are numbers, in the order that its form names (``mdy``)."""
    parts = _PARTS.findall(content)
    if len(form) != len(parts) or sorted(form) not in (sorted("dmy"), sorted("dm")):
        return None
    named = {part: int(number) for part, number in zip(form, parts, strict=True)}
    reading = Reading(language=tag, is_day_first=form.startswith("d"))
    if known.date is None:
        return None
    return known.date(named.get("y"), named["m"], named["d"], reading)
