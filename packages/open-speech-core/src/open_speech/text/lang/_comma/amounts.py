"""Sums of money, measures, shares, ranges, fractions and plain numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from ..._rules import Reading
from .grammar import Grammar, Noun
from .spelling import (
    AFTER,
    BEFORE,
    DASH,
    MINUS,
    NUMBER,
    SIGNED,
    SPACE,
    Written,
    cardinal,
    counted,
    of,
    written,
    year,
)

_ROUND = r"(?:,[-\u2013\u2014]{1,2})?"
"""``5,-`` is five whole ones."""


def _any_of(words: Iterable[str]) -> str:
    """Return a pattern of words, the longest ones first."""
    ordered = sorted({each for each in words if each}, key=lambda each: (-len(each), each))
    return "|".join(re.escape(each).replace("\\ ", "[ \u00a0\u202f]") for each in ordered)


def _keys(table: Iterable[str]) -> list[str]:
    return [each.replace("_", " ") for keys in table for each in keys.split()]


@cache
def _currencies(g: Grammar) -> dict[str, tuple[Noun, Noun | None]]:
    """Return currencies by sign, code and name."""
    found: dict[str, tuple[Noun, Noun | None]] = {}
    for keys, value in g.money.items():
        for key in _keys([keys]):
            found[key] = value
        for name in (value[0].one, value[0].many):
            found.setdefault(name, value)
    return found


@cache
def _scales(g: Grammar) -> dict[str, tuple[Noun, bool]]:
    return {key: value for keys, value in g.scales.items() for key in _keys([keys])}


@cache
def _units(g: Grammar) -> dict[str, Noun]:
    return {key: noun for keys, noun in g.units.items() for key in _keys([keys])}


@cache
def _degrees(g: Grammar) -> dict[str, Noun]:
    return {key: noun for keys, noun in g.degrees.items() for key in _keys([keys])}


def _bounded(words: Iterable[str]) -> str:
    """Return a pattern of signs and words that end where a word does."""
    return rf"(?:{_any_of(words)})(?!\w)"


def price_before(g: Grammar) -> re.Pattern[str]:
    """``€2,99``, ``R$ 5,50``, ``CHF 12``, ``$10-$20``, ``R$ 5 milhões``."""
    signs = [each for keys in g.money for each in _keys([keys]) if not each.islower()]
    sign = _any_of(signs)
    return re.compile(
        rf"(?:(?<![\w)\]])(?P<minus>[{MINUS}]))?(?<!\w)(?P<sign>{sign}){SPACE}(?P<low>{NUMBER}){_ROUND}"
        rf"(?:{DASH}(?:(?P=sign){SPACE})?(?P<high>{NUMBER}){_ROUND})?"
        rf"(?:{SPACE}(?P<scale>{_bounded(_scales(g))}))?{AFTER}"
    )


def price_after(g: Grammar) -> re.Pattern[str]:
    """``2,99 €``, ``10-20 €``, ``1,5 Mio. €``, ``3 M€``, ``5 €/kg``."""
    money = _bounded(_currencies(g))
    connector = f"(?:{g.of}[ ]|{g.of_vowel or g.of}['\u2019]?)?" if g.of else ""
    glued = f"(?P<glued>{_any_of(g.glued_scales)})" if g.glued_scales else "(?P<glued>)"
    return re.compile(
        rf"{SIGNED}(?P<low>{NUMBER}){_ROUND}"
        rf"(?:(?:{SPACE}{money})?{DASH}(?P<high>{NUMBER}){_ROUND})?"
        rf"(?:{SPACE}(?P<scale>{_bounded(_scales(g))}){SPACE}{connector}|{SPACE}{glued}|{SPACE})"
        rf"(?P<sign>{money})(?:/(?P<per>{_bounded(_units(g))}|[^\W\d_]{{2,15}}))?"
    )


def coins(g: Grammar) -> re.Pattern[str]:
    """``50 ct``, ``50¢``."""
    return _quantity(_bounded(g.coins))


def percent(g: Grammar) -> re.Pattern[str]:
    """``5 %``, ``10-20%``, ``5%-10%``."""
    return _quantity(f"(?:{_any_of(g.percent)})")


def degrees(g: Grammar) -> re.Pattern[str]:
    """``-5 °C``, ``10°-20°``."""
    return _quantity(rf"(?:{_any_of(_degrees(g))})(?!\w)")


def measure(g: Grammar) -> re.Pattern[str]:
    """``5 km/h``, ``10-20 kg``."""
    return _quantity(rf"(?:{_any_of(_units(g))})(?![\w/])")


def _quantity(units: str) -> re.Pattern[str]:
    return re.compile(
        rf"{SIGNED}(?P<low>{NUMBER})(?:(?:{SPACE}{units})?{DASH}(?P<low_minus>\u2212)?(?P<high>{NUMBER}))?"
        rf"{SPACE}(?P<unit>{units})"
    )


def dimensions(g: Grammar) -> re.Pattern[str]:
    """``30 x 20 x 10 cm``."""
    return re.compile(
        rf"{SIGNED}(?P<sides>{NUMBER}(?:{SPACE}[x\u00d7]{SPACE}(?:{NUMBER})){{1,4}})"
        rf"{SPACE}(?P<unit>{_any_of(_units(g))})(?![\w/])"
    )


def say_dimensions(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read how long, wide and high something is."""
    *sides, last = re.split("[x\u00d7]", match["sides"])
    numbers = [written(each.strip(), g, reading.region) for each in sides]
    words = [cardinal(each, g, reading.region) for each in numbers]
    noun = _units(g)[re.sub(r"\s", " ", match["unit"])]
    words.append(counted(written(last.strip(), g, reading.region), noun, g, reading.region))
    return _minus(g, match) + f" {g.by} ".join(words)


