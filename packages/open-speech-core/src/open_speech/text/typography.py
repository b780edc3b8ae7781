"""Apostrophes and hyphens within words, as engines know them.

Front ends look words up with ``'`` and ``-``. With another sign in it, "wasn’t" is "was" to some.
"""  # noqa: RUF002 - the sign

from __future__ import annotations

import re
import unicodedata

from .._types.tokens import TokenKind
from ._rules import Reading, Rule

_APOSTROPHES = "\u2019\u2018\u201b\u02bc\u02bb\u02b9\u02c8\uff07\u2032\u00b4`\u0092"
"""Signs that are written for ``'``; the last one is what a wrong decoding leaves of it."""
_LETTER = r"[^\W\d_]"
_APOSTROPHE = re.compile(
    rf"(?<={_LETTER})[{_APOSTROPHES}](?={_LETTER})"
    # The dogs' bowls; the '90s, 'tis.
    r"|(?<=[sSzZxX])\u2019(?!\w)"
    # Rock 'n' roll, singin' in the rain.
    rf"|(?<=['{_APOSTROPHES}][nN])[{_APOSTROPHES}](?!\w)|(?<={_LETTER}in)\u2019(?!\w)"
    r"|(?<!\w)[\u2018\u2019\u02bc\uff07\u00b4`](?=\d0s\b|(?:[Tt]is|[Tt]was|[Ee]m|[Tt]il|[Cc]ause|n)\b)"
)
_HYPHEN = re.compile(r"(?<=\w)[\u2010\u2011\ufe63\uff0d](?=\w)")
_INVISIBLE = re.compile(r"[\u00ad\u2060-\u2064\u180e]{1,400}")
_LIGATURE = re.compile(
    r"[\ufb00-\ufb06\u2080-\u2089\U0001d400-\U0001d7ff\uff21-\uff3a\uff41-\uff5a]{1,400}"
)


def with_plain_apostrophes(text: str) -> str:
    """Put ``'`` for every apostrophe within a word; the text keeps its length."""
    return _APOSTROPHE.sub("'", text)


def _plain(match: re.Match[str], _reading: Reading) -> str:
    return unicodedata.normalize("NFKC", match[0])


TYPOGRAPHY = (
    Rule(TokenKind.TYPOGRAPHY, _APOSTROPHE, lambda *_: "'"),
    Rule(TokenKind.TYPOGRAPHY, _HYPHEN, lambda *_: "-"),
    Rule(TokenKind.TYPOGRAPHY, _INVISIBLE, lambda *_: ""),
)
"""Holds for every language and engine; what is spoken stays the same."""
FANCY = (Rule(TokenKind.TYPOGRAPHY, _LIGATURE, _plain, joins=True),)
"""Letters in disguise: ligatures, and the alphabets of mathematics."""
