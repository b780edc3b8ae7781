"""Measures, as English writes and says them."""

from __future__ import annotations

import re

from ..._rules import Reading
from .numbers import AMOUNT, DASH, MINUS, NUMBER, amount, describes, is_one, number, signed

# Symbol: one, many. Case counts: Mb is not MB.
_UNITS = {
    symbol: (one, many or f"{one}s")
    for symbols, one, many in (
        ("nm", "nanometer", ""), ("µm|μm", "micrometer", ""), ("mm", "millimeter", ""),
        ("cm", "centimeter", ""), ("m", "meter", ""), ("km", "kilometer", ""),
        ("in", "inch", "inches"), ("ft", "foot", "feet"), ("yd|yds", "yard", ""),
        ("mi", "mile", ""), ("nmi", "nautical mile", ""),
        ("mcg|µg|μg", "microgram", ""), ("mg", "milligram", ""), ("g", "gram", ""),
        ("kg|kgs", "kilogram", ""), ("lb|lbs", "pound", ""), ("oz", "ounce", ""),
        ("fl oz", "fluid ounce", ""), ("t", "ton", ""),
        ("tsp", "teaspoon", ""), ("tbsp|tbs|Tbsp", "tablespoon", ""), ("qt", "quart", ""),
        ("pt", "pint", ""), ("gal", "gallon", ""),
        ("ns", "nanosecond", ""), ("µs|μs", "microsecond", ""), ("ms", "millisecond", ""),
        ("s|sec|secs", "second", ""), ("min|mins", "minute", ""), ("h|hr|hrs", "hour", ""),
        ("wk|wks", "week", ""), ("mo|mos", "month", ""), ("yr|yrs", "year", ""),
        ("µl|μl|µL|μL", "microliter", ""), ("ml|mL", "milliliter", ""), ("cl|cL", "centiliter", ""),
        ("dl|dL", "deciliter", ""), ("l|L", "liter", ""),
        ("kph|kmh", "kilometer per hour", "kilometers per hour"),
        ("mph", "mile per hour", "miles per hour"), ("mpg", "mile per gallon", "miles per gallon"),
        ("m/s²|m/s2|m/s^2", "meter per second squared", "meters per second squared"),
        ("l/100km|L/100km|l/100 km|L/100 km", "liter per hundred kilometers",
         "liters per hundred kilometers"),
        ("kn|kt|kts", "knot", ""), ("rpm", "revolution per minute", "revolutions per minute"),
        ("bpm", "beat per minute", "beats per minute"),
        ("fps", "frame per second", "frames per second"), ("psi", "P S I", "P S I"),
        ("dpi", "D P I", "D P I"), ("ppm", "part per million", "parts per million"),
        ("m²|m2|m^2|sqm", "square meter", ""), ("km²|km2|km^2", "square kilometer", ""),
        ("cm²|cm2|cm^2", "square centimeter", ""), ("mm²|mm2|mm^2", "square millimeter", ""),
        ("ft²|ft2|ft^2|sqft", "square foot", "square feet"),
        ("sq ft", "square foot", "square feet"),
        ("sq m", "square meter", ""), ("sq km", "square kilometer", ""),
        ("sq mi", "square mile", ""), ("sq in", "square inch", "square inches"),
        ("mi²|mi2|mi^2", "square mile", ""), ("in²|in2|in^2", "square inch", "square inches"),
        ("m³|m3|m^3", "cubic meter", ""), ("cm³|cm3|cm^3|cc", "cubic centimeter", ""),
        ("km³|km3|km^3", "cubic kilometer", ""), ("ft³|ft3|ft^3", "cubic foot", "cubic feet"),
        ("cu ft", "cubic foot", "cubic feet"), ("ha", "hectare", ""),
        ("°C|℃|ºC|°c", "degree Celsius", "degrees Celsius"),
        ("°F|℉|ºF|°f", "degree Fahrenheit", "degrees Fahrenheit"), ("°K", "kelvin", ""),
        ("°N", "degree north", "degrees north"), ("°S", "degree south", "degrees south"),
        ("°E", "degree east", "degrees east"), ("°W", "degree west", "degrees west"),
        ("°|º", "degree", ""), ("K", "kelvin", "kelvins"),
        ("Pa", "pascal", ""), ("kPa", "kilopascal", ""), ("hPa", "hectopascal", ""),
        ("MPa", "megapascal", ""), ("mbar", "millibar", ""), ("bar", "bar", ""),
        ("atm", "atmosphere", ""), ("mmHg", "millimeter of mercury", "millimeters of mercury"),
        ("Hz", "hertz", "hertz"), ("kHz", "kilohertz", "kilohertz"),
        ("MHz", "megahertz", "megahertz"), ("GHz", "gigahertz", "gigahertz"),
        ("mV", "millivolt", ""), ("V", "volt", ""), ("kV", "kilovolt", ""),
        ("mA", "milliamp", ""), ("A", "amp", ""), ("mAh", "milliamp hour", ""),
        ("Ah", "amp hour", ""), ("mW", "milliwatt", ""), ("W", "watt", ""), ("kW", "kilowatt", ""),
        ("MW", "megawatt", ""), ("GW", "gigawatt", ""), ("Wh", "watt hour", ""),
        ("kWh|KWh|kwh", "kilowatt hour", ""), ("MWh", "megawatt hour", ""),
        ("hp", "horsepower", "horsepower"), ("J", "joule", ""), ("kJ", "kilojoule", ""),
        ("cal", "calorie", ""), ("kcal", "kilocalorie", ""), ("N", "newton", ""),
        ("kN", "kilonewton", ""), ("Nm", "newton meter", ""), ("Ω|Ω", "ohm", ""),
        ("kΩ|kΩ", "kiloohm", ""), ("MΩ|MΩ", "megaohm", ""), ("F", "farad", ""),
        ("µF|μF", "microfarad", ""), ("nF", "nanofarad", ""), ("pF", "picofarad", ""),
        ("dB", "decibel", ""), ("dBm", "decibel milliwatt", ""), ("lm", "lumen", ""),
        ("lx", "lux", "lux"), ("mol", "mole", ""), ("px", "pixel", ""), ("MP", "megapixel", ""),
        ("b", "bit", ""), ("Kb|kb|kbit", "kilobit", ""), ("Mb|Mbit", "megabit", ""),
        ("Gb|Gbit", "gigabit", ""), ("Tb", "terabit", ""), ("B", "byte", ""),
        ("KB|kB", "kilobyte", ""), ("MB", "megabyte", ""), ("GB", "gigabyte", ""),
        ("TB", "terabyte", ""), ("PB", "petabyte", ""), ("EB", "exabyte", ""),
        ("KiB", "kibibyte", ""), ("MiB", "mebibyte", ""), ("GiB", "gibibyte", ""),
        ("TiB", "tebibyte", ""), ("bps", "bit per second", "bits per second"),
        ("kbps|Kbps", "kilobit per second", "kilobits per second"),
        ("Mbps|mbps", "megabit per second", "megabits per second"),
        ("Gbps|gbps", "gigabit per second", "gigabits per second"),
    )
    for symbol in symbols.split("|")
}  # fmt: skip
_PART_OF_A_WORD = frozenset({"A", "F", "N", "b", "B", "in", "K", "t"})
"""Also words, grades, names of seats and the like: read only as a part of a longer unit, or where
the number cannot be a name's."""
_ALONE = sorted(set(_UNITS) - _PART_OF_A_WORD, key=len, reverse=True)
_ALL = sorted(_UNITS, key=len, reverse=True)
_EACH = "|".join(map(re.escape, _ALL))
_LENGTH = (
    r"(?=[ ]?(?:[x\u00d7]|by)[ ]|[ -](?:wide|long|high|tall|deep|thick|diameter|screen"
    r"|monitor|display|pipe|nail|gap))"
)
_UNIT = (
    rf"(?:(?P<over>(?:{_EACH})[/\u2215](?:{_EACH}))(?![\w²³/])"
    rf"|(?P<unit>{'|'.join(map(re.escape, _ALONE))})(?![\w/²³])"
    rf"|(?P<inch>in){_LENGTH}|(?P<tight>(?<=\d)in)(?![\w/])|(?P<kelvin>(?<=\d[ \u00a0])K)(?![\w/-])"
    r"|(?P<amp>(?<=\.\d)A)(?![\w/])|(?P<dotted>in)(?=\.[ ]?(?:[,;:)x\u00d7]|[a-z])))(?:\."
    r"(?=[,;:)]|[ ][a-z]))?"
)
_START = r"(?<![\w.,:/'\u2019\u2044])"
MEASURE = re.compile(
    rf"{_START}(?P<sign>(?<![\w)][-])[{MINUS}+\u00b1]?)(?P<number>{AMOUNT})[ \u00a0-]?{_UNIT}"
)
MEASURE_RANGE = re.compile(
    rf"{_START}(?P<sign>[{MINUS}+]?)(?P<first>{AMOUNT})[ \u00a0]?(?P<unit1>{_EACH})?"
    rf"{DASH}(?P<second>{AMOUNT})[ \u00a0-]?{_UNIT}"
)
HEIGHT = re.compile(
    r"(?<![\w.,])(?P<feet>\d{1,2})[ ]?['\u2019\u2032][ ]?"
    r"(?P<inches>(?:1[01]|\d)(?:\.\d)?|\d[ ]?[½¼¾])(?:\"|\u2033|\u201d|''|\u2032\u2032)?"
    r"(?![\w'\u2019\u2032]|\.\d)"
    r"|(?<![\w.,])(?P<feet2>\d{1,4})(?:\u2032(?!\d)|'(?=[ ]?[x\u00d7][ ]?\d))"
)
ANGLE = re.compile(
    r"(?<![\w.,])(?P<degrees>\d{1,3})[°º][ ]?(?P<minutes>\d{1,2})['\u2019\u2032]"
    r"(?:[ ]?(?P<seconds>\d{1,2}(?:\.\d{1,4})?)(?:\"|\u2033|\u201d|''))?[ ]?(?P<side>[NSEW]\b)?"
)
INCHES = re.compile(rf"(?<![\w.,'\u2019])(?P<number>{AMOUNT})(?P<mark>\"|\u2033|\u201d)(?!\w)")
TOGETHER = re.compile(
    r"(?<![\w.,:])(?P<first>\d{1,4})[ ]?(?P<unit1>h|hr|hrs|min|m|ft|lb|lbs|d)[ ]?"
    r"(?P<second>\d{1,2})"
    r"[ ]?(?P<unit2>min|mins|m|s|sec|in|oz|h)(?:[ ]?(?P<third>\d{1,2})[ ]?s)?(?![\w/])"
)
SIDES = re.compile(
    rf"(?<![\w.,])(?P<first>{AMOUNT})[ ]?(?P<mark>['\u2019\u2032\"\u201d\u2033])"
    r"[ ]?(?:[x\u00d7]|by)[ ]?"
    rf"(?P<second>{AMOUNT})[ ]?(?P=mark)"
    rf"(?:[ ]?(?:[x\u00d7]|by)[ ]?(?P<third>{AMOUNT})[ ]?(?P=mark))?"
    r"(?!\w)"
)
DIMENSIONS = re.compile(
    rf"{_START}(?P<number>{NUMBER})(?P<rest>(?:[ ]?(?:{_EACH})?[ ]?[x\u00d7][ ]?"
    rf"(?:{NUMBER})){{1,3}})"
    rf"[ \u00a0]?{_UNIT}"
)
OVER = re.compile(r"(?<![\w/])(?P<over>(?:km|mi|m)/(?:h|s))(?![\w/])")
_OPENING = re.compile(r"(?<!\S)\"")
_CLOSING = re.compile(r"(?<=[^\s\d])\"(?!\w)")
_SIDES = {"N": "north", "S": "south", "E": "east", "W": "west", "": ""}
_PAIRS = {
    ("h", "min"), ("h", "m"), ("hr", "min"), ("hrs", "mins"), ("hr", "mins"), ("hrs", "min"),
    ("min", "s"), ("min", "sec"), ("m", "s"), ("ft", "in"), ("lb", "oz"), ("lbs", "oz"), ("d", "h"),
}  # fmt: skip
_MORE = {"m": ("minute", "minutes"), "d": ("day", "days")}
_YEARS_OF_A_DECADE = re.compile(r"\d{3}0s")
_CUE_OF_A_DECADE = re.compile(
    r"(?:\b(?:the|his|her|their|my|your|our|its|early|mid|late|low|high|upper|in|to)[ -])$",
    re.IGNORECASE,
)


