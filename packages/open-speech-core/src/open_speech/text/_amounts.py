"""Sums of money, measures and plain numbers, as they are read aloud in English."""

from __future__ import annotations

import re

from . import numbers
from ._rules import NUMBER, Reading, Rule

_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "", ""),
}
_SIGNS = "".join(_MONEY)
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
_SCALES |= {"t": "trillion", "tn": "trillion"}
_SCALE = r"(?:[ ]?(?P<scale>hundred|thousand|million|billion|trillion|k|mn?|bn?|tn?)\b)?"
_MINUS = "-\u2212"
_PRICE = re.compile(
    rf"(?P<minus>(?<!\w)[{_MINUS}])?(?:US|A|C|NZ)?(?P<sign>[{_SIGNS}])[ ]?"
    rf"(?P<number>{NUMBER}){_SCALE}",
    re.IGNORECASE,
)
_PRICE_AFTER = re.compile(rf"(?<![\w.,])(?P<number>{NUMBER})(?P<scale>)[ ]?(?P<sign>[€£])(?!\w)")


def _say_price(match: re.Match[str], reading: Reading) -> str:
    one, many, small, smalls = _MONEY[match["sign"]]
    whole, _, fraction = match["number"].replace(",", "").partition(".")
    minus = "minus " if match.groupdict().get("minus") else ""
    if scale := match["scale"]:
        scale = _SCALES.get(scale.lower(), scale.lower())
        return f"{minus}{reading.number(match['number'])} {scale} {many}"
    if fraction and not (len(fraction) <= 2 and small):
        return f"{minus}{reading.number(match['number'])} {many}"
    cents = fraction.ljust(2, "0").lstrip("0")
    parts = []
    if whole.strip("0") or not cents:
        parts.append(f"{reading.number(whole)} {one if whole == '1' else many}")
    if cents:
        parts.append(f"{reading.number(cents)} {small if cents == '1' else smalls}")
    return minus + " and ".join(parts)


PRICE = Rule(_PRICE, _say_price)
PRICE_AFTER = Rule(_PRICE_AFTER, _say_price)

# Symbol: one, many. Case counts: Mb is not MB.
_UNITS = {
    symbol: (one, many or f"{one}s")
    for symbols, one, many in (
        ("mm", "millimeter", ""), ("cm", "centimeter", ""), ("m", "meter", ""),
        ("km", "kilometer", ""), ("in", "inch", "inches"), ("ft", "foot", "feet"),
        ("yd", "yard", ""), ("mi", "mile", ""),
        ("mg", "milligram", ""), ("g", "gram", ""), ("kg", "kilogram", ""),
        ("lb lbs", "pound", ""), ("oz", "ounce", ""),
        ("ms", "millisecond", ""), ("s sec", "second", ""), ("min", "minute", ""),
        ("h hr hrs", "hour", ""),
        ("ml mL", "milliliter", ""), ("cl", "centiliter", ""), ("dl", "deciliter", ""),
        ("l L", "liter", ""),
        ("kph km/h", "kilometer per hour", "kilometers per hour"),
        ("mph mi/h", "mile per hour", "miles per hour"),
        ("m/s", "meter per second", "meters per second"),
        ("ft/s", "foot per second", "feet per second"),
        ("m² m2", "square meter", ""), ("km²", "square kilometer", ""), ("m³", "cubic meter", ""),
        ("°C ℃", "degree Celsius", "degrees Celsius"),
        ("°F ℉", "degree Fahrenheit", "degrees Fahrenheit"),
        ("°", "degree", ""), ("K", "kelvin", "kelvins"),
        ("Pa", "pascal", ""), ("kPa", "kilopascal", ""), ("hPa", "hectopascal", ""),
        ("MPa", "megapascal", ""), ("bar", "bar", ""), ("atm", "atmosphere", ""),
        ("Hz", "hertz", "hertz"), ("kHz", "kilohertz", "kilohertz"),
        ("MHz", "megahertz", "megahertz"), ("GHz", "gigahertz", "gigahertz"),
        ("mV", "millivolt", ""), ("V", "volt", ""), ("kV", "kilovolt", ""),
        ("mA", "milliamp", ""), ("A", "amp", ""),
        ("mW", "milliwatt", ""), ("W", "watt", ""), ("kW", "kilowatt", ""), ("MW", "megawatt", ""),
        ("kWh", "kilowatt hour", ""), ("J", "joule", ""), ("kJ", "kilojoule", ""),
        ("kcal", "kilocalorie", ""), ("Ω", "ohm", ""), ("kΩ", "kiloohm", ""),
        ("µF μF", "microfarad", ""), ("nF", "nanofarad", ""), ("pF", "picofarad", ""),
        ("dB", "decibel", ""), ("px", "pixel", ""),
        ("b", "bit", ""), ("Kb kb", "kilobit", ""), ("Mb", "megabit", ""), ("Gb", "gigabit", ""),
        ("Tb", "terabit", ""), ("B", "byte", ""), ("KB kB", "kilobyte", ""), ("MB", "megabyte", ""),
        ("GB", "gigabyte", ""), ("TB", "terabyte", ""), ("PB", "petabyte", ""),
        ("KiB", "kibibyte", ""), ("MiB", "mebibyte", ""), ("GiB", "gibibyte", ""),
        ("kbps", "kilobit per second", "kilobits per second"),
        ("Mbps mbps", "megabit per second", "megabits per second"),
        ("Gbps gbps", "gigabit per second", "gigabits per second"),
    )
    for symbol in symbols.split()
}  # fmt: skip
_WORDS = ("in", "A")
"""Also words: units only right after the number."""
_SPACED = "|".join(map(re.escape, sorted(set(_UNITS) - set(_WORDS), key=len, reverse=True)))
_MEASURE = re.compile(
    rf"(?<![\w.,'\u2019])(?P<sign>[{_MINUS}+]?)(?P<number>{NUMBER})"
    rf"(?:[ \u00a0]?(?P<unit>{_SPACED})|(?P<tight>{'|'.join(_WORDS)}))(?![\w/²³])"
)
_YEARS_OF_A_DECADE = re.compile(r"\d{3}0s")


