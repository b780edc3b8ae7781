"""Dates, years and times of day, as they are read aloud in English."""

from __future__ import annotations

import re

from . import numbers
from ._amounts import plain_number
from ._rules import Reading, Rule

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_TIME = re.compile(
    r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?"
    # The stop after "p.m." stays: the sentence may end there.
    r"(?:[ ]?(?P<half>[ap])(?:\.m(?=\.)|m)\b)?(?![\w:])",
    re.IGNORECASE,
)
_HALF = re.compile(
    r"(?<![\w:.,])(?P<hour>1[0-2]|0?[1-9])[ ]?(?P<half>[ap])(?:\.m(?=\.)|m)\b", re.IGNORECASE
)
_ISO_DATE = re.compile(
    r"(?<![\w.-])(?P<year>[12]\d{3})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])(?![\w-])"
)
_DATE = re.compile(
    r"(?<![\w./])(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<year>[12]\d{3})(?![\w/])"
)
_MONTH_DAY = re.compile(
    rf"\b(?:{'|'.join(MONTHS)}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?)"
    r"[ \u00a0](?P<day>[12]\d|3[01]|0?[1-9])(?![\w:]|[.,]\d)"
)
_DECADE = re.compile(
    r"(?<![\w.,])(?:['\u2019](?=\d0s))?(?P<year>1[1-9]\d0|20[1-9]0|[2-9]0)['\u2019]?s\b"
)


def date(year: str, month: int, day: int, reading: Reading) -> str | None:
    """Read a date; None if there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    place = numbers.ordinal(str(day), "en")
    words = f"the {place} of {MONTHS[month - 1]}" if reading.is_day_first else None
    words = words or f"{MONTHS[month - 1]} {place}"
    return f"{words}, {numbers.year(year, 'en')}" if year else words


def _say_time(match: re.Match[str], reading: Reading) -> str:
    hour, minute = int(match["hour"]), match["minute"]
    parts = [reading.number(str(hour))]
    if minute == "00":
        parts += [] if match["half"] or match["second"] else ["o'clock"]
    elif minute[0] == "0":
        parts.append(f"oh {reading.number(minute[1])}")
    else:
        parts.append(reading.number(minute))
    if match["second"]:
        seconds = int(match["second"])
        name = "second" if seconds == 1 else "seconds"
        parts.append(f"and {reading.number(str(seconds))} {name}")
    return " ".join([*parts, *_half(match)])


def _say_half(match: re.Match[str], reading: Reading) -> str:
    return " ".join([reading.number(str(int(match["hour"]))), *_half(match)])


def _half(match: re.Match[str]) -> list[str]:
    """Keep "p.m" where its stop follows: sentences are told by it."""
    if not match["half"]:
        return []
    return [f"{match['half'].lower()}.m" if "." in match[0] else f"{match['half'].upper()}M"]


def _say_iso_date(match: re.Match[str], reading: Reading) -> str | None:
    return date(match["year"], int(match["month"]), int(match["day"]), reading)


def _say_date(match: re.Match[str], reading: Reading) -> str | None:
    first, second = int(match["first"]), int(match["second"])
    day_first = first > 12 or (reading.is_day_first and second <= 12)
    month, day = (second, first) if day_first else (first, second)
    return date(match["year"], month, day, reading)


def _say_month_day(match: re.Match[str], _reading: Reading) -> str | None:
    return numbers.ordinal(match["day"], "en")


def _say_decade(match: re.Match[str], reading: Reading) -> str:
    words = plain_number(match["year"], reading)
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


TIME = Rule(_TIME, _say_time)
HALF = Rule(_HALF, _say_half)
ISO_DATE = Rule(_ISO_DATE, _say_iso_date)
DATE = Rule(_DATE, _say_date)
MONTH_DAY = Rule(_MONTH_DAY, _say_month_day, said="day")
DECADE = Rule(_DECADE, _say_decade)