def _names(match: re.Match[str]) -> tuple[str, str]:
    groups = match.groupdict()
    if over := groups.get("over"):
        first, _, second = over.replace("\u2215", "/").partition("/")
        each = _UNITS[second][0]
        one, many = _UNITS[first]
        return f"{one} per {each}", f"{many} per {each}"
    if groups.get("amp") is not None:
        return _UNITS["A"]
    if groups.get("kelvin"):
        return _UNITS["K"]
    return _UNITS[groups.get("unit") or "in"]


def is_joined(match: re.Match[str]) -> bool:
    """Tell whether a hyphen joins a measure's number and unit."""
    return match.string[match.end("number")] == "-"


def say_measure(match: re.Match[str], reading: Reading) -> str | None:
    if match["unit"] == "s" and re.fullmatch(r"\d{0,3}[1-9]?0s", match[0]):
        before = match.string[max(match.start() - 12, 0) : match.start()]
        if _YEARS_OF_A_DECADE.fullmatch(match[0]) or _CUE_OF_A_DECADE.search(before):
            return None
    one, many = _names(match)
    name = one if is_one(match["number"]) else many
    if describes(match) or is_joined(match):
        name = one
    return f"{signed(match['sign'])}{amount(match['number'], reading)} {name}"


def say_measure_range(match: re.Match[str], reading: Reading) -> str | None:
    one, many = _names(match)
    first, second = (amount(match[name], reading) for name in ("first", "second"))
    if match["unit1"] and _UNITS[match["unit1"]] != (one, many):
        singular, plural = _UNITS[match["unit1"]]
        first += f" {singular if is_one(match['first']) else plural}"
    return f"{signed(match['sign'])}{first} to {second} {one if is_one(match['second']) else many}"


