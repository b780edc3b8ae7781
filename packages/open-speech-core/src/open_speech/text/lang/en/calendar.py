"""Dates, years and times of day, as English writes and says them."""

from __future__ import annotations

import re

from ... import numbers
from ..._rules import Reading
from .numbers import DASH, year_or_number

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_SHORT = {
    name: index
    for index, names in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "", "Jun", "Jul", "Aug", "Sep Sept", "Oct", "Nov", "Dec"), 1
    )
    for name in names.split()
}
_MONTH = rf"(?:{'|'.join(MONTHS)}|(?:{'|'.join(sorted(_SHORT, reverse=True))})\b\.?)"
_DAY = r"(?:[12]\d|3[01]|0?[1-9])"
_SPACE = r"[ \u00a0]"
_YEAR = rf"(?P<comma>,?{_SPACE}|,)(?P<year>[12]\d{{3}})(?![\w:]|[.,]\d|-\d)"
_CLOCK = r"(?P<hour>[01]\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,]\d{1,9})?)?"
ISO_DATE = re.compile(
    r"(?<![\w./-])(?P<year>[12]\d{3})(?P<mark>[-/.])(?P<month>0?[1-9]|1[0-2])(?P=mark)"
    rf"(?P<day>{_DAY})(?!\d)(?:(?P<joint>[T ]|,[ ]|[ ]at[ ]){_CLOCK}(?P<zone>[ ]?(?:Z\b|UTC\b"
    rf"|GMT\b)|[+-]\d\d:?\d\d\b)?)?"
    r"(?![\w/-]|[.:]\d)"
)
DATE = re.compile(
    r"(?<![\w./-])(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)"
    r"(?P<year>[12]\d{3}|\d{2})(?![\w/-]|[.]\d)"
)
SHORT_DATE = re.compile(r"(?<![\w./:-])(?P<first>\d{1,2})/(?P<second>\d{1,2})(?![\w/]|[.,-]\d)")
_BEFORE_A_DATE = re.compile(
    r"\b(?:on|by|until|till|before|after|since|from|due|dated|between|through)[ ]$", re.IGNORECASE
)
MONTH_OF_YEAR = re.compile(
    r"(?<![\w./:-])(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\w/]|[.,-]\d)"
)
SHORT_YEAR = re.compile(r"(?<![\w'\u2019])['\u2019](?P<year>\d\d)(?![\w'\u2019\"%]|[.,:]\d)")
DECADES = re.compile(
    r"(?<![\w.,])(?P<first>(?:1[0-9]|20)\d0)s?[-\u2010-\u2014](?P<second>(?:(?:1[0-9]|20)?\d)0)s\b"
)
_MUSIC = re.compile(
    r"[ ](?:music|style|fashion|rock|pop|disco|hits|movie|film|show|night|party|kid)"
)
YEAR_MONTH = re.compile(
    r"(?<![\w./-])(?P<year>[12]\d{3})-(?P<month>0[1-9]|1[0-2])(?![\w/-]|[.,]\d)"
)
MONTH_DAYS = re.compile(
    rf"\b(?P<month>{_MONTH}){_SPACE}(?P<day>{_DAY})(?:st|nd|rd|th)?{DASH}(?:"
    rf"(?P<month2>{_MONTH}){_SPACE})?"
    rf"(?P<day2>{_DAY})(?:st|nd|rd|th)?(?![\w:]|[.,-]\d)(?:{_YEAR})?"
)
MONTH_DAY = re.compile(
    rf"\b(?P<month>{_MONTH}){_SPACE}(?P<day>{_DAY})(?:st|nd|rd|th)?(?![\w:/]|[.,]\d)(?:{_YEAR})?"
)
DAY_MONTH = re.compile(
    rf"(?<![\w./:$£€-])(?P<the>\b[Tt]he{_SPACE})?(?P<day>{_DAY})(?:st|nd|rd|th)?"
    rf"(?:{DASH}(?P<day2>{_DAY})(?:st|nd|rd|th)?)?{_SPACE}(?P<of>of{_SPACE})?"
    rf"(?P<month>{_MONTH})(?!\w)(?:{_YEAR})?"
)
MONTH_YEAR = re.compile(
    rf"\b(?P<month>(?:{'|'.join(sorted(_SHORT, reverse=True))})\b)\.?(?=,?{_SPACE}"
    rf"(?:[12]\d{{3}}|['\u2019]\d\d)\b)"
)
WEEKDAY = re.compile(
    rf"\b(?P<day>Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\.?(?=,?{_SPACE}(?:{_MONTH}|\d))"
)
_WEEKDAYS = {
    "Mo": "Monday", "Tu": "Tuesday", "We": "Wednesday", "Th": "Thursday", "Fr": "Friday",
    "Sa": "Saturday", "Su": "Sunday",
}  # fmt: skip
YEARS = re.compile(
    r"(?<![\w.,/:$£€-])(?P<first>1[1-9]\d\d|20\d\d)[ ]?[-\u2010-\u2014/][ ]?"
    r"(?P<second>(?:1[1-9]|20)\d\d|\d\d)(?![\w/%-]|[.,:]\d)"
)
DECADE = re.compile(
    r"(?<![\w.,])(?P<short>['\u2019](?=\d0s))?(?P<year>1[0-9]\d0|20\d0|[1-9]0)['\u2019]?s\b"
)

