# ruff: noqa: RUF001 - signs are what this is about
"""Single signs, as English says them."""

from __future__ import annotations

import re

from ..._rules import Reading

_WORDS = {
    "@": "at", "$": "dollar", "%": "percent", "&": "and", "/": "slash", "=": "equals",
    "+": "plus", "±": "plus or minus", "\u00d7": "times", "÷": "divided by", "°": "degrees",
    "€": "euros", "£": "pounds", "¥": "yen", "¢": "cents", "≈": "approximately", "≤": "at most",
    "≥": "at least", "≠": "is not", "→": "to", "©": "copyright", "®": "registered",
    "™": "trademark", "§": "section", "¶": "paragraph", "∞": "infinity", "√": "square root of",
    "∑": "sum", "∏": "product",
    "∫": "integral", "∂": "partial", "∈": "in", "∉": "not in", "∀": "for all", "∃": "there exists",
    "∴": "therefore", "∝": "is proportional to", "∩": "intersection", "∪": "union",
    "♯": "sharp", "♭": "flat", "№": "number", "\u2212": "minus",
}  # fmt: skip
SIGN = re.compile(f"[#{re.escape(''.join(_WORDS))}]")
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "delta",
    "Σ": "sigma", "Ω": "omega", "Π": "pi", "Φ": "phi", "Γ": "gamma", "Λ": "lambda", "Θ": "theta",
}  # fmt: skip
GREEK = re.compile(
    rf"(?<![\u0370-\u03ff\u1f00-\u1fff])[{''.join(_GREEK)}](?![\u0370-\u03ff\u1f00-\u1fff])"
)
"""A letter of Greek by itself; in words it is left to the engine."""
_LABEL = re.compile(r"[A-Z]{1,6}-?\d")
_NO_SPACE_BEFORE = ("", " ", ".", ",", ";", ":", "!", "?", ")")
DOT = re.compile(r"(?:(?<!\S)|(?<=/))\.(?=NET\b|[a-z])|(?<!\S)\.{1,2}(?=/)")
"""A stop that begins a name: .NET, .env, ../other."""
NOISE = re.compile(r"[*_~^|\\`<>{}\u2022\u00b7\u2020\u2021\u2022\u25cf\u00a6]{1,400}")
SLASHES = re.compile(r"/{2,400}")
CAPITALS = re.compile(
    r"(?<=\b[A-Z][A-Z])/(?=[A-Z]{2}\b)|(?<=[A-Z]{3})/(?=[A-Z]{2})|(?<=[A-Z]{2})/(?=[A-Z]{3})"
)
SHARP = re.compile(r"(?<![\w])(?P<name>[A-G])#(?!\w)")
ARROW = re.compile(r"(?<![-<=])(?:-{1,3}>|=>|\u2192|\u21d2)")
OPERATORS = {
    "!=": "is not equal to", "==": "equals", "<=": "at most", ">=": "at least", "&&": "and",
    "||": "or",
}  # fmt: skip
OPERATOR = re.compile("|".join(map(re.escape, OPERATORS)))
PLUS_MINUS = re.compile(r"\+/-")
DOUBLE_HYPHEN = re.compile(r"(?<=[\w\s\"'\u2019)])-{2,3}(?=[\w\s\"'(])")


def say_sign(match: re.Match[str], _reading: Reading) -> str:
    before, after = _around(match)
    sign = match[0]
    if sign == "$" and match.start() == 0 and after == " ":
        return ""  # a prompt
    if sign == "#" and _LABEL.match(match.string, match.end()):
        word = "number"
    elif sign == "#":
        word = "sharp" if before.isalpha() else "hashtag" if after.isalpha() else "number"
    else:
        word = _WORDS[sign]
    return f"{'' if before in (' ', '') else ' '}{word}{'' if after in _NO_SPACE_BEFORE else ' '}"


def say_dot(match: re.Match[str], _reading: Reading) -> str:
    return "dot " * len(match[0])


def say_greek(match: re.Match[str], _reading: Reading) -> str:
    return _GREEK[match[0]]


def say_noise(match: re.Match[str], _reading: Reading) -> str:
    before, after = _around(match)
    return " " if before.isalnum() and after.isalnum() else ""


def _around(match: re.Match[str]) -> tuple[str, str]:
    text, (start, end) = match.string, match.span()
    return text[start - 1 : start] if start else "", text[end : end + 1]
