"""Numbers, fractions and places in an order, as English writes and says them."""

from __future__ import annotations

import re
import unicodedata

from ... import numbers
from ..._rules import Reading

_WHOLE = (
    r"(?:\d{1,3}(?:[,\u00a0\u202f\u2009]\d{3}){1,6}(?![,]?\d)"
    r"|\d{1,3}(?:[ ]\d{3}){2,6}(?!\d)|\d{1,3}[ ]000(?!\d)"
    r"|\d{1,2}(?:,\d{2}){1,6},\d{3}(?!,?\d)"
    # A decimal comma, not a list: [1,2], 1,2,3.
    r"|(?<![\d,.\[(])\d{1,3},\d{1,2}(?![\d:/]|[.,]\d)|\d{1,400})"
)
_DECIMAL_COMMA = re.compile(r"\d{1,3},\d{1,2}")
NUMBER = rf"(?:{_WHOLE}(?:\.\d{{1,40}})?|(?<![\w.)])\.\d{{1,40}})"
"""A number as English writes it. Bounded, as every repetition of a rule is."""
_VULGAR = "¼½¾⅐-⅞"
MIXED = (
    rf"(?:(?:\d{{1,6}}[ \u00a0-]?)?[{_VULGAR}]"
    r"|(?:\d{1,6}[ \u00a0-])?\d{1,3}[/\u2044]\d{1,4}(?![\w/\u2044]|[.,-]\d))"
)
"""A number with a fraction, or a fraction alone."""
AMOUNT = rf"(?:{MIXED}|{NUMBER})"
MINUS = "-\u2212\u2012\u2013"
DASH = r"[ \u00a0\u2009]?[-\u2010-\u2014\u2212][ \u00a0\u2009]?"
"""What stands between the ends of a range."""
BEFORE = r"(?<![\w.,:/\u2044-])"
"""Nothing that a number would go on from."""
YEARS = range(1100, 2100)
_EARLY_YEARS = range(1010, 1100)
"""Years only where the words around show it."""
_BEFORE_A_YEAR = re.compile(
    r"\b(?:in|since|until|till|by|from|before|after|around|circa|year|AD|A\.D\.)[ ]$", re.IGNORECASE
)
_COUNTED = re.compile(r"[ ][a-z]{1,40}s\b|[%\w]|[.,]\d")
AROUND_THE_CLOCK = re.compile(r"(?<![\w./-])24/7(?P<all>/36[56])?(?![\w/]|[.,-]\d)")
_NAMED = re.compile(
    r"\b(?:Windows|iPhone|iPad|iOS|iPadOS|macOS|Android|Galaxy|Pixel|Python|Java|Ubuntu|Debian"
    r"|Fedora|PHP|Node|USB|PS|PlayStation|Office|Grades?|Levels?|Types?|Sizes?|Class(?:es)?|Ages?"
    r"|Routes?|Highways?|Rooms?|Gates?)[ ]$",
    re.IGNORECASE,
)
NAMES = re.compile(r"(?<![\w./:-])(?P<first>\d{1,3})/(?P<second>\d{1,3})(?![\w/]|[.,-]\d)")
_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]"
    "|T[NX]|UT|V[AT]|W[AIVY]"
)
ZIP_CODE = re.compile(
    rf"(?<![\w.,$-])(?P<before>(?:\b(?:{_STATES})|\b[Zz][Ii][Pp](?:[ ]?[Cc]odes?)?:?)[ ])?"
    r"(?P<code>\d{5}(?P<more>-\d{4})?)(?![\w-]|[.,]\d)"
)
SCALES = {
    "k": "thousand", "m": "million", "mm": "million", "mn": "million", "mio": "million",
    "b": "billion", "bn": "billion", "t": "trillion", "tn": "trillion",
}  # fmt: skip
SCALE_WORDS = "hundred|thousand|million|billion|trillion"

