"""Places in an order, numerals of kings, abbreviations."""

from __future__ import annotations

import re
from functools import cache

from ..._rules import Reading
from .grammar import Grammar
from .spelling import Written, cardinal, place

_NUMERAL = r"(?=[IVXL])(?:X{0,3}|XL|LX{0,3})(?:IX|IV|V?I{0,3})"
_GENERIC = r"(?=[IVX]{2})(?:X{0,3})(?:IX|IV|V?I{0,3})"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}


def roman_value(numeral: str) -> int:
    """Return the number that a Roman numeral writes."""
    values = [_VALUES[each] for each in numeral]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def _words(words: frozenset[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=lambda each: (-len(each), each)))


def ordinal(pattern: str) -> re.Pattern[str]:
    """``1er``, ``3.ª``, ``5°``, with a figure or a Roman numeral."""
    pattern = pattern.replace("NUMBER", r"(?P<number>\d{1,6})")
    pattern = pattern.replace("ROMAN", rf"(?P<number>{_GENERIC}|[VX])")
    return re.compile(rf"(?<![\w.,:/-]){pattern}")


def say_ordinal(form: str, g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a place in an order."""
    number = match["number"]
    digits = number if number.isdigit() else str(roman_value(number))
    rest = match.string[match.end() : match.end() + 40]
    before = match.string[max(0, match.start() - 24) : match.start()]
    chosen = g.form(form, before, rest)
    return None if chosen is None else place(digits, chosen, g, reading.region)


def ruler(g: Grammar) -> re.Pattern[str]:
    """``Louis XIV``, ``Ludwig XIV.``, ``Isabel II``."""
    stop = r"(?P<stop>\.)?" if g.code == "de" else "(?P<stop>)?"
    first = "(?P<first>er|\u1d49\u02b3|re)?" if g.code == "fr" else "(?P<first>)?"
    names = rf"(?:(?P<man>{_words(g.romans.men)})|(?P<woman>{_words(g.romans.women)}))"
    tail = r"(?![\w-])"
    return re.compile(
        rf"\b{names}(?P<genitive>s)?[ \u00a0](?P<said>(?P<numeral>{_NUMERAL}){first}{stop}){tail}"
    )


def say_ruler(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read the numeral of a ruler or a pope."""
    number = roman_value(match["numeral"])
    gender = "f" if match["woman"] else "m"
    if g.code == "de" and not match["stop"] and len(match["numeral"]) == 1:
        return None  # rather an initial
    words: str | None
    if number <= g.romans.places_up_to:
        words = place(str(number), g.ruler_form(gender, match["genitive"] or ""), g, reading.region)
    else:
        words = cardinal(Written(str(number)), g, reading.region)
    if not words:
        return None
    name = g.romans.article(gender, match["genitive"] or "")
    said = f"{name} {words.capitalize() if name else words}".strip()
    rest = match.string[match.end() : match.end() + 2]
    is_new = rest.strip()[:1].isupper() and not match["genitive"]
    ends = match["stop"] and (not rest.strip() or rest[:1] == "\n" or is_new)
    return f"{said}." if ends else said


def roman_count(g: Grammar) -> re.Pattern[str]:
    """``Kapitel IV``, ``siglo XXI``, ``Rocky II``."""
    century = rf"(?P<century>{g.romans.centuries})" if g.romans.centuries else "(?P<century>(?!))"
    return re.compile(
        rf"(?:\b(?:{century}|{g.romans.before})[ \u00a0](?P<said>{_NUMERAL})"
        rf"(?:(?P<link>[ ](?:y|e|et|und|bis|a|al|au|\u00e0)[ ])(?P<other>{_NUMERAL})(?!\w))?"
        rf"|\b[A-Z\u00c0-\u00dd][a-z\u00df-\u00ff]{{2,30}}[ \u00a0](?P<generic>{_GENERIC}))"
        r"(?![\w.'\u2019-]\w|\w)"
    )


def say_roman_count(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a Roman numeral as a number."""
    numeral = match["said"] or match["generic"]
    words = _count(g, numeral, match["century"], reading)
    if match["other"]:
        words += match["link"] + _count(g, match["other"], match["century"], reading)
    start = match.start("said") if match["said"] else match.start("generic")
    return match[0][: start - match.start()] + words


def _count(g: Grammar, numeral: str, century: str | None, reading: Reading) -> str:
    number = roman_value(numeral)
    if century and number <= g.romans.places_up_to:
        return place(str(number), "m", g, reading.region) or numeral
    return cardinal(Written(str(number)), g, reading.region)


def roman_ahead(g: Grammar) -> re.Pattern[str]:
    """``II Guerra Mundial``, ``XXI secolo``, ``II. Weltkrieg``."""
    stop = r"\." if g.code == "de" else r"\.?"
    if not g.romans.ahead:
        return re.compile("(?!)")
    nouns = "|".join(f"(?P<n{i}>{each})" for i, each in enumerate(g.romans.ahead))
    return re.compile(rf"\b(?P<numeral>{_NUMERAL}){stop}(?=[ \u00a0](?:{nouns}))")


def say_roman_ahead(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a Roman numeral as a place in an order."""
    forms = list(g.romans.ahead.values())
    index = next(i for i in range(len(forms)) if match[f"n{i}"])
    before = match.string[max(0, match.start() - 24) : match.start()]
    form = g.form(forms[index], before, match.string[match.end() : match.end() + 40])
    return place(str(roman_value(match["numeral"])), form or forms[index], g, reading.region)


def _written(words: dict[str, str] | frozenset[str]) -> str:
    ordered = sorted(words, key=lambda each: (-len(each), each))
    return "|".join(re.escape(each).replace("\\ ", "[ \u00a0\u202f]?") for each in ordered)


@cache
def _known(g: Grammar) -> dict[str, str]:
    words = {**g.titles, **g.counters, **g.phrases, **g.finals}
    return {re.sub(r"\s", "", key): value for key, value in words.items()}


def title(g: Grammar) -> re.Pattern[str]:
    """``Dr. Meier``, ``M. Dupont``."""
    return re.compile(rf"(?<![\w.-])(?:{_written(dict(g.titles))})(?=[ \u00a0][A-Z\u00c0-\u00dd])")


def counter(g: Grammar) -> re.Pattern[str]:
    """``Nr. 5``, ``p. 12``."""
    return re.compile(rf"(?<![\w.-])(?:{_written(dict(g.counters))})(?=[ \u00a0]?\d)")


def phrase(g: Grammar) -> re.Pattern[str]:
    """``z. B.``, ``p. ej.``."""
    return re.compile(rf"(?<![\w.-])(?:{_written(dict(g.phrases))})(?!\w)")


def final(g: Grammar) -> re.Pattern[str]:
    """``usw.``, ``etc.``."""
    return re.compile(rf"(?<![\w.-])(?P<word>{_written(dict(g.finals))})(?P<stop>\.?)(?!\w)")


def say_abbreviation(g: Grammar, match: re.Match[str], _reading: Reading) -> str | None:
    """Write an abbreviation out; before a number with a space."""
    said = _known(g).get(re.sub(r"\s", "", match[0]))
    return f"{said} " if said and match.string[match.end() : match.end() + 1].isdigit() else said


def say_final(g: Grammar, match: re.Match[str], _reading: Reading) -> str:
    """Write an abbreviation out, with its stop where that may end the sentence as well."""
    rest = match.string[match.end() : match.end() + 3].lstrip(" \u00a0")
    is_end = not rest or rest[0] in "\r\n" or rest[0].isupper()
    said = _known(g)[re.sub(r"\s", "", match["word"])]
    return f"{said}." if match["stop"] and is_end else said


def street(g: Grammar) -> re.Pattern[str]:
    """``Hauptstr. 5``."""
    return re.compile(
        r"(?<=[a-z\u00df-\u00ff])str\.(?!\w)|\bStr\.(?!\w)" if g.code == "de" else "(?!)"
    )


def say_street(_g: Grammar, match: re.Match[str], _reading: Reading) -> str:
    """Write a street out."""
    rest = match.string[match.end() : match.end() + 3].lstrip(" \u00a0")
    stop = "." if not rest or rest[0] in "\r\n" else ""
    return ("Stra\u00dfe" if match[0][0] == "S" else "stra\u00dfe") + stop
