"""Web and e-mail addresses and telephone numbers, as they are read aloud in English."""

from __future__ import annotations

import re

from ... import numbers
from ..._rules import Reading

PHONE = re.compile(
    r"(?<![\w.+(-])(?:"
    r"(?:\+?\d{1,3}[ .-])?(?:\(\d{3}\)[ ]?|\d{3}[ .-])\d{3}[ .-]\d{4}"
    r"|\+\d{1,3}(?:[ .-]?\(\d{1,5}\))?(?:[ .-]\d{1,5}){1,5}"
    r"|\+\d{8,15}"
    r"|1-8\d\d-[A-Z0-9]{2,8}(?:-[A-Z0-9]{1,8})?(?=[^\w-]|$)"
    r"|0\d{2,4}[ ]\d{3,4}[ ]\d{3,4}"
    r"|\(0\d{1,4}\)[ ]?\d{3,8}(?:[ -]?\d{2,8})?"
    r"|\d{3}-\d{4}"
    r")(?![\w-]|\.\d)"
)
_LEAST = 7
"""Letters and digits of a telephone number; fewer are some other numbers."""
_PRONOUNCED = frozenset({"bat", "bin", "doc", "gif", "jar", "jpeg", "json", "tar", "tiff", "zip"})
FILE = re.compile(
    r"(?<![\w./\\@-])(?:[\w-]{1,80}\.){0,3}[\w-]{1,80}\."
    r"(?:bat|bin|bmp|cfg|conf|cpp|css|csv|docx?|epub|exe|gif|gz|html?|iso|jar|jpe?g|json|log|md"
    r"|mov|mp3|mp4|ogg|pdf|php|png|pptx?|py|rar|rtf|sh|sql|svg|tar|tiff?|toml|tsx?|txt|wav|webm"
    r"|webp|xlsx?|xml|ya?ml|zip)\b(?![\w@/]|\.\w)"
)
FOLDER = re.compile(r"(?<![\w\\])[A-Za-z]:(?:\\[\w.-]{0,80}\w){1,20}\\?")
"""A path of Windows."""
_SIGNS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "?": "question mark",
    "=": "equals", "&": "and", "%": "percent", "#": "hash", ":": "colon", "~": "tilde",
    "\\": "backslash", "+": "plus", "@": "at", "!": "exclamation mark",
    ",": "comma", ";": "semicolon", "*": "star",
}  # fmt: skip
_SIGN = re.compile(r"[^\w\s]|_")


def _spelled(text: str, reading: Reading) -> str:
    named = _SIGN.sub(lambda match: f" {_SIGNS.get(match[0], '')} ", text)
    spelled = re.sub(r"\d{1,400}", lambda match: f" {_short(match[0], reading)} ", named)
    return " ".join(spelled.split())


def _short(digits: str, reading: Reading) -> str:
    read = numbers.cardinal if len(digits) <= 4 else numbers.digits
    return read(digits, reading.language)


def say_url(match: re.Match[str], reading: Reading) -> str:
    host = match["host"] or match["web"] or match["bare"]
    parts = [match["scheme"] or "", _spelled(host, reading)]
    if match["port"]:
        parts.append(_spelled(f":{match['port']}", reading))
    # A slash at the very end is not worth a word.
    parts.append(_spelled(match["path"].rstrip("/"), reading))
    return " ".join(part for part in parts if part)


def say_email(match: re.Match[str], reading: Reading) -> str:
    return f"{_spelled(match['name'], reading)} at {_spelled(match['host'], reading)}"


def say_phone(match: re.Match[str], _reading: Reading) -> str | None:
    if sum(character.isalnum() for character in match[0]) < _LEAST:
        return None
    groups = re.findall(r"\d{1,15}|[A-Z]{1,15}", match[0])
    spelled = ", ".join(
        numbers.digits(group, "en") if group.isdecimal() else group for group in groups
    )
    return f"plus {spelled}" if match[0].startswith("+") else spelled


def say_folder(match: re.Match[str], reading: Reading) -> str:
    return _spelled(match[0], reading)


def say_file(match: re.Match[str], reading: Reading) -> str:
    name, _, extension = match[0].rpartition(".")
    said = extension if extension.lower() in _PRONOUNCED else extension.upper()
    return f"{_spelled(name, reading)} dot {said}"
