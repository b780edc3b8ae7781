"""Abbreviations, as English says them."""

from __future__ import annotations

import re

from ..._rules import Reading

_TITLES = {
    "Dr": "Doctor", "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor",
    "Gen": "General", "Sgt": "Sergeant", "Capt": "Captain", "Lt": "Lieutenant", "Col": "Colonel",
    "Cpl": "Corporal", "Maj": "Major", "Cmdr": "Commander", "Adm": "Admiral", "Pvt": "Private",
    "Sen": "Senator", "Rep": "Representative", "Gov": "Governor", "Rev": "Reverend",
    "Pres": "President", "Hon": "Honorable", "Supt": "Superintendent", "Insp": "Inspector",
    "Messrs": "Messieurs", "Mt": "Mount", "Ft": "Fort", "St": "Saint", "Ste": "Sainte",
    "Sts": "Saints",
}  # fmt: skip
TITLE = re.compile(
    rf"(?<![\w.])(?P<title>{'|'.join(sorted(_TITLES, key=len, reverse=True))})"
    r"(?:\.[ \u00a0]{0,2}(?=[A-Z&]|and[ ])|(?<=Mr|Ms|Dr|Mt|St|rs|of)[ \u00a0](?=[A-Z][a-z]))"
)
_STREETS = {
    "St": "Street", "Ave": "Avenue", "Av": "Avenue", "Blvd": "Boulevard", "Rd": "Road",
    "Ln": "Lane", "Dr": "Drive", "Ct": "Court", "Pl": "Place", "Sq": "Square", "Hwy": "Highway",
    "Pkwy": "Parkway", "Expy": "Expressway", "Ter": "Terrace", "Cir": "Circle", "Bldg": "Building",
}  # fmt: skip
STREET = re.compile(
    rf"(?<=[a-z0-9)\u2019'])(?P<space>[ \u00a0])"
    rf"(?P<street>{'|'.join(sorted(_STREETS, key=len, reverse=True))})\b(?P<stop>\.?)(?!\w)"
)
_BEFORE_STREET = re.compile(r"(?:^|[\s(])(?:[A-Z][\w'\u2019]{1,40}|\d{1,4}(?:st|nd|rd|th))$")
_NUMBER_BEFORE = re.compile(
    r"(?<![\w.,$])\d{1,6}[A-Za-z]?[ ](?:[A-Z]\.?[ ])?(?:[A-Z\d][\w'\u2019]{0,40}[ ]){0,3}$"
)
_SAINTS_PLACE = re.compile(
    r"(?:Port|Mount|Mt\.|Fort|East|West|North|South|Lake|Isle|Bay|Old|In|At|Near|From|To|Of"
    r"|The|And|Visit|Like|For|By|On|With|Our)[ ]?$"
)

