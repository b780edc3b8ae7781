"""Percentages, ranges and sums, as English writes and says them."""

from __future__ import annotations

import re

from ..._rules import Reading
from .numbers import (
    AMOUNT,
    BEFORE,
    DASH,
    MINUS,
    NUMBER,
    SCALE_WORDS,
    SCALES,
    amount,
    number,
    plain,
    signed,
    year_or_number,
)  # fmt: skip

PERCENT = re.compile(
    rf"(?<![\w.,])(?P<sign>(?:[{MINUS}+\u00b1~\u2248]|\+/-)?)(?P<number>{AMOUNT})[ \u00a0]?"
    rf"(?P<mark>[%\u2030\uff05\ufe6a])"
)
PERCENT_RANGE = re.compile(
    rf"(?<![\w.,/:])(?P<sign>[{MINUS}+]?)(?P<first>{AMOUNT})[ \u00a0]?%?{DASH}(?P<second>{AMOUNT})"
    rf"[ \u00a0]?(?P<mark>[%\u2030\uff05\ufe6a])"
)
RANGE = re.compile(
    rf"{BEFORE}(?P<first>{NUMBER}){DASH}(?P<second>{NUMBER})"
    rf"(?:(?P<scale>[ ](?:{SCALE_WORDS})\b)|(?P<tight>[kKM]|bn)(?![\w-])|(?P<times>x)(?![\w-])"
    r"|(?![\w-]|[.,/:]\d))"
)
RATIO = re.compile(r"(?<![\w.,:/-])(\d{1,3}):(\d{1,3})(?![\w:]|[.,]\d)")
CODES = re.compile(
    r"(?<![\w-])(?P<letters>[A-Z]{1,3})(?P<first>\d{1,4})[-\u2010-\u2014](?P=letters)"
    r"(?P<second>\d{1,4})(?![\w-])"
)
FISCAL = re.compile(
    r"(?<!\w)(?P<name>FY|CY)[ ]?(?P<first>20\d\d)(?:[-\u2010-\u2014/](?P<second>20\d\d|\d\d))?"
    r"(?![\w/-]|[.,]\d)"
)
QUARTER = re.compile(r"(?<!\w)(?P<name>[QH][1-4])[ ]?['\u2019](?P<year>[1-9]\d)(?!\w)")
WORD_RANGE = re.compile(
    rf"(?P<first>\b[Pp]p?\.?[ ]|\b[Pp]ages?[ ]|#|\bNos?\.[ ])(?P<from>\d{{1,6}}){DASH}#?"
    rf"(?P<to>\d{{1,6}})(?![\w-])"
)
_OPERATORS = {
    "+": "plus", "\u2212": "minus", "-": "minus", "\u2013": "minus", "\u00d7": "times",
    "x": "times",
    "*": "times", "\u00b7": "times", "\u22c5": "times", "\u00f7": "divided by", "/": "divided by",
    "=": "equals", "==": "equals", "\u2260": "is not equal to", "!=": "is not equal to",
    "<": "less than", ">": "greater than", "\u2264": "is at most", "<=": "is at most",
    "\u2265": "is at least", ">=": "is at least", "\u2248": "is approximately",
    "\u00b1": "plus or minus", "^": "to the power of",
}  # fmt: skip
_OPERATOR = "==|!=|<=|>=|" + "|".join(re.escape(sign) for sign in _OPERATORS if len(sign) == 1)
_OPERAND = rf"(?:[-\u2212]?(?:{NUMBER})(?:[a-z](?![\w]))?[²³%]?|[A-Za-z](?![\w.])[²³]?|\?)"
EXPRESSION = re.compile(
    rf"(?<![\w.,/:$£€-])(?P<first>{_OPERAND})(?:[ ]?(?:{_OPERATOR})[ ]?{_OPERAND}){{1,20}}"
    rf"(?![\w/]|[.,]\d|-\d)"
)
_MEASURED = re.compile(r"\d[ \u00a0]?$")
_TOKEN = re.compile(rf"[ ]?(?P<operator>{_OPERATOR})[ ]?(?P<operand>{_OPERAND})")
_SURE = frozenset("=+\u00f7\u00d7\u2260\u2264\u2265\u2248\u2212*^") | {"==", "!=", "<=", ">="}
_POWERS = {"²": " squared", "³": " cubed", "%": " percent", "": ""}
SQUARED = re.compile(r"(?<=[A-Za-z0-9)])[²³](?![\w])")
POWER = re.compile(r"(?<=[\w)])(?:\^|\*\*)(?P<sign>[-\u2212]?)(?P<number>\d{1,6})(?![\w.])")
SUPERSCRIPT = re.compile(r"(?<=[0-9])(?P<power>[⁺⁻]?[⁰¹²³⁴-⁹]{1,6})")
COMPARED = re.compile(r"(?<![\w<>=-])(?P<sign><=|>=|<|>|~|\u2248|\u2264|\u2265)[ ]?(?=[$£€.]?\d)")
BETWEEN = re.compile(
    r"(?<=[\w)])[ ]?(?P<sign>[<>])[ ]?(?=-?[$.]?\d)"
    r"|(?<=\b[A-Za-z])[ ]?(?P<single>[<>])[ ]?(?=[A-Za-z]\b)"
)
_COMPARED = {
    "<": "less than ", ">": "more than ", "<=": "at most ", ">=": "at least ", "~": "about ",
    "\u2248": "about ", "\u2264": "at most ", "\u2265": "at least ",
}  # fmt: skip
_MARKS = {"\u2030": "per mille"}


