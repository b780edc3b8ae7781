"""Roman numerals, and names made of letters and figures, as English says them."""

from __future__ import annotations

import re

from ... import numbers
from ..._rules import Reading
from .numbers import plain, year_or_number

_COUNTED = (
    "World War|War|iPhone|Mac OS|macOS|Chapter|Part|Act|Scene|Book|Volume|Vol\\.|Section"
    "|Article|Phase|Type|Class"
    "|Title|Appendix|Season|Episode|Level|Stage|Grade|Mark|Mk|Mk\\.|Rocky|Star Wars|Final Fantasy"
    "|Super Bowl|WrestleMania|Canto|Psalm|Figure|Fig\\.|Table|Factor|Schedule|Category|Tier|Form"
    "|Block|Group|Period|Olympiad|Amendment|Rule|Lesson|Unit|Module|Exhibit|Annex|Division|Lemma"
    "|Theorem|Proposition|Option|Plan|Symphony|Sonata|Movement|Opus|Movie|Game|Round|Apollo"
    "|Saturn|Mercury|Gemini|Pentium|Apple|Vatican|Rank|Area|Zone|Region|Quadrant|Cranial Nerve"
)
_MONARCHS = (
    "Abdulhamid|Adrian|Albert|Alexander|Alfonso|Amenhotep|Artaxerxes|Baldwin|Benedict|Boniface"
    "|Callixtus|Carlos|Catherine|Charles|Christian|Christina|Claudius|Clement|Cleopatra|Constantine"
    "|Cyrus|Darius|David|Edward|Elizabeth|Emanuel|Emmanuel|Eric|Eugene|Felipe|Ferdinand|Francis"
    "|Frederick|Friedrich|George|Gregory|Gustav|Gustavus|Haakon|Harald|Harold|Henri|Henry|Innocent"
    "|Isabella|Ivan|James|John|Joseph|Juan|Julius|Justinian|Karl|Kenneth|Leo|Leopold|Louis|Ludwig"
    "|Malcolm|Manuel|Margaret|Margrethe|Maria|Mary|Maximilian|Mehmed|Michael|Murad|Napoleon"
    "|Nicholas|Olav|Oscar|Otto|Paul|Pedro|Peter|Philip|Philippe|Pius|Ptolemy|Rama|Rameses|Ramesses"
    "|Ramses|Richard|Robert|Rudolf|Selim|Seti|Sixtus|Stephen|Suleiman|Theodosius|Thutmose|Umberto"
    "|Urban|Victoria|Vladimir|Wilhelm|William|Xerxes"
)
_NUMERAL = r"(?=[IVXLCM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_FOLLOWS = (
    r"(?=[.,;:!?)\]\"'\u2019\u201d]|\s*$|[ ](?:of|and|was|is|or|to|in|on|at|the|by|from|ruled"
    r"|died|reigned|became|came|[A-Z(\d\u2013-]))"
)
COUNTED = re.compile(
    rf"\b(?P<name>(?:{_COUNTED})s?[ \u00a0])(?P<numeral>{_NUMERAL})(?![\w'\u2019-]|\.\w)"
)
COUNTED_SMALL = re.compile(
    r"\b(?P<name>(?i:chapter|part|act|scene|book|volume|section|article|phase|type|class"
    r"|stage|level"
    r"|appendix|figure|table|page|pages|grade|tier)[ \u00a0])(?P<numeral>[ivx]{2,6}"
    r"|[IVX]{2,6})(?!\w)"
)
MONARCH = re.compile(
    rf"\b(?P<name>(?:{_MONARCHS})[ \u00a0])(?P<numeral>(?=[IVX]{{1,6}}\b){_NUMERAL})(?![\w-]"
    rf"|['\u2019](?!s\b)|\.\w)"
)
NUMBERED = re.compile(
    r"(?<![\w.])(?P<name>(?!(?:The|An?|In|On|At|To|By|My|Or|And|But|Via|For|With|His|Her|Its"
    r"|Our|Your"
    r"|Their|This|That|Use|Give|Start|Through|No|Not|Is|Are|If|So|As"
    r"|Of)[ ])[A-Z][\w'\u2019]{1,40}[ \u00a0])"
    r"(?P<numeral>III?|I[VX]|VI{1,3}|XI{1,3}|XI?V|XVI{1,3}|XI?X)(?![\w'\u2019-]|\.\w)"
)
CENTURY = re.compile(
    rf"\b(?P<numeral>(?=[IVX]{{1,5}}){_NUMERAL})(?:th|st|nd|rd)?(?=[ -](?:[Cc]entur(?:y|ies)"
    rf"|Olympi))"
)
ROMAN_YEAR = re.compile(
    r"\b(?P<numeral>MM?(?:CM|DC{0,3}|C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))(?!\w)"
)
_LONG = {"Vol.": "Volume", "Fig.": "Figure", "Mk.": "Mark", "Mk": "Mark"}
NEXT = re.compile(r"(?<=[IVX] and )(?P<numeral>[IVX]{2,5})(?![\w'\u2019-]|\.\w)")
WORLD_WAR = re.compile(r"\bWW[ ]?(?P<numeral>II?|[12])(?!\w)")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}