_PHRASES = {
    "e.g.": "for example", "e. g.": "for example", "i.e.": "that is", "i. e.": "that is",
    "vs.": "versus", "vs": "versus", "approx.": "approximately", "cf.": "compare", "viz.": "namely",
    "a.k.a.": "also known as", "aka": "also known as", "w/o": "without", "w/": "with ",
    "b/c": "because", "c/o": "care of", "w.r.t.": "with respect to", "resp.": "respectively",
    "incl.": "including", "excl.": "excluding", "esp.": "especially", "dept.": "department",
    "govt.": "government", "misc.": "miscellaneous", "min.": "minimum", "max.": "maximum",
    "avg.": "average", "temp.": "temperature", "tel.": "telephone", "ext.": "extension",
    "apt.": "apartment", "assn.": "association", "univ.": "university", "bros.": "brothers",
    "and/or": "and or", "either/or": "either or", "he/she": "he or she", "she/he": "she or he",
    "his/her": "his or her", "him/her": "him or her", "his/hers": "his or hers",
    "s/he": "she or he",
    "yes/no": "yes or no", "true/false": "true or false", "on/off": "on off", "n/a": "N A",
}  # fmt: skip
PHRASE = re.compile(
    rf"(?<![\w./])(?:{'|'.join(map(re.escape, sorted(_PHRASES, key=len, reverse=True)))})"
    r"(?:(?<=/)(?:[ ](?=\w)|(?=\w\w))|(?=[ ,:;)\n]|$)|(?<=\w)(?=[.!?]))(?!/)",
    re.IGNORECASE,
)
ET_CETERA = re.compile(r"\b[Ee]tc\b(?:\.(?=[,;:)]|[ ][a-z]))?")
"""With its stop, unless that may end the sentence as well."""
_COUNTED = {
    "no": "number", "nos": "numbers", "nr": "number", "vol": "volume", "vols": "volumes",
    "fig": "figure", "figs": "figures", "ch": "chapter", "chap": "chapter", "sec": "section",
    "art": "article", "eq": "equation", "pt": "part", "ep": "episode", "p": "page", "pp": "pages",
    "par": "paragraph", "app": "appendix", "tab": "table", "ver": "version", "rev": "revision",
    "rm": "room", "apt": "apartment", "ste": "suite", "bldg": "building", "fl": "floor",
    "ca": "circa", "c": "circa", "v": "verse", "vv": "verses", "l": "line", "ll": "lines",
    "n": "note", "op": "opus", "rte": "route", "hwy": "highway", "ext": "extension",
    "est": "established", "approx": "approximately", "max": "maximum", "min": "minimum",
    "tel": "telephone", "dist": "district", "sq": "square", "cap": "chapter", "lot": "lot",
}  # fmt: skip
COUNTED = re.compile(
    rf"(?<![\w.&])(?P<word>{'|'.join(sorted(_COUNTED, key=len, reverse=True))})\.[ \u00a0]?"
    rf"(?=[#(]?\d)"
    r"|(?P<sign>\u2116)[ \u00a0]?(?=\d)",
    re.IGNORECASE,
)
_COMPANIES = {
    "Inc": "Incorporated", "Ltd": "Limited", "Corp": "Corporation", "Co": "Company",
    "Bros": "Brothers", "Jr": "Junior", "Sr": "Senior", "Assoc": "Associates", "Dept": "Department",
    "Univ": "University", "Govt": "Government", "Natl": "National", "Intl": "International",
}  # fmt: skip
COMPANY = re.compile(
    rf"(?<=[\w,&.])(?P<space>[ \u00a0])"
    rf"(?P<word>{'|'.join(sorted(_COMPANIES, key=len, reverse=True))})(?P<stop>\.)(?!\w)"
)
PLURAL = re.compile(r"(?<=[A-Za-z])\((e?s)\)(?!\w)")


def _stop(match: re.Match[str]) -> str:
    """Keep the stop that may end the sentence as well."""
    if not match["stop"]:
        return ""
    following = match.string[match.end() : match.end() + 2]
    goes_on = following[:1] in (",", ";", ":", ")", "'") or re.match(r"[ ][a-z0-9&(]", following)
    return "" if goes_on else "."


def say_title(match: re.Match[str], _reading: Reading) -> str:
    title = match["title"]
    return f"{_TITLES[title]} "


def say_street(match: re.Match[str], _reading: Reading) -> str | None:
    """A street behind its name; before a name "St." is a saint and "Dr." a doctor."""
    text, word = match.string, match["street"]
    before = text[max(match.start() - 60, 0) : match.start()]
    if not _BEFORE_STREET.search(before):
        return None
    following = text[match.end() : match.end() + 3]
    is_name_next = re.match(r"[ \u00a0][A-Z][a-z]", following) is not None
    has_number = _NUMBER_BEFORE.search(f"{before} ") is not None
    if is_name_next and word in ("St", "Dr") and (not has_number or _SAINTS_PLACE.search(before)):
        return None
    if (
        not match["stop"]
        and word in ("Dr", "Ct", "Pl", "Av", "Sq", "Ter", "Cir")
        and not has_number
    ):
        return None
    stop = "" if is_name_next and has_number else _stop(match)
    return f" {_STREETS[word]}{stop}"


def say_company(match: re.Match[str], _reading: Reading) -> str:
    return f" {_COMPANIES[match['word']]}{_stop(match)}"


def say_phrase(match: re.Match[str], _reading: Reading) -> str:
    phrase = re.sub(r"(?<=/)[ ]$", "", match[0].lower())
    return _PHRASES[phrase]


def say_counted(match: re.Match[str], _reading: Reading) -> str | None:
    if match["sign"]:
        return "number "
    word = match["word"]
    following = match.string[match.end() : match.end() + 4]
    if word.lower() in ("c", "ca") and not re.match(r"[12]?\d{3}", following):
        return None
    said = _COUNTED[word.lower()]
    return f"{said} "


def say_plural(match: re.Match[str], _reading: Reading) -> str:
    return match[1]
