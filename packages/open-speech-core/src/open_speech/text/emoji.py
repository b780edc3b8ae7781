"""Pictures in a text: left out, or named."""

from __future__ import annotations

import re

from .._types.tokens import TokenKind
from ._rules import Reading, Rule

_PICTURES = (
    "\U0001f000-\U0001faff\u2600-\u266c\u2670-\u27bf\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff"
    "\u203c\u2049\u3030\u303d\u3297\u3299"
)
_JOINED = "\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
_EMOJI = re.compile(
    rf"[ ]?[{_PICTURES}][{_JOINED}{_PICTURES}]{{0,400}}(?=[.,!?;:])"
    rf"|[{_PICTURES}][{_JOINED}{_PICTURES}]{{0,400}}"
    r"|(?<=[\d#*])\ufe0f?\u20e3"
    r"|\ufe0f"
)
_EMOTICON = re.compile(
    r"(?<!\S)(?:[:;=]['\u2019]?[-o^]?[()\[\]DPpOo/]|<3|</3|\^_\^|-_-|[oO]_[oO]|T_T|:'\()(?![\w(/])"
)
_NAMED = frozenset({"de", "en", "es", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr", "zh"})


def _silent(match: re.Match[str], _reading: Reading) -> str:
    text, (start, end) = match.string, match.span()
    before, after = text[start - 1 : start], text[end : end + 1]
    return " " if before.isalnum() and after.isalnum() else ""


def _named(match: re.Match[str], reading: Reading) -> str:
    """Name pictures one after the other, in the text's language or else in English."""
    import emoji  # 60 ms that only this option needs

    language = reading.language if reading.language in _NAMED else "en"
    names = emoji.demojize(match[0], delimiters=(" ", " "), language=language)
    return " ".join(names.replace("_", " ").split())


SILENT = (
    Rule(TokenKind.EMOJI, _EMOJI, _silent),
    Rule(TokenKind.EMOJI, _EMOTICON, _silent),
)
NAMED = (Rule(TokenKind.EMOJI, _EMOJI, _named),)