CODE = re.compile(r"(?<![\w.])(?P<letters>[A-Z]{2,3})(?P<figures>\d{1,4})(?!\w|[.,]\d)")
LETTER_A = re.compile(r"(?<![\w.])A(?P<figures>\d{1,3})(?!\w|[.,]\d)")
_SPELLED = frozenset({"CO", "HO", "NO", "SO", "PO", "IT", "OS", "US", "AM", "PM", "IS", "OK"})
EMERGENCY = re.compile(
    r"\b(?P<cue>(?:[Cc]all|[Dd]ial|[Tt]ext|[Rr]ing|[Pp]hone)(?:s|ed|ing)?[ ])"
    r"(?P<figures>\d{3})(?![\w%-]|[.,]\d|[ ][a-z]+s\b)"
)


def roman(numeral: str) -> int:
    """Return the value of a Roman numeral."""
    values = [_VALUES[letter] for letter in numeral.upper()]
    after = [*values[1:], 0]
    return sum(-one if one < other else one for one, other in zip(values, after, strict=True))


def is_roman(text: str) -> bool:
    """Tell whether it is a numeral in its one right form."""
    return bool(text) and re.fullmatch(_NUMERAL, text.upper()) is not None


def say_counted(match: re.Match[str], reading: Reading) -> str | None:
    numeral = match["numeral"]
    if not is_roman(numeral):
        return None
    if numeral == "I" and not _ends_name(match, "World War", "Super Bowl"):
        return None
    name = match["name"].rstrip()
    return f"{_LONG.get(name, name)} {reading.number(str(roman(numeral)))}"


def _ends_name(match: re.Match[str], *sure: str) -> bool:
    """Tell whether "I" behind a name may be its number rather than who speaks."""
    if match["name"].strip().startswith(sure):
        return True
    following = match.string[match.end() : match.end() + 12]
    return re.match(_FOLLOWS, following) is not None


def say_next(match: re.Match[str], reading: Reading) -> str | None:
    numeral = match["numeral"]
    return reading.number(str(roman(numeral))) if len(numeral) > 1 and is_roman(numeral) else None


def say_world_war(match: re.Match[str], _reading: Reading) -> str:
    return "World War one" if match["numeral"] in ("I", "1") else "World War two"


def say_monarch(match: re.Match[str], _reading: Reading) -> str | None:
    name, numeral = match["name"], match["numeral"]
    if name.startswith("Malcolm") and numeral == "X":
        return None
    if numeral == "I" and not _ends_name(match):
        return None
    place = numbers.ordinal(str(roman(numeral)), "en") if is_roman(numeral) else None
    return f"{name}the {place}" if place else None


def say_century(match: re.Match[str], _reading: Reading) -> str | None:
    return numbers.ordinal(str(roman(match["numeral"])), "en")


def say_roman_year(match: re.Match[str], reading: Reading) -> str | None:
    if len(match["numeral"]) < 5 and not match["numeral"].startswith("MM"):
        return None
    value = roman(match["numeral"])
    return (
        year_or_number(str(value), reading)
        if 1100 <= value < 2100 and len(match["numeral"]) > 3
        else None
    )


def say_code(match: re.Match[str], reading: Reading) -> str:
    """Letters that would be read as a word stand apart: CO2."""
    letters, figures = match["letters"], match["figures"]
    letters = " ".join(letters) if letters in _SPELLED else letters
    if len(figures) > 1 and figures.startswith("0"):
        return f"{letters} {numbers.digits(figures, 'en')}"
    return f"{letters} {reading.number(plain(figures))}"


def say_letter_a(match: re.Match[str], reading: Reading) -> str:
    """Joined, or engines take the letter for an article."""
    return f"A-{reading.number(match['figures'])}"


def say_emergency(match: re.Match[str], _reading: Reading) -> str:
    return f"{match['cue']}{numbers.digits(match['figures'], 'en')}"
