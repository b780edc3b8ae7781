"""Dates, decades and times of day."""

from __future__ import annotations

import re

from ..._rules import Reading
from .grammar import Grammar
from .spelling import DASH, SPACE, Written, cardinal, counted, year

_DATE = re.compile(
    r"(?<![\w./,:-])(?P<day>\d{1,2})(?P<sep>[./-])(?P<month>\d{1,2})(?P=sep)(?P<year>[12]\d{3}|\d\d)"
    r"(?![\w/]|[.,-]\d)"
)
_ISO = re.compile(
    r"(?<![\w./,:-])(?P<year>[12]\d{3})(?P<sep>[-/.])(?P<month>0[1-9]|1[0-2])(?P=sep)"
    r"(?P<day>0[1-9]|[12]\d|3[01])"
    r"(?:T(?P<hour>[01]\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,]\d{1,9})?)?"
    r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?(?![\w/]|[.-]\d)"
)
_DAY_MONTH = re.compile(r"(?<![\w./,:-])(?P<day>\d\d?)\.[ \u00a0]?(?P<month>\d\d?)\.(?![\d\w])")
# The months are the second group of what a stop divides: "am 3.5." is no version.
_AHEAD = re.compile(
    r"(?i:\b(?:am|vom|zum|bis|den|dem|der|seit|ab|und|oder|(?:mo|di|mi|do|fr|sa|so)\.?,|tag,)"
    r"|[(\u2013-])[ \u00a0]{0,2}$"
)


def weekdays(g: Grammar) -> re.Pattern[str]:
    """``Mo-Fr``, ``lun.-ven.`` (with any dash)."""
    day = "|".join(map(re.escape, g.weekdays)) or "(?!)"
    return re.compile(
        rf"(?<![\w-])(?P<first>{day})\.?{DASH}(?P<last>{day})(?:\.(?=[ \u00a0]?[\d:,(]))?(?![\w-])"
    )


def say_weekdays(g: Grammar, match: re.Match[str], reading: Reading) -> str:  # noqa: ARG001
    """Read ``Montag bis Freitag``."""
    return f"{g.weekdays[match['first']]} {g.to} {g.weekdays[match['last']]}"


def iso_date(_g: Grammar) -> re.Pattern[str]:
    """``2024-12-24``, ``2024/12/24``, with ``T10:30:00Z``."""
    return _ISO