def say_price(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read a sum of money."""
    groups = match.groupdict()
    sign = re.sub("[\u00a0\u202f]", " ", match["sign"])
    sign = g.dollar_regions.get(reading.region, sign) if sign == "$" else sign
    currency, small = _currencies(g)[sign]
    low, high = _both(g, match, reading)
    if scale := groups["scale"]:
        noun, has_of = _scales(g)[scale]
        name = of(currency.many, g) if has_of else currency.many
        said = _ranged(g, match, low, high, noun, reading) + f" {name}"
    elif glued := groups.get("glued"):
        noun, has_of = _scales(g)[g.glued_scales[glued]]
        name = of(currency.many, g) if has_of else currency.many
        said = _ranged(g, match, low, high, noun, reading) + f" {name}"
    elif high and not _has_cents(low, small) and not _has_cents(high, small):
        said = _ranged(g, match, low, high, currency, reading)
    else:
        said = _price(g, low, currency, small, reading.region)
        if high:
            upper = _price(g, high, currency, small, reading.region)
            said = _from_to(g, match, said, upper)
    if per := groups.get("per"):
        unit = _units(g).get(per) or Noun(per, per)
        said = f"{said} {g.per(unit)}{unit.one}"
    return _minus(g, match) + said


def _has_cents(number: Written, small: Noun | None) -> bool:
    return bool(small and len(number.part) == 2)


def _price(g: Grammar, number: Written, currency: Noun, small: Noun | None, region: str) -> str:
    if not small or not _has_cents(number, small):
        return counted(number, currency, g, region)
    cents = Written(number.part.lstrip("0"))
    whole = Written(number.whole)
    if not cents.whole:
        return counted(whole, currency, g, region)
    named = counted(cents, small, g, region)
    if not whole.whole.strip("0"):
        return named
    short = cardinal(cents, g, region) if len(cents.whole) == 2 else ""
    return g.cents(counted(whole, currency, g, region), short, named)


def _last_stop(match: re.Match[str], abbreviation: str) -> str:
    """Return the stop of an abbreviation that ends the text or its line as well."""
    rest = match.string[match.end() : match.end() + 3].lstrip(" \u00a0")
    return "." if abbreviation.endswith(".") and (not rest or rest[0] in "\r\n") else ""


def say_coins(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read cents."""
    return _measured(g, match, g.coins[match["unit"]], reading)


def say_percent(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read a share."""
    return _measured(g, match, g.percent[match["unit"]], reading)


def say_degrees(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read a temperature or an angle."""
    return _measured(g, match, _degrees(g)[re.sub(r"\s", " ", match["unit"])], reading)


def say_measure(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read a measure."""
    said = _measured(g, match, _units(g)[re.sub(r"\s", " ", match["unit"])], reading)
    return said + _last_stop(match, match["unit"])


def _both(g: Grammar, match: re.Match[str], reading: Reading) -> tuple[Written, Written | None]:
    high = written(match["high"], g, reading.region) if match["high"] else None
    return written(match["low"], g, reading.region), high


def _measured(g: Grammar, match: re.Match[str], noun: Noun, reading: Reading) -> str:
    low, high = _both(g, match, reading)
    return _minus(g, match) + _ranged(g, match, low, high, noun, reading)


def _ranged(
    g: Grammar,
    match: re.Match[str],
    low: Written,
    high: Written | None,
    noun: Noun,
    reading: Reading,
) -> str:
    if not high:
        return counted(low, noun, g, reading.region)
    gender = "" if low.is_one else noun.gender
    first = cardinal(low, g, reading.region, gender)
    second = counted(high, noun, g, reading.region)
    if match.groupdict().get("low_minus"):
        second = f"{g.minus} {second}"
    return _from_to(g, match, first, second)


def _from_to(g: Grammar, match: re.Match[str], first: str, second: str) -> str:
    said = f"{first} {g.to} {second}"
    before = match.string[max(0, match.start() - 12) : match.start()]
    if not g.from_ or (g.not_from and g.not_from.search(before)):
        return said
    return f"{g.from_} {said}"


def _minus(g: Grammar, match: re.Match[str]) -> str:
    return f"{g.minus} " if match["minus"] else ""


def scaled(g: Grammar) -> re.Pattern[str]:
    """``2,5 Mio.``."""
    short = [
        each for each in _scales(g) if each.endswith(".") or each in {"Mio", "Mrd", "mln", "mld"}
    ]
    if not short:
        return re.compile(r"(?!)")
    return re.compile(
        rf"{SIGNED}(?P<low>{NUMBER})(?:{DASH}(?P<high>{NUMBER}))?{SPACE}(?P<scale>{_bounded(short)})"
    )


def say_scaled(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read millions."""
    noun, has_of = _scales(g)[match["scale"]]
    said = _measured(g, match, noun, reading)
    said += _last_stop(match, match["scale"])
    rest = match.string[match.end() : match.end() + 40].lstrip(" \u00a0")
    needs_of = (
        has_of and g.of and rest[:1].isalpha() and not rest.startswith((g.of, g.of_vowel or g.of))
    )
    return f"{said} {g.of}" if needs_of else said


_UNICODE_FRACTIONS = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
    "⅞": (7, 8), "⅒": (1, 10),
}  # fmt: skip
_SIGNS = "".join(_UNICODE_FRACTIONS)


_NO_NOUNS = frozenset(
    {
        *("pour", "dans", "avec", "sans", "chez", "sur", "par", "plus", "moins", "mais"),
        *("para", "entre", "desde", "hasta", "sobre", "con", "sin", "por", "más", "menos", "que"),
        *("per", "senza", "alla", "allo", "dopo", "fino", "più", "meno"),
        *("sem", "com", "até", "mais"),
    }
)
"""Words that may follow a number and are not counted by it."""


def and_a_half(g: Grammar) -> re.Pattern[str]:
    """``2 1/2 tasses``, ``2½ heures``, where the half comes behind what is counted."""
    noun = r"(?P<noun>[^\W\d_]{3,})" if g.fractions.half_behind else "(?P<noun>(?!))"
    gap = r"[ \u00a0\u202f]"
    return re.compile(
        rf"{BEFORE}(?P<whole>\d{{1,4}})(?:{gap}?½|{gap}1[/\u2044]2){gap}{noun}(?![\w-])"
    )


def say_and_a_half(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read ``deux tasses et demie``."""
    noun = match["noun"]
    if not noun.islower() or noun in _NO_NOUNS:
        return None
    is_feminine = g.gender(noun, 2) == "f"
    words = cardinal(Written(match["whole"]), g, reading.region, "f" if is_feminine else "")
    half = g.fractions.and_half_f if is_feminine else g.fractions.and_half
    return f"{words} {noun} {half}"


def fraction(_g: Grammar) -> re.Pattern[str]:
    """``1/2``, ``2 1/2``, ``2½``, ``8/10``."""
    return re.compile(
        rf"{BEFORE}(?:(?P<whole>\d{{1,4}})(?:[ \u00a0\u202f]|(?=[{_SIGNS}])))?"
        rf"(?:(?P<sign>[{_SIGNS}])|(?P<upper>\d{{1,3}})[/\u2044](?P<lower>\d{{1,3}}))(?![\w/]|[.,-]\d)"
    )


def say_fraction(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a part of a whole, or one number over another."""
    if match["sign"]:
        upper, lower = _UNICODE_FRACTIONS[match["sign"]]
    else:
        upper, lower = int(match["upper"]), int(match["lower"])
        if match["upper"][0] == "0" or match["lower"][0] == "0":
            return None
    parts = g.fractions
    is_part = upper < lower and (lower <= 9 or lower in {12, 16, 32, 64, 1000})
    if not is_part:
        if match["whole"]:
            return None
        words = [cardinal(Written(str(each)), g, reading.region) for each in (upper, lower)]
        return f" {parts.out_of if upper < lower else parts.over} ".join(words)
    rest = match.string[match.end() : match.end() + 40]
    gender = g.gender(rest[1:], 2 if match["whole"] else 1) if rest[:1] in " \u00a0" else ""
    if match["whole"]:
        return _mixed(g, match["whole"], upper, lower, gender, reading)
    if (upper, lower) == (1, 2):
        halves = {"f": parts.half_f, "m": parts.half_m, "n": parts.half_n or parts.half_m}
        return halves.get(gender, parts.half)
    said = _parts(g, upper, lower, reading)
    return f"{said} {parts.of}" if parts.of and gender else said


def _parts(g: Grammar, upper: int, lower: int, reading: Reading) -> str:
    if (upper, lower) == (1, 2):
        return g.fractions.half
    name = g.fractions.names.get(lower)
    name = name or g.fractions.otherwise(cardinal(Written(str(lower)), g, reading.region))
    return counted(Written(str(upper)), name, g, reading.region)


def _mixed(g: Grammar, whole: str, upper: int, lower: int, gender: str, reading: Reading) -> str:
    number = Written(whole)
    if (upper, lower) == (1, 2):
        if g.code == "de":
            return cardinal(number, g, reading.region, "m") + g.fractions.and_half
        words = cardinal(number, g, reading.region, "f" if gender == "f" else "")
        return f"{words} {g.fractions.and_half_f if gender == 'f' else g.fractions.and_half}"
    words = cardinal(number, g, reading.region)
    return f"{words} {g.fractions.and_} {_parts(g, upper, lower, reading)}"


def arithmetic(g: Grammar) -> re.Pattern[str]:
    """``5 - 3 = 2``, ``3 x 4``."""
    signs = "".join(map(re.escape, g.operators))
    return re.compile(
        rf"{SIGNED}(?P<first>{NUMBER})(?P<rest>(?:[ ]?[{signs}][ ]?[{MINUS}]?(?:{NUMBER})){{0,8}}"
        rf"[ ]?=[ ]?(?:[{MINUS}]?(?:{NUMBER})|\?)|[ ][-\u2212][ ](?:{NUMBER})"
        rf"|(?:[ ]?[+x\u00d7*\u00f7\u00b7][ ]?(?:{NUMBER})){{1,8}}){AFTER}"
    )


def say_arithmetic(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a sum."""
    first, rest = match["first"], match["rest"]
    is_range = "=" not in rest and re.fullmatch(rf"[ ][-\u2212][ ](?P<high>{NUMBER})", rest)
    if is_range and _value(first) < _value(is_range["high"]):
        return None
    said = [_minus(g, match) + cardinal(written(first, g, reading.region), g, reading.region)]
    signs = "".join(map(re.escape, g.operators))
    for each in re.finditer(
        rf"[ ]?(?P<sign>[{signs}=])[ ]?(?P<minus>[{MINUS}])?(?P<number>{NUMBER}|\?)", rest
    ):
        said.append(g.operators[each["sign"]])
        if each["minus"]:
            said.append(g.minus)
        number = each["number"]
        if number != "?":
            said.append(cardinal(written(number, g, reading.region), g, reading.region))
        else:
            said[-1] += "?"
    return " ".join(said)


def _value(text: str) -> int:
    return int(re.sub(r"\D", "", text) or "0")


def span(_g: Grammar) -> re.Pattern[str]:
    """``10-20``, ``1990-1995``, ``3-1``."""
    return re.compile(
        rf"{SIGNED}(?P<low>{NUMBER})"
        rf"(?:[-\u2010-\u2014]|[ \u00a0][-\u2013\u2014][ \u00a0])(?P<high>{NUMBER}){AFTER}"
    )


def say_span(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a range; one that falls is a score."""
    low, high = match["low"], match["high"]
    if (len(low) > 1 and low[0] == "0") or (len(high) > 1 and high[0] == "0"):
        return None
    first, second = (_plain(g, each, reading) for each in (low, high))
    is_century = len(low) == 4 and len(high) == 2 and low.isdigit() and high.isdigit()
    if _value(low) > _value(high) and not is_century:
        is_score = len(low) <= 2
        return f"{_minus(g, match)}{first} {g.versus} {second}" if is_score else None
    return _minus(g, match) + _from_to(g, match, first, second)


def _plain(g: Grammar, text: str, reading: Reading) -> str:
    if g.year and len(text) == 4 and text.isdigit():
        return year(text, g, reading.region)
    return cardinal(written(text, g, reading.region), g, reading.region)


def ratio(_g: Grammar) -> re.Pattern[str]:
    """``3:2``, ``16:9``."""
    return re.compile(r"(?<![\w.,:/-])(?P<low>\d{1,3}):(?P<high>\d{1,3})(?![\w:/]|[.,-]\d)")


def say_ratio(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a score or proportion."""
    words = [cardinal(Written(each), g, reading.region) for each in (match["low"], match["high"])]
    return f" {g.versus} ".join(words)


def around_the_clock(g: Grammar) -> re.Pattern[str]:
    """``24/7``, ``24/7/365``."""
    return re.compile(
        rf"(?<![\w.,:/-])(?P<hours>{_any_of(g.around_the_clock)})"
        r"(?P<days>/36[56])?(?![\w/]|[.,-]\d)"
    )


def say_around_the_clock(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read that something is always open."""
    said = g.around_the_clock[match["hours"].replace("\u00a0", " ")]
    if match["days"]:
        said += f", {cardinal(Written(match['days'][1:]), g, reading.region)}"
    return said


def version(_g: Grammar) -> re.Pattern[str]:
    """``2.0.1``, ``v1.2``."""
    return re.compile(
        r"(?<![\w.,:/-])(?:v(?P<named>\d{1,6}(?:\.\d{1,6}){1,7})|\d{1,6}(?:\.\d{1,6}){2,7})(?!\w|\.\d)"
        r"(?::(?P<port>\d{1,5})(?![\w:]|\.\d))?"
    )


def say_version(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read the parts of a version or an address as numbers."""
    if re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3}){1,5}", match[0]):
        return None
    parts = match[0].partition(":")[0].removeprefix("v").split(".")
    words = [cardinal(Written(each), g, reading.region) for each in parts]
    name = "Version " if g.code == "de" else f"{g.address_signs['v']} "
    said = (name if match["named"] else "") + f" {g.stop} ".join(words)
    if match["port"]:
        port = cardinal(Written(match["port"]), g, reading.region)
        said += f" {g.address_signs[':']} {port}"
    return said


def plain(_g: Grammar) -> re.Pattern[str]:
    """``1.234,5``, ``-5``, ``3 Katzen``."""
    return re.compile(rf"{SIGNED}(?P<low>{NUMBER}){AFTER}")


def say_plain(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read a number by itself, in the gender of the noun behind it if that can be told."""
    text, start, end = match.string, match.start(), match.end()
    low = match["low"]
    number = written(low, g, reading.region)
    rest, before = text[end : end + 60], text[max(0, start - 24) : start]
    if g.year and len(low) == 4 and low.isdigit() and _is_year(low, rest, before):
        return _minus(g, match) + year(low, g, reading.region)
    gender = ""
    if rest[:1] in (" ", "\u00a0") and not (g.labels and g.labels.search(before)):
        gender = g.gender(rest[1:], 1 if number.is_one else 2)
    return _minus(g, match) + cardinal(number, g, reading.region, gender)


_YEAR_AHEAD = re.compile(
    r"(?:\b(?:Jahre?[ns]?|[Ss]eit|[Aa]nno|[Bb]is|[Aa]b|[Uu]m|[Vv]on|[Vv]or|[Nn]ach|[Ii]m|Sommer|Winter|Herbst"
    r"|Fr\u00fchjahr|Fr\u00fchling|Januar|Februar|M\u00e4rz|April|Mai|Juni|Juli|August|September|Oktober|November"
    r"|Dezember|und|oder)|\()[ \u00a0]?$"
)


def _is_year(digits: str, rest: str, before: str) -> bool:
    """Tell a year from a count, in a language that reads them in two ways."""
    if not 1100 <= int(digits) < 2000:
        return False
    counts = rest[:1] in (" ", "\u00a0") and rest[1:2].isupper()
    return not counts or bool(_YEAR_AHEAD.search(before))
