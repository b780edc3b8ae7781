"""Single signs, addresses and telephone numbers."""

from __future__ import annotations

import re

from ... import numbers
from ..._rules import Reading
from .grammar import Grammar
from .spelling import Written, cardinal

_NOISE = re.compile(r"[*_~^|\\`]{1,400}|/{2,400}")
_ADDRESS_SIGN = re.compile(r"[^\w\s]|_")


def noise(_g: Grammar) -> re.Pattern[str]:
    """``**``, ``//``: marks without a word."""
    return _NOISE


def say_noise(_g: Grammar, match: re.Match[str], _reading: Reading) -> str:
    """Leave marks out, and never join what they divide."""
    before, after = _around(match)
    return " " if before.isalnum() and after.isalnum() else ""


def sign(g: Grammar) -> re.Pattern[str]:
    """``&``, ``=``."""
    known = "".join(each for each in g.signs if len(each) == 1)
    return re.compile(f"[/#{re.escape(known)}]")


def say_sign(g: Grammar, match: re.Match[str], _reading: Reading) -> str:
    """Name a sign; a stroke between words is a space."""
    before, after = _around(match)
    if match[0] == "/":
        return " "
    if match[0] == "#":
        word = g.signs["#1"] if after.isdigit() else g.signs["#a"] if after.isalpha() else ""
    else:
        word = g.signs[match[0]]
    if not word:
        return ""
    return f"{'' if before in (' ', '') else ' '}{word}{'' if after in (' ', '') else ' '}"


def _around(match: re.Match[str]) -> tuple[str, str]:
    text, (start, end) = match.string, match.span()
    return text[start - 1 : start] if start else "", text[end : end + 1]


def paragraph(_g: Grammar) -> re.Pattern[str]:
    """``§ 5``, ``§§ 5``."""
    return re.compile(r"§{1,2}[ \u00a0]?(?=\d)")


def say_paragraph(g: Grammar, match: re.Match[str], _reading: Reading) -> str:
    """Name a section of a law."""
    return f"{g.signs['§§' if match[0].startswith('§§') else '§']} "


def phone(g: Grammar) -> re.Pattern[str]:
    """``+49 30 123456``, and what is written at home."""
    home = "|".join(g.phones)
    return re.compile(
        r"(?<![\w.+(-])(?:"
        r"\+\d{1,3}(?:[ .-]?\(\d{1,5}\)\d{0,9})?(?:[ ./-]\d{1,9}){1,6}|\+\d{8,15}"
        rf"|{home})(?![\w-]|[.,/]\d)"
    )


def say_phone(g: Grammar, match: re.Match[str], reading: Reading) -> str | None:
    """Read groups of figures, one by one or in pairs."""
    groups = re.findall(r"\d{1,15}", match[0])
    if sum(map(len, groups)) < 6:
        return None
    said = ", ".join(_group(g, each, reading) for each in groups)
    return f"{g.plus} {said}" if match[0].startswith("+") else said


def _group(g: Grammar, digits: str, reading: Reading) -> str:
    if g.phone_pairs and len(digits) == 2:
        zero = f"{numbers.digits('0', g.code)} " if digits[0] == "0" else ""
        return zero + cardinal(Written(str(int(digits))), g, reading.region)
    return numbers.digits(digits, g.code)


def say_email(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read an address."""
    at = g.address_signs["@"]
    return f"{_spelled(g, match['name'], reading)} {at} {_spelled(g, match['host'], reading)}"


def say_url(g: Grammar, match: re.Match[str], reading: Reading) -> str:
    """Read an address; a stroke at its very end is not worth a word."""
    parts = [match["scheme"] or "", match["host"] or match["web"] or match["bare"]]
    if match["port"]:
        parts.append(f":{match['port']}")
    parts.append(match["path"].rstrip("/"))
    return " ".join(filter(None, (_spelled(g, part, reading) for part in parts)))


def _spelled(g: Grammar, text: str, reading: Reading) -> str:
    named = _ADDRESS_SIGN.sub(lambda match: f" {g.address_signs.get(match[0], '')} ", text)
    spelled = re.sub(r"\d{1,400}", lambda match: f" {_short(g, match[0], reading)} ", named)
    return " ".join(spelled.split())


def _short(g: Grammar, digits: str, reading: Reading) -> str:
    if len(digits) > 4:
        return numbers.digits(digits, g.code)
    return cardinal(Written(digits), g, reading.region)