def say_iso_date(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a date, and the time behind it."""
    said = _date(g, match, match["year"], reading)
    if said and match["hour"]:
        time = _clock(g, int(match["hour"]), match["minute"], match["second"] or "00", reading)
        said = f"{said}, {time}{f' {g.utc}' if match['zone'] == 'Z' else ''}"
    return said


def date(_g: Grammar) -> re.Pattern[str]:
    """``24.12.2024``, ``24/12/24``."""
    return _DATE


def say_date(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a date."""
    is_short = len(match["year"]) == 2
    is_loose = len(match["day"]) < 2 or len(match["month"]) < 2
    before = match.string[max(0, match.start() - 12) : match.start()]
    if is_short and is_loose and match["sep"] != "/" and not _AHEAD.search(before):
        return None
    return _date(g, match, match["year"], reading)


def day_month(g: Grammar) -> re.Pattern[str]:
    """``24.12.``."""
    return _DAY_MONTH if g.code == "de" else re.compile("(?!)")


def say_day_month(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a date without a year, and leave the stop of the sentence."""
    before = match.string[max(0, match.start() - 12) : match.start()]
    if not _AHEAD.search(before) and len(match["day"] + match["month"]) < 4:
        return None
    said = _date(g, match, "", reading)
    rest = match.string[match.end() : match.end() + 3].lstrip(" ")
    is_end = not rest or rest[0] in "\r\n" or rest[0].isupper()
    return f"{said}." if said and is_end else said


def slashed_day(g: Grammar) -> re.Pattern[str]:
    """``le 24/12``."""
    ahead = "|".join(rf"(?<=\b(?i:{each}) )" for each in g.day_words) or "(?!)"
    return re.compile(rf"(?:{ahead})(?P<day>\d\d?)/(?P<month>\d\d?)(?![\w/]|[.,-]\d)")


def say_slashed_day(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a date without a year."""
    return _date(g, match, "", reading)


def _date(g: Grammar, match: re.Match[str], written_year: str, reading: Reading) -> str | None:
    before = match.string[max(0, match.start() - 24) : match.start()]
    return say_parts(g, written_year, int(match["month"]), int(match["day"]), reading, before)


def say_parts(
    g: Grammar, written_year: str, month: int, day: int, reading: Reading, before: str = ""
) -> str | None:
    """Read a date; None if there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    place = g.day(day, reading.region, before)
    place = place or cardinal(Written(str(day)), g, reading.region)
    years = year(written_year, g, reading.region) if written_year else ""
    return g.date(place, g.months[month - 1], years)


def month_day(g: Grammar) -> re.Pattern[str]:
    """``3. Mai``, ``1 mai``, ``1 de mayo``."""
    months = "|".join([*g.months, *(each.capitalize() for each in g.months), g.short_months])
    link = "(?:de |de\u00a0)?" if g.code in {"es", "pt"} else ""
    stop = {"de": r"\.", "fr": "(?:er)?"}.get(g.code, "(?:\\.?[\u00ba\u00b0])?")
    return re.compile(
        rf"(?<![\w.,:/-])(?P<day>[12]\d|3[01]|0?[1-9]){stop}(?=[ \u00a0]{link}(?:{months})(?!\w))"
    )


def say_month_day(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read the day before a month's name."""
    day = int(match["day"])
    before = match.string[max(0, match.start() - 24) : match.start()]
    return g.day(day, reading.region, before) or cardinal(Written(str(day)), g, reading.region)


def short_month(g: Grammar) -> re.Pattern[str]:
    """``5. Jan.``, ``5 de ene. de 2024``."""
    return re.compile(rf"(?<=\d|[.\u00ba])[ \u00a0](?:de )?(?P<month>{g.short_months})(?!\w)")


def say_short_month(g: Grammar, match: re.Match[str], _reading: Reading) -> str | None:
    """Write a month out, with a stop that may end the sentence as well."""
    short = match["month"].rstrip(".").lower()
    rest = match.string[match.end() : match.end() + 2]
    names = [each for each in g.months if each.lower().startswith(short)]
    name = names[0] if names else None
    return f"{name}." if name and not rest.strip() else name


def decade(g: Grammar) -> re.Pattern[str]:
    """``1990er``, ``'90``."""
    if g.code == "de":
        return re.compile(
            r"(?<![\w.,:/-])(?:['\u2019](?=\d0er))?(?P<year>1[1-9]\d0|20\d0|[1-9]0)(?P<end>ern?)(?!\w)"
        )
    return re.compile(
        r"(?<!\w)(?P<century>1[1-9]|20)?['\u2019](?P<year>\d\d)(?P<end>)(?![\w'\u2019]|[.,]\d)"
        if g.decades
        else "(?!)"
    )


def say_decade(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a decade or a shortened year."""
    return year(match["year"], g, reading.region) + match["end"]


def _hour(name: str) -> str:
    return rf"(?P<{name}>[01]?\d|2[0-4])"


def clock(g: Grammar) -> re.Pattern[str]:
    """``14:30 Uhr``, ``9:00-17:30``, ``8:15:01``, ``3:30 p. m.``."""
    half = (
        rf"(?:{SPACE}(?P<half>[aApP])(?:\.{SPACE}[mM]\.|[mM](?!\w)))?"
        if g.clock.halves
        else "(?P<half>)?"
    )
    mark = rf"(?:{SPACE}(?:{g.clock.marks})(?!\w))?"
    # A stop instead of the colon needs a word that tells a time.
    return re.compile(
        rf"(?<![\w:.,/-]){_hour('hour')}:(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?{mark}"
        rf"(?:{DASH}{_hour('hour2')}:(?P<minute2>[0-5]\d){mark})?{half}(?!\w|[:/]\d|[.,]\d)"
    )


def dotted_clock(g: Grammar) -> re.Pattern[str]:
    """``14.30 Uhr``, ``alle 14.30``."""
    if not g.clock.dotted:
        return re.compile("(?!)")
    body = (
        rf"{_hour('hour')}\.(?P<minute>[0-5]\d)(?P<second>)?"
        rf"(?:{DASH}{_hour('hour2')}\.(?P<minute2>[0-5]\d))?(?P<half>)?"
    )
    return re.compile(g.clock.dotted.replace("CLOCK", body))


def say_clock(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read a time, or from when to when."""
    hour = int(match["hour"])
    half = match["half"]
    if half and g.clock.halves:
        said = _clock(g, hour, match["minute"], match["second"] or "00", reading, is_half=True)
        return f"{said} {g.clock.halves(hour % 12, half.lower())}"
    said = _clock(g, hour, match["minute"], match["second"] or "00", reading)
    if not match["hour2"]:
        return said
    return _until(g, match, said, _clock(g, int(match["hour2"]), match["minute2"], "00", reading))


def _until(g: Grammar, match: re.Match[str], first: str, second: str) -> str:
    before = match.string[max(0, match.start() - 8) : match.start()]
    is_begun = not g.clock.from_ or before.rstrip().endswith(g.clock.from_)
    return f"{'' if is_begun else g.clock.from_ + ' '}{first} {g.clock.to or g.to} {second}"


def lettered_clock(g: Grammar) -> re.Pattern[str]:
    """``14h30``, ``9h-17h``, ``2 h``."""
    if not g.clock.letter:
        return re.compile("(?!)")
    one = rf"(?P<hour>\d{{1,2}}){SPACE}[hH]"
    one += rf"(?:{SPACE}(?P<minute>[0-5]\d)(?P<named>{SPACE}min(?!\w))?)?"
    two = (
        one.replace("<hour>", "<hour2>")
        .replace("<minute>", "<minute2>")
        .replace("<named>", "<named2>")
    )
    return re.compile(
        rf"(?<![\w:.,/-])(?:(?P<from>\d{{1,2}}){DASH})?{one}(?:{DASH}{two})?(?![\w/]|[.,]\d)"
    )


def say_lettered_clock(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read a time, or from when to when."""
    hour = Written(str(int(match["hour"])))
    if match["named"]:
        said = counted(hour, g.clock.hour, g, reading.region)
        minutes = Written(str(int(match["minute"])))
        between = g.clock.before_minutes or " "
        return f"{said}{between}{counted(minutes, g.clock.minute, g, reading.region)}"
    said = _clock(g, int(match["hour"]), match["minute"] or "00", "00", reading, is_named=True)
    if match["from"]:
        first = cardinal(Written(str(int(match["from"]))), g, reading.region, g.clock.hour.gender)
        said = _until(g, match, first, said)
    if match["hour2"]:
        other = _clock(
            g, int(match["hour2"]), match["minute2"] or "00", "00", reading, is_named=True
        )
        said = _until(g, match, said, other)
    return said


def hours(g: Grammar) -> re.Pattern[str]:
    """``9-17 Uhr``, ``a las 9 a. m.``, ``8 Uhr``."""
    half = (
        rf"|{SPACE}(?P<half>[aApP])(?:\.{SPACE}[mM]\.|[mM](?!\w))"
        if g.clock.halves
        else "|(?P<half>(?!))"
    )
    return re.compile(
        rf"(?<![\w:.,/-])(?:{_hour('hour')}{DASH})?{_hour('hour2')}(?:{SPACE}(?P<mark>{g.clock.marks})(?!\w){half})"
    )


def say_hours(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read full hours, or from when to when."""
    hour = int(match["hour2"])
    noun = g.clock.hour
    if match["half"] and g.clock.halves:
        said = cardinal(Written(str(hour)), g, reading.region, noun.gender)
        said = f"{said} {g.clock.halves(hour % 12, match['half'].lower())}"
    else:
        said = counted(Written(str(hour)), noun, g, reading.region)
    if match["hour"]:
        first = cardinal(Written(str(int(match["hour"]))), g, reading.region, noun.gender)
        said = _until(g, match, first, said)
    return said


def _clock(
    g: Grammar,
    hour: int,
    minute: str,
    second: str,
    reading: Reading,
    *,
    is_half: bool = False,
    is_named: bool = False,
) -> str:
    noun, number = g.clock.hour, Written(str(hour))
    bare = cardinal(number, g, reading.region, noun.gender)
    if minute == "00" and second == "00":
        is_full = is_named or g.clock.full(hour)
        return bare if is_half or not is_full else counted(number, noun, g, reading.region)
    minutes = cardinal(Written(str(int(minute))), g, reading.region, g.clock.minutes)
    name = "" if g.clock.before_minutes.strip() else noun.one if hour == 1 else noun.many
    if g.singular_zero and hour == 0 and name:
        name = noun.one
    said = f"{bare} {name}".strip() + f"{g.clock.before_minutes or ' '}{minutes}"
    if second != "00":
        seconds = counted(Written(str(int(second))), g.clock.seconds, g, reading.region)
        said = f"{said} {g.fractions.and_} {seconds}"
    return said
