"""Web and e-mail addresses and telephone numbers, as they are read aloud in English."""

from __future__ import annotations

import re

from . import numbers
from ._rules import Reading, Rule

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Without "http" or "www" only these end an address: none of them is a word that a sentence could
# begin with right after a stop ("done.In the end").
_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|dev|app|ai|co|tv|fm|gg|xyz|cloud|online|site|tech"
    "|store|blog|wiki|uk|de|fr|es|nl|eu|ch|ca|au|nz|jp|cn|ru|br|mx|pl|se|dk|fi|cz|kr|za|ie|pt|gr"
)
_PATH = r"(?:[/?#](?:[^\s<>\"]{0,2000}[^\s<>\".,;:!?)\]'’”*_])?)?"  # noqa: RUF001 - quotes
_URL = re.compile(
    r"(?<![\w.@/%+-])(?:"
    rf"(?P<scheme>https?|ftp)://(?P<host>{_LABEL}(?:\.{_LABEL}){{0,8}})"
    rf"|(?P<web>www(?:\.{_LABEL}){{1,8}})"
    rf"|(?P<bare>(?:{_LABEL}\.){{1,8}}(?:{_DOMAINS})(?![\w@-]|\.\w))"
    rf")(?::(?P<port>\d{{1,5}}))?(?P<path>{_PATH})",
    re.IGNORECASE,
)
_EMAIL = re.compile(
    r"(?<![\w.%+-])(?:mailto:)?(?P<name>[A-Za-z0-9._%+-]{1,64}+)@"
    rf"(?P<host>(?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,24}})(?![\w@-])",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.+(-])(?:"
    r"(?:\+?\d{1,3}[ .-])?(?:\(\d{3}\)[ ]?|\d{3}[ .-])\d{3}[ .-]\d{4}"
    r"|\+\d{1,3}(?:[ .-]?\(\d{1,5}\))?(?:[ .-]\d{1,5}){1,5}"
    r"|\+\d{8,15}"
    r"|\d{3}-\d{4}"
    r")(?![\w-]|\.\d)"
)
_SIGNS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "?": "question mark",
    "=": "equals", "&": "and", "%": "percent", "#": "hash", ":": "colon", "~": "tilde",
    "+": "plus", "@": "at", "!": "exclamation mark", ",": "comma", ";": "semicolon", "*": "star",
}  # fmt: skip
_SIGN = re.compile(r"[^\w\s]|_")


def _spelled(text: str, reading: Reading) -> str:
    named = _SIGN.sub(lambda match: f" {_SIGNS.get(match[0], '')} ", text)
    return reading.inner(" ".join(named.split()))


def _say_url(match: re.Match[str], reading: Reading) -> str:
    host = match["host"] or match["web"] or match["bare"]
    parts = [match["scheme"] or "", _spelled(host, reading)]
    if match["port"]:
        parts.append(_spelled(f":{match['port']}", reading))
    # A slash at the very end is not worth a word.
    parts.append(_spelled(match["path"].rstrip("/"), reading))
    return " ".join(part for part in parts if part)


def _say_email(match: re.Match[str], reading: Reading) -> str:
    return f"{_spelled(match['name'], reading)} at {_spelled(match['host'], reading)}"


def _say_phone(match: re.Match[str], _reading: Reading) -> str:
    groups = re.findall(r"\d{1,15}", match[0])
    spelled = ", ".join(numbers.digits(group, "en") for group in groups)
    return f"plus {spelled}" if match[0].startswith("+") else spelled


URL = Rule(_URL, _say_url)
EMAIL = Rule(_EMAIL, _say_email)
PHONE = Rule(_PHONE, _say_phone)