def _say_measure(match: re.Match[str], reading: Reading) -> str | None:
    if _YEARS_OF_A_DECADE.fullmatch(match[0]):
        return None
    one, many = _UNITS[match["unit"] or match["tight"]]
    name = one if match["number"] == "1" else many
    return f"{_sign(match['sign'])}{reading.number(match['number'])} {name}"


def _sign(sign: str) -> str:
    return {"": "", "+": "plus "}.get(sign, "minus ")


MEASURE = Rule(_MEASURE, _say_measure)

_FRACTIONS = {
    "1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter",
    "3/4": "three quarters", "½": "one half", "¼": "one quarter", "¾": "three quarters",
}  # fmt: skip
_FRACTION = re.compile(r"(?<![\w/.,])(?:(\d{1,6})[ ]?([½¼¾])|[½¼¾]|[123]/[234](?![\w/]|\.\d))")
_PERCENT = re.compile(rf"(?<![\w.,])([{_MINUS}+]?)({NUMBER})[ ]?%")
_RANGE = re.compile(r"(?<![\w.,-])(\d{1,6})[ ]?[-\u2013][ ]?(\d{1,6})(?![\w-]|[.,]\d)")
_VERSION = re.compile(r"(?<![\w.])v?\d{1,6}(?:\.\d{1,6}){2,7}(?!\.?\d)", re.IGNORECASE)
_ORDINAL = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th)\b", re.IGNORECASE
)
_SCALED = re.compile(rf"(?<![\w.,])({NUMBER})([kKMB]|bn)\b")
_ANY = re.compile(rf"(?P<sign>(?<![\w)\]])[{_MINUS}+])?(?P<number>{NUMBER})")
YEARS = range(1100, 2100)


def _say_fraction(match: re.Match[str], reading: Reading) -> str | None:
    if match[1]:
        half = _FRACTIONS[match[2]].replace("one ", "a ", 1)
        return f"{reading.number(match[1])} and {half}"
    return _FRACTIONS.get(match[0])


def _say_percent(match: re.Match[str], reading: Reading) -> str:
    return f"{_sign(match[1])}{reading.number(match[2])} percent"


def _say_range(match: re.Match[str], reading: Reading) -> str:
    return f"{plain_number(match[1], reading)} to {plain_number(match[2], reading)}"


def _say_version(match: re.Match[str], reading: Reading) -> str:
    parts = match[0].lstrip("vV").split(".")
    name = "version " if match[0][0] in "vV" else ""
    return name + " point ".join(reading.number(part) for part in parts)


def _say_ordinal(match: re.Match[str], reading: Reading) -> str | None:
    return numbers.ordinal(match[1].replace(",", ""), reading.language)


def _say_scaled(match: re.Match[str], reading: Reading) -> str:
    return f"{reading.number(match[1])} {_SCALES[match[2].lower()]}"


def _say_any(match: re.Match[str], reading: Reading) -> str:
    text, (start, end) = match.string, match.span()
    said = _sign(match["sign"] or "") + plain_number(match["number"], reading)
    before = " " if start and text[start - 1].isalnum() else ""
    return before + said + (" " if text[end : end + 1].isalnum() else "")


def plain_number(text: str, reading: Reading) -> str:
    """Read four digits as a year where they can be one, anything else as a number."""
    is_year = len(text) == 4 and text.isdigit() and int(text) in YEARS
    if is_year and not 2000 <= int(text) < 2010:
        return numbers.year(text, reading.language)
    return reading.number(text)


FRACTION = Rule(_FRACTION, _say_fraction)
PERCENT = Rule(_PERCENT, _say_percent)
RANGE = Rule(_RANGE, _say_range)
VERSION = Rule(_VERSION, _say_version)
ORDINAL = Rule(_ORDINAL, _say_ordinal)
SCALED = Rule(_SCALED, _say_scaled)
ANY = Rule(_ANY, _say_any)
