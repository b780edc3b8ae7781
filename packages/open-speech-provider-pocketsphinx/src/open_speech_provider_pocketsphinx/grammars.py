"""Grammars: the named ones, and what is asked of those that requests bring along.

A grammar is written in JSGF, the JSpeech Grammar Format (a W3C note of the year 2000).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from open_speech.errors import InvalidRequest

_HEADER = "#JSGF V1.0;\ngrammar heard;\n"

NAMED: Mapping[str, str] = {
    "digits": _HEADER + "public <digits> = (zero | oh | one | two | three | four | five | six"
    " | seven | eight | nine)+;",
    "yes-no": _HEADER + "public <answer> = (yes | no) [please | thank you];",
}
"""What a request may name instead of writing a grammar."""

MAX_CHARS = 20_000
MAX_GROUPS = 100
"""Groups, options and repetitions: the engine's time to compile grows with their third power."""

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_FORM = re.compile(r"\s*#JSGF[^;]*;\s*grammar\s+[\w.]+\s*;(\s*(public\s+)?<[\w.]+>\s*=[^;]*;)+\s*")
"""A header and rules, nothing else: no import, for which the engine would look for files."""

_NO_WORD = re.compile(r"^[^;]*;[^;]*;|<[^>]*>|\{[^}]*\}|/[\d.]+/|\bpublic\b")


def jsgf(grammar: str) -> str:
    """The text behind a name, or the text itself; raises InvalidRequest for what is neither."""
    if grammar in NAMED:
        return NAMED[grammar]
    if not grammar.lstrip().startswith("#JSGF"):
        raise refusal(f"There is no grammar named {grammar[:64]!r}.")
    if len(grammar) > MAX_CHARS:
        raise refusal(f"The grammar is longer than {MAX_CHARS} characters.")
    plain = _COMMENT.sub(" ", grammar)
    if sum(map(plain.count, "([*+")) > MAX_GROUPS:
        raise refusal(f"The grammar has more than {MAX_GROUPS} groups and repetitions.")
    if not _FORM.fullmatch(plain):
        raise refusal("The grammar is not made of a header and rules.")
    return plain


def words(grammar: str) -> list[str]:
    """The words that a grammar (as ``jsgf`` gives it) mentions, each once, in order."""
    return list(dict.fromkeys(re.findall(r"[^\W\d_][\w'.-]*", _NO_WORD.sub(" ", grammar))))


def refusal(message: str) -> InvalidRequest:
    """The error for a grammar that cannot be used."""
    names = " and ".join(f"'{name}'" for name in NAMED)
    return InvalidRequest(
        message,
        param="grammar",
        hint=f"Name {names}, or write one in JSGF, in lower case, with words of the dictionary.",
    )