def say_percent(match: re.Match[str], reading: Reading) -> str:
    sign = "about " if match["sign"] in ("~", "\u2248") else signed(match["sign"])
    mark = _MARKS.get(match["mark"], "percent")
    return f"{sign}{amount(match['number'], reading)} {mark}"


def say_percent_range(match: re.Match[str], reading: Reading) -> str:
    first, second = (amount(match[name], reading) for name in ("first", "second"))
    mark = _MARKS.get(match["mark"], "percent")
    return f"{signed(match['sign'])}{first} to {second} {mark}"


def say_range(match: re.Match[str], reading: Reading) -> str | None:
    first, second = match["first"], match["second"]
    if second.startswith("0") and len(second) > 1 and "." not in second:
        return None
    said = [year_or_number(each, reading) for each in (first, second)]
    if first == second == "50":
        return " ".join(said)
    scale = match["scale"] or (f" {SCALES[match['tight'].lower()]}" if match["tight"] else "")
    return f"{said[0]} to {said[1]}{scale}{' times' if match['times'] else ''}"


def say_codes(match: re.Match[str], reading: Reading) -> str:
    """``Q1-Q3``."""
    first, second = (
        f"{match['letters']} {number(match[name], reading)}" for name in ("first", "second")
    )
    return f"{first} to {second}"


def say_quarter(match: re.Match[str], reading: Reading) -> str:
    """``Q3'23``."""
    return (
        f"{match['name'][0]} {number(match['name'][1], reading)} {number(match['year'], reading)}"
    )


def say_fiscal(match: re.Match[str], reading: Reading) -> str:
    said = f"{match['name']} {year_or_number(match['first'], reading)}"
    if match["second"]:
        said += f" to {year_or_number(match['second'], reading)}"
    return said


def say_ratio(match: re.Match[str], reading: Reading) -> str:
    return f"{number(match[1], reading)} to {number(match[2], reading)}"


def say_word_range(match: re.Match[str], reading: Reading) -> str:
    word = match["first"].strip().lower()
    name = "pages" if word.startswith("p") else "numbers"
    return f"{name} {number(match['from'], reading)} to {number(match['to'], reading)}"


def say_expression(match: re.Match[str], reading: Reading) -> str | None:
    """A sum or an equation; a hyphen is a minus only where something else shows that it is one."""
    text = match[0]
    tokens = list(_TOKEN.finditer(text, match.end("first") - match.start()))
    operators = {token["operator"] for token in tokens}
    operands = [match["first"], *(token["operand"] for token in tokens)]
    if not any(character.isdigit() for character in text):
        return None
    if text[0].isalpha() and _MEASURED.search(
        match.string, max(match.start() - 2, 0), match.start()
    ):
        return None  # 10 m^2
    is_product = operators == {"x"} and all(each[0].isdigit() for each in operands)
    if operators <= {"<", ">"} and all(each[0].isdigit() for each in operands):
        is_product = True
    if not (operators & _SURE or is_product):
        return None
    parts = [_operand(operands[0], reading)]
    for token in tokens:
        operator = _OPERATORS[token["operator"]]
        if token["operator"] in "x\u00d7" and not operators & (_SURE - {"\u00d7"}):
            operator = "times" if " " in token[0] or token["operator"] != "x" else "by"
        if token["operator"] == "^" and token["operand"] in ("2", "3"):
            parts.append("squared" if token["operand"] == "2" else "cubed")
            continue
        parts += [operator, _operand(token["operand"], reading)]
    return " ".join(parts)


def _operand(text: str, reading: Reading) -> str:
    if text == "?":
        return "what"
    sign, body = ("minus ", text[1:]) if text[0] in "-\u2212" else ("", text)
    power = _POWERS.get(body[-1:], "")
    body = body[:-1] if power else body
    digits = re.match(r"[\d.,\u00a0\u202f]{1,400}", body)
    if not digits:
        return f"{sign}{body}{power}"
    letter = body[digits.end() :]
    said = number(digits[0], reading)
    return f"{sign}{said}{f' {letter}' if letter else ''}{power}"


def say_squared(match: re.Match[str], _reading: Reading) -> str:
    return _POWERS[match[0]]


def say_power(match: re.Match[str], reading: Reading) -> str:
    if not match["sign"] and match["number"] in ("2", "3"):
        return " squared" if match["number"] == "2" else " cubed"
    sign = "minus " if match["sign"] else ""
    return f" to the power of {sign}{number(match['number'], reading)}"


def say_superscript(match: re.Match[str], reading: Reading) -> str:
    text = match["power"].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-"))
    if text in ("2", "3"):
        return " squared" if text == "2" else " cubed"
    sign = {"-": "minus ", "+": ""}.get(text[0], "")
    return f" to the power of {sign}{number(plain(text.lstrip('+-')) or '0', reading)}"


def say_compared(match: re.Match[str], _reading: Reading) -> str:
    return _COMPARED[match["sign"]]


def say_between(match: re.Match[str], _reading: Reading) -> str:
    return f" {_OPERATORS[match['sign'] or match['single']]} "