_HALVES = r"(?P<half{0}>[ap])(?:\.[ ]?m(?=\.)|m)\b|(?P<word{0}>noon|midnight)\b"
_HOUR = r"(?:[01]?\d|2[0-4])"
TIME = re.compile(
    rf"(?<![\w:.,])(?P<hour>{_HOUR})(?P<mark>:|\.(?=\d\d[ \u00a0]?[ap]\.?m))"
    rf"(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?"
    # The stop after "p.m." stays: the sentence may end there.
    r"(?:[ \u00a0]?(?P<half>[ap])(?:\.[ ]?m(?=\.)|m)\b|(?P<oclock>[ ]o['\u2019]clock)"
    r"|\.(?P<part>\d{1,3}))?(?![\w:])",
    re.IGNORECASE,
)
HALF = re.compile(
    r"(?<![\w:.,])(?P<hour>1[0-2]|0?[1-9])[ \u00a0]?(?P<half>[ap])(?:\.[ ]?m(?=\.)|m)\b",
    re.IGNORECASE,
)
_POINT = rf"(?:{_HOUR}(?:[:.][0-5]\d)?(?:[ \u00a0]?[ap](?:\.[ ]?m\.|\.?m\b))?|noon|midnight)"
TIMES = re.compile(
    rf"(?<![\w:.,/$-])(?P<first>{_POINT}){DASH}(?P<second>{_POINT})(?![\w:/%-]|[.,]\d)",
    re.IGNORECASE,
)
_ONE_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?(?:[ \u00a0]?(?P<half>[ap])(?P<dots>\.[ ]?m"
    r"(?P<stop>\.?)|\.?m))?",
    re.IGNORECASE,
)


def date(year: int | None, month: int, day: int, reading: Reading) -> str | None:
    """Read a date; None if there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    place = numbers.ordinal(str(day), "en")
    words = f"the {place} of {MONTHS[month - 1]}" if reading.is_day_first else None
    words = words or f"{MONTHS[month - 1]} {place}"
    return f"{words}, {numbers.year(str(year), 'en')}" if year else words


def _month(text: str) -> str:
    name = text.rstrip(".")
    return MONTHS[_SHORT[name] - 1] if name in _SHORT else name


def _year(match: re.Match[str], reading: Reading) -> str:
    if not match["year"]:
        return ""
    comma = ", " if match["comma"] == "," else match["comma"]
    return f"{comma}{year_or_number(match['year'], reading)}"


def say_iso_date(match: re.Match[str], reading: Reading) -> str | None:
    said = date(int(match["year"]), int(match["month"]), int(match["day"]), reading)
    if said is None or not match["hour"]:
        return said
    joint = match["joint"].strip(", ") if match["joint"] != "T" else ""
    clock = _clock(match, reading) + _zone(match, reading)
    return f"{said} {joint} {clock}" if joint else f"{said}, at {clock}"


def _zone(match: re.Match[str], reading: Reading) -> str:
    zone = (match["zone"] or "").strip()
    if zone in ("", "UTC", "GMT"):
        return f" {zone}" if zone else ""
    if zone == "Z":
        return " UTC"
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    sign = "minus" if zone[0] == "-" else "plus"
    said = f" UTC {sign} {reading.number(str(hours))}"
    return f"{said} {reading.number(str(minutes))}" if minutes else said


def say_date(match: re.Match[str], reading: Reading) -> str | None:
    first, second = int(match["first"]), int(match["second"])
    if match["mark"] == "." and len(match["year"]) == 2:
        return None  # rather a version or an outline
    day_first = first > 12 or (second <= 12 and (reading.is_day_first or match["mark"] == "."))
    month, day = (second, first) if day_first else (first, second)
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 2000 if year < 70 else 1900
    return date(year, month, day, reading)


def say_short_date(match: re.Match[str], reading: Reading) -> str | None:
    """A month and a day, where the one of the year makes it sure, or the word before."""
    first, second = int(match["first"]), int(match["second"])
    day_first = first > 12 or (reading.is_day_first and second <= 12)
    month, day = (second, first) if day_first else (first, second)
    if (match["first"], match["second"]) == ("24", "7"):
        return None
    cue = _BEFORE_A_DATE.search(match.string, max(match.start() - 10, 0), match.start())
    if match[0] == "9/11" and not cue:
        return "nine eleven"
    is_fraction = second in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20) and first < second
    if (is_fraction and not cue) or first == second == 0 or (first == second and not cue):
        return None
    return date(None, month, day, reading)


def say_year_month(match: re.Match[str], reading: Reading) -> str | None:
    if int(match["month"]) > int(match["year"][2:]):
        return None  # 1910-12 are years
    return f"{MONTHS[int(match['month']) - 1]} {year_or_number(match['year'], reading)}"


def say_month_days(match: re.Match[str], reading: Reading) -> str:
    first, last = (numbers.ordinal(str(int(match[each])), "en") for each in ("day", "day2"))
    month2 = f"{_month(match['month2'])} " if match["month2"] else ""
    return f"{_month(match['month'])} {first} to {month2}{last}{_year(match, reading)}"


def say_month_day(match: re.Match[str], reading: Reading) -> str:
    place = numbers.ordinal(str(int(match["day"])), "en")
    return f"{_month(match['month'])} {place}{_year(match, reading)}"


def say_day_month(match: re.Match[str], reading: Reading) -> str:
    place = numbers.ordinal(str(int(match["day"])), "en")
    if match["day2"]:
        place = f"{place} to the {numbers.ordinal(str(int(match['day2'])), 'en')}"
    the = match["the"] or "the "
    return f"{the}{place} of {_month(match['month'])}{_year(match, reading)}"


def say_weekday(match: re.Match[str], _reading: Reading) -> str:
    return _WEEKDAYS[match["day"][:2]]


def say_month(match: re.Match[str], _reading: Reading) -> str:
    return _month(match["month"])


def say_years(match: re.Match[str], reading: Reading) -> str | None:
    first, second = match["first"], match["second"]
    if len(second) == 2:
        if int(second) <= int(first[2:]) and second != "00":
            return None
        said = reading.number(second) if second[0] != "0" else f"oh {reading.number(second[1])}"
        if "/" in match[0]:
            return f"{year_or_number(first, reading)} {said}"
        return f"{year_or_number(first, reading)} to {said}"
    if "/" in match[0]:
        return f"{year_or_number(first, reading)} {year_or_number(second, reading)}"
    return f"{year_or_number(first, reading)} to {year_or_number(second, reading)}"


def say_month_of_year(match: re.Match[str], reading: Reading) -> str:
    return f"{MONTHS[int(match['month']) - 1]} {year_or_number(match['year'], reading)}"


def say_short_year(match: re.Match[str], reading: Reading) -> str:
    year = match["year"]
    return f"oh {reading.number(year[1])}" if year[0] == "0" else reading.number(year)


def say_decades(match: re.Match[str], reading: Reading) -> str:
    return " to ".join(_decade(match[each], reading) for each in ("first", "second"))


def say_named_decade(match: re.Match[str], reading: Reading) -> str | None:
    """``70s music``: before seconds are read."""
    return say_decade(match, reading) if _MUSIC.match(match.string, match.end()) else None


def say_decade(match: re.Match[str], reading: Reading) -> str:
    return _decade(match["year"], reading)


def _decade(year: str, reading: Reading) -> str:
    words = year_or_number(year, reading)
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _clock(match: re.Match[str], reading: Reading) -> str:
    groups = match.groupdict()
    hour, minute = int(match["hour"]), match["minute"]
    is_bare = not groups.get("half")
    parts = [reading.number(str(hour))]
    if minute == "00":
        if is_bare and not groups.get("second"):
            parts.append("hundred" if hour > 12 else "o'clock" if hour else "hundred")
    elif minute[0] == "0":
        parts.append(f"oh {reading.number(minute[1])}")
    else:
        parts.append(reading.number(minute))
    if groups.get("second") and (match["second"] != "00" or "zone" not in groups):
        seconds = int(match["second"])
        name = "second" if seconds == 1 else "seconds"
        parts.append(f"and {reading.number(str(seconds))} {name}")
    return " ".join(parts)


def say_time(match: re.Match[str], reading: Reading) -> str:
    if match["part"] and match["mark"] == ":":  # of a race
        said = [reading.number(match["hour"].lstrip("0") or "0")]
        said += [_two_digits(each, reading) for each in match.group("minute", "second") if each]
        return f"{' '.join(said)} point {numbers.digits(match['part'], reading.language)}"
    return " ".join([_clock(match, reading), *_half(match)])


def _two_digits(text: str, reading: Reading) -> str:
    return f"oh {reading.number(text[1])}" if text[0] == "0" else reading.number(text)


def say_half(match: re.Match[str], reading: Reading) -> str:
    return " ".join([reading.number(str(int(match["hour"]))), *_half(match)])


def _half(match: re.Match[str]) -> list[str]:
    """Keep "p.m" where its stop follows: sentences are told by it."""
    if not match["half"]:
        return []
    return [f"{match['half'].lower()}.m" if "." in match[0][-3:] else f"{match['half'].upper()}M"]


def say_times(match: re.Match[str], reading: Reading) -> str | None:
    """Two times of day, one of which shows by minutes, half or word that it is one."""
    first, second = match["first"], match["second"]
    is_time = [
        bool(re.search(r":|[ap]\.?[ ]?m|n", each, re.IGNORECASE)) for each in (first, second)
    ]
    if not any(is_time):
        return None
    said = [_point(each, reading) for each in (first, second)]
    return f"{said[0]} to {said[1]}" if all(said) else None


def _point(text: str, reading: Reading) -> str | None:
    match = _ONE_TIME.fullmatch(text)
    if not match:
        return text.lower()
    hour, minute = int(match["hour"]), match["minute"] or "00"
    said = reading.number(str(hour))
    if minute != "00":
        said += (
            f" oh {reading.number(minute[1])}" if minute[0] == "0" else f" {reading.number(minute)}"
        )
    elif match["minute"] and not match["half"]:
        said += " hundred" if hour > 12 or not hour else " o'clock"
    if match["half"]:
        dotted = "." in match["dots"]
        said += (
            f" {match['half'].lower()}.m{match['stop'] or ''}"
            if dotted
            else f" {match['half'].upper()}M"
        )
    return said
