"""Abbreviations, optional plurals and single signs, as they are read aloud in English."""

from __future__ import annotations

import re

from ._rules import Reading, Rule

_SHORT = {
    "Dr": "Doctor", "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor",
    "Gen": "General", "Sgt": "Sergeant", "Capt": "Captain", "Lt": "Lieutenant",
    "Sen": "Senator", "Rep": "Representative", "Gov": "Governor", "Rev": "Reverend",
}  # fmt: skip
_TITLE = re.compile(rf"\b({'|'.join(_SHORT)})\.(?=[ \u00a0][A-Z])")
_PHRASES = {"e.g.": "for example", "i.e.": "that is", "vs.": "versus", "approx.": "approximately"}
_PHRASE = re.compile(
    rf"(?<![\w.])(?:{'|'.join(map(re.escape, _PHRASES))})(?=[ ,:]|$)", re.IGNORECASE
)
_ET_CETERA = re.compile(r"\betc\b(?:\.(?=[,;:)]|[ ][a-z]))?")
"""With its stop, unless that may end the sentence as well."""
_NUMBER_SIGN = re.compile(r"\b(?:No\.|№|Nr\.)[ \u00a0]?(?=\d)")
_PLURAL = re.compile(r"(?<=[A-Za-z])\((e?s)\)(?!\w)")
_WORDS = {
    "@": "at", "$": "dollar", "%": "percent", "&": "and", "/": "slash", "=": "equals",
    "+": "plus", "±": "plus or minus", "\u00d7": "times", "÷": "divided by", "°": "degrees",
    "€": "euros", "£": "pounds", "≈": "approximately", "≤": "at most", "≥": "at least",
    "≠": "is not", "→": "to", "©": "copyright", "®": "registered", "™": "trademark",
    "§": "section",
}  # fmt: skip
_WORD = re.compile(f"[#{re.escape(''.join(_WORDS))}]")
_NOISE = re.compile(r"[*_~^|\\`]{1,400}")
_SLASHES = re.compile(r"/{2,400}")


def _say_sign(match: re.Match[str], _reading: Reading) -> str:
    before, after = _around(match)
    sign = match[0]
    if sign == "#":
        word = "sharp" if before.isalpha() else "hashtag" if after.isalpha() else "number"
    else:
        word = _WORDS[sign]
    return f"{'' if before in (' ', '') else ' '}{word}{'' if after in (' ', '') else ' '}"


def _say_noise(match: re.Match[str], _reading: Reading) -> str:
    before, after = _around(match)
    return " " if before.isalnum() and after.isalnum() else ""


def _around(match: re.Match[str]) -> tuple[str, str]:
    text, (start, end) = match.string, match.span()
    return text[start - 1 : start] if start else "", text[end : end + 1]


TITLE = Rule(_TITLE, lambda match, _: _SHORT[match[1]])
PHRASE = Rule(_PHRASE, lambda match, _: _PHRASES[match[0].lower()])
ET_CETERA = Rule(_ET_CETERA, lambda *_: "et cetera")
NUMBER_SIGN = Rule(_NUMBER_SIGN, lambda *_: "number ")
PLURAL = Rule(_PLURAL, lambda match, _: match[1])
SLASHES = Rule(_SLASHES, lambda *_: " ")
NOISE = Rule(_NOISE, _say_noise)
SIGN = Rule(_WORD, _say_sign)