FRACTION = re.compile(
    rf"{BEFORE}(?:(?P<amount>{MIXED})"
    r"|(?P<suffixed>\d{1,3}[/\u2044]\d{1,4})(?:st|nd|rd|th)s?\b)"
)
RATIO = re.compile(
    r"(?<![\w.,:/-])(?P<first>\d{1,4})[/\u2044](?P<second>\d{1,4})(?![\w/\u2044]|[.,-]\d)"
)
_SHARES = re.compile(
    r"\b(?:page|part|step|slide|chapter|episode|round|question|item|photo|figure|day|try|attempt"
    r"|batch|disc|disk|lesson|level|(?P<rated>rated|rating|rating of|score|scored|score of|give it"
    r"|gave it|gives it))[ ]$",
    re.IGNORECASE,
)
ORDINAL = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th|ST|ND|RD|TH)\b")
ORDINAL_RANGE = re.compile(
    rf"(?<![\w.,])(\d{{1,15}})(?:st|nd|rd|th){DASH}(\d{{1,15}})(?:st|nd|rd|th)\b", re.IGNORECASE
)
VERSION = re.compile(
    r"(?<![\w.])(?P<v>v(?:er(?:sion)?)?\.?[ ]?)?(?P<parts>\d{1,6}(?:\.\d{1,6}){2,7})(?!\.?\d)"
    r"(?::(?P<port>\d{1,5})(?![\w:]))?"
    r"|(?<![\w.])(?P<short>v\d{1,6}(?:\.\d{1,6})?)(?!\.?\d)",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d{3}\.\d{3}")
"""As countries of the decimal comma write a million."""
SCALED = re.compile(rf"(?<![\w.,])(?P<number>{NUMBER})(?P<scale>[kKMB]|bn|mn)\b(?!-)")
GROUPS = re.compile(
    r"(?<![\w.,:/-])\d{1,6}(?:-\d{1,7}){2,6}(?:-[\dXx])?(?![\w-]|[.,]\d)"
    r"|(?<![\w.,:/-])\d{4}(?:[ ]\d{4}){2,4}(?![\w-]|[.,]\d)"
)
NUMBER_ANYWHERE = re.compile(
    rf"(?P<sign>(?<![\w)\]%])(?:[{MINUS}+\u00b1]|\+/-)[ ]?(?=[.\d]))?(?P<number>{NUMBER})"
    r"(?P<comma>,(?=\d))?"
)
_LEAST_OF_GROUPS = 7
SCIENTIFIC = re.compile(
    r"(?<![\w.,])(?P<number>\d{1,3}(?:\.\d{1,40})?)[eE]"
    r"(?P<sign>[+\u2212-])(?P<power>\d{1,4})(?!\w|\.\d)"
    r"|(?<![\w.,])(?P<decimal>\d{1,3}\.\d{1,40})[eE](?P<power2>\d{1,4})(?!\w|\.\d)"
)
TIMES_AS = re.compile(
    rf"(?<!\b[Aa][ ])(?<![\w.,-])(?P<number>{NUMBER})[x\u00d7]"
    rf"(?=[ ](?:as|more|less|the|better|worse|[a-z]{{2,20}}er)\b)"
)
_ARTICLE = re.compile(r"\b[Aa]n?[ ]$")
_PLACES = re.compile(
    r"\b(?:apartment|apt\.?|block|building|class|column|door|exit|figure|flat|form|gate|grade|house"
    r"|item|level|line|locker|lot|no\.|number|page|part|platform|question|room|route|row|schedule"
    r"|seat|section|step|suite|table|terminal|title|track|type|unit|version|zone)[ ]$",
    re.IGNORECASE,
)
_HALVES = {2: ("half", "halves"), 4: ("quarter", "quarters")}
_DENOMINATORS = frozenset({2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 32, 64, 100, 1000})
SMALL_K = frozenset({"2", "4", "5", "6", "8", "10", "12", "16"})
"""Thousands of pixels, kilometers or bits rather than of anything: "a 4K display"."""


def plain(text: str) -> str:
    """Leave out what separates thousands, and put a point before decimals."""
    if _DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    return re.sub(r"[,\u00a0\u202f\u2009 ]", "", text)


def number(text: str, reading: Reading) -> str:
    """Spell a number out."""
    return reading.number(plain(text))


def year_or_number(text: str, reading: Reading) -> str:
    """Read four digits as a year where they can be one, anything else as a number."""
    is_year = len(text) == 4 and text.isdigit() and int(text) in YEARS
    if is_year and not 2000 <= int(text) < 2010:
        return numbers.year(text, reading.language)
    return number(text, reading)


def amount(text: str, reading: Reading) -> str:
    """Spell out a number or one with a fraction."""
    return _fraction(text, reading) or number(text, reading)


def is_one(text: str) -> bool:
    """Tell whether what is counted stands in the singular: one, or a part of one."""
    if text == "1":
        return True
    plain_text = unicodedata.normalize("NFKC", text).replace("/", "\u2044")
    return (
        "\u2044" in plain_text
        and len(re.findall(r"\d{1,6}", plain_text)) == 2
        and (len(text) == 1 or not re.search(r"[ \u00a0-]", text))
    )


def describes(match: re.Match[str]) -> bool:
    """Tell whether an amount stands before what it describes, and so in the singular."""
    text = match.string
    following = text[match.end() : match.end() + 3]
    if following[:1] == "-":
        return True
    is_before = re.match(r"[ ][a-z]{2}", following) is not None
    return is_before and _ARTICLE.search(text, max(match.start() - 3, 0), match.start()) is not None


def signed(sign: str | None) -> str:
    """Read a sign, with the space after it."""
    sign = (sign or "").strip()
    names = {"": "", "+": "plus ", "\u00b1": "plus or minus ", "+/-": "plus or minus "}
    return names.get(sign, "minus ")


def _fraction(text: str, reading: Reading) -> str | None:
    found = re.findall(r"\d{1,6}", unicodedata.normalize("NFKC", f"{text[:-1]} {text[-1]}"))
    if "/" in text or "\u2044" in text:
        found = re.findall(r"\d{1,6}", text)
    elif not re.search(f"[{_VULGAR}]", text):
        return None
    *whole, top, bottom = (int(each) for each in found)
    if not bottom or (whole and not 0 < top < bottom):
        return None
    part = _part(top, bottom, reading)
    if not whole:
        return part
    if part.startswith("one ") and bottom < 10:
        part = f"{'an' if bottom == 8 else 'a'} {part[4:]}"
    return f"{reading.number(str(whole[0]))} and {part}"


def _part(top: int, bottom: int, reading: Reading) -> str:
    one, many = _HALVES.get(bottom, ("", ""))
    one = one or numbers.ordinal(str(bottom), "en") or str(bottom)
    if bottom in (100, 1000):
        one = f"one {one}" if not one.startswith("one ") else one
        one = one.removeprefix("one ")
    many = many or f"{one}s"
    return f"{reading.number(str(top))} {one if top == 1 else many}"


def say_fraction(match: re.Match[str], reading: Reading) -> str | None:
    """A fraction that can hardly be anything else."""
    text = match["amount"] or match["suffixed"]
    if "/" not in text:
        return _fraction(text, reading)
    *whole, top, bottom = (int(each) for each in re.findall(r"\d{1,6}", text))
    if whole:
        return _fraction(text, reading) if bottom in _DENOMINATORS else None
    if match["suffixed"]:
        return _fraction(text, reading)
    is_fraction = bottom in _DENOMINATORS and (top < bottom or (top < 10 and bottom in (2, 3, 4)))
    return _fraction(text, reading) if is_fraction and top and top != bottom else None


def say_share(match: re.Match[str], reading: Reading) -> str | None:
    """So many of so many, as the word before shows: a page, a rating."""
    cue = _SHARES.search(match.string, max(match.start() - 16, 0), match.start())
    if cue is None:
        return None
    word = "out of" if cue["rated"] else "of"
    return f"{number(match['first'], reading)} {word} {number(match['second'], reading)}"


def say_ratio(match: re.Match[str], reading: Reading) -> str | None:
    """Two numbers with a slash that are no fraction: shares, pressures."""
    first, second = (number(match[name], reading) for name in ("first", "second"))
    if match["first"] == match["second"]:
        return f"{first} {second}" if match["first"] in ("20", "50") else f"{first} out of {second}"
    if (match["first"], match["second"]) == ("24", "7"):
        return f"{first} {second}"
    return f"{first} over {second}"


def say_ordinal(match: re.Match[str], reading: Reading) -> str | None:
    return numbers.ordinal(plain(match[1]), reading.language)


def say_ordinal_range(match: re.Match[str], reading: Reading) -> str | None:
    first, last = (numbers.ordinal(match[index], reading.language) for index in (1, 2))
    return f"{first} to {last}" if first and last else None


def say_version(match: re.Match[str], reading: Reading) -> str:
    is_named = bool(match["short"] or match["v"])
    if not is_named and _THOUSANDS.fullmatch(match[0]):
        return reading.number(match[0].replace(".", ""))
    parts = (match["parts"] or match["short"].lstrip("vV")).split(".")
    said = " point ".join(reading.number(part) for part in parts)
    if match["port"]:
        said += f" colon {number(match['port'], reading)}"
    return f"version {said}" if is_named else said


def say_scaled(match: re.Match[str], reading: Reading) -> str:
    text, scale = match["number"], match["scale"]
    before = match.string[max(match.start() - 12, 0) : match.start()]
    if (scale == "K" and text in SMALL_K) or (scale.isupper() and _PLACES.search(before)):
        return f"{number(text, reading)} {scale}"
    return f"{number(text, reading)} {SCALES[scale.lower()]}"


def say_around_the_clock(match: re.Match[str], _reading: Reading) -> str:
    return "twenty-four seven three sixty-five" if match["all"] else "twenty-four seven"


def say_names(match: re.Match[str], reading: Reading) -> str | None:
    """Two numbers in names, as the word before shows: Windows 10/11."""
    if not _NAMED.search(match.string, max(match.start() - 16, 0), match.start()):
        return None
    return f"{number(match['first'], reading)} slash {number(match['second'], reading)}"


def say_zip_code(match: re.Match[str], reading: Reading) -> str | None:
    """Digit by digit, where a state or the second part shows what it is."""
    if not (match["before"] or match["more"]):
        return None
    parts = (numbers.digits(each, reading.language) for each in match["code"].split("-"))
    return f"{match['before'] or ''}{', '.join(parts)}"


def say_scientific(match: re.Match[str], reading: Reading) -> str:
    sign = "minus " if match["sign"] in ("-", "\u2212") else ""
    power = reading.number(str(int(match["power"] or match["power2"])))
    said = number(match["number"] or match["decimal"], reading)
    return f"{said} times ten to the power of {sign}{power}"


def say_times_as(match: re.Match[str], reading: Reading) -> str:
    """``10x faster``."""
    return f"{number(match['number'], reading)} times"


def say_groups(match: re.Match[str], reading: Reading) -> str:
    """Long numbers in groups, of books, cards and accounts: digit by digit."""
    groups = re.findall(r"[0-9]{1,7}|[Xx]", match[0])
    if sum(map(len, groups)) < _LEAST_OF_GROUPS and not any(each[0] == "0" for each in groups):
        return ", ".join(reading.number(each) for each in groups)  # 10-2-1, as in sports
    return ", ".join(
        "X" if each in "Xx" else numbers.digits(each, reading.language) for each in groups
    )


def say_number(match: re.Match[str], reading: Reading) -> str:
    text = match["number"]
    if text.isdigit() and len(text) == 4 and int(text) in _EARLY_YEARS:
        start, end = match.span()
        is_year = _BEFORE_A_YEAR.search(match.string, max(start - 10, 0), start)
        if is_year and not _COUNTED.match(match.string, end):
            return numbers.year(text, reading.language)
    # Between numbers of a list a space is missing.
    comma = ", " if match["comma"] else ""
    return signed(match["sign"]) + year_or_number(text, reading) + comma