def say_dimensions(match: re.Match[str], reading: Reading) -> str:
    """``5 x 10 x 3 cm``."""
    _, many = _names(match)
    found = re.findall(NUMBER, match[0][: match.end("rest") - match.start()])
    return f"{' by '.join(number(each, reading) for each in found)} {many}"


def say_sides(match: re.Match[str], reading: Reading) -> str:
    """``20' x 30'``."""
    one, many = ("foot", "feet") if match["mark"] in "'\u2019\u2032" else ("inch", "inches")
    sides = [match[name] for name in ("first", "second", "third") if match[name]]
    return " by ".join(f"{amount(side, reading)} {one if is_one(side) else many}" for side in sides)


def say_height(match: re.Match[str], reading: Reading) -> str:
    if match["feet2"]:
        return f"{number(match['feet2'], reading)} feet"
    feet, inches = match["feet"], match["inches"]
    names = "foot" if feet == "1" else "feet", "inch" if inches == "1" else "inches"
    return f"{number(feet, reading)} {names[0]} {amount(inches, reading)} {names[1]}"


def say_angle(match: re.Match[str], reading: Reading) -> str:
    parts = []
    for group, name in (("degrees", "degree"), ("minutes", "minute"), ("seconds", "second")):
        if match[group]:
            plural = "" if match[group] == "1" else "s"
            parts.append(f"{number(match[group], reading)} {name}{plural}")
    return " ".join([*parts, _SIDES[match["side"] or ""]]).rstrip()


def say_inches(match: re.Match[str], reading: Reading) -> str | None:
    """A quotation mark behind a number, unless a quotation ends there."""
    before = match.string[max(match.start() - 400, 0) : match.start()]
    if match["mark"] == '"' and len(_OPENING.findall(before)) > len(_CLOSING.findall(before)):
        return None
    if match["mark"] == "\u201d" and before.rfind("\u201c") > before.rfind("\u201d"):
        return None
    name = "inch" if is_one(match["number"]) or describes(match) else "inches"
    return f"{amount(match['number'], reading)} {name}"


def say_together(match: re.Match[str], reading: Reading) -> str | None:
    """Two or three measures in a row: ``2h30m``, ``6ft 2in``."""
    pair = (match["unit1"], match["unit2"])
    if pair not in _PAIRS:
        return None
    values = [(match["first"], match["unit1"]), (match["second"], match["unit2"])]
    values += [(match["third"], "s")] if match["third"] else []
    parts = []
    for value, unit in values:
        one, many = _MORE.get(unit) or _UNITS[unit]
        parts.append(f"{number(value, reading)} {one if value == '1' else many}")
    return " ".join(parts)


def say_over(match: re.Match[str], _reading: Reading) -> str:
    return _names(match)[1]
