"""Numbers as languages write them whose decimal mark is the comma: ``1.234,5`` or ``1 234,5``."""

from __future__ import annotations

import re

from ..._types.tokens import TokenKind
from .. import numbers
from .._rules import Reading, Rule

_NUMBER = re.compile(
    r"(?<![\w.,:/-])(?P<whole>\d{1,3}(?:[.\u00a0\u202f]\d{3}){1,5}|\d{1,400})(?:,(?P<part>\d{1,40}))?"
    r"(?![\w:/]|[.,-]\d)"
)


def say_number(match: re.Match[str], reading: Reading) -> str | None:
    """Spell a number out."""
    whole = re.sub(r"\D", "", match["whole"])
    return numbers.cardinal(
        f"{whole}.{match['part']}" if match["part"] else whole, reading.language
    )


NUMBER = Rule(TokenKind.NUMBER, _NUMBER, say_number)
