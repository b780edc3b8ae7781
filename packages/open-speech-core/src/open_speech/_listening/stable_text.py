"""Text that settles while it is heard again and again, each time with more of the sound.

LocalAgreement-2 (Macháček, Dabre, Bojar: Turning Whisper into Real-Time Transcription System,
2023): what two decodings in a row agree on from the start is stable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from .._types.transcription import gap

_WIDE = (
    # Thai, Lao, Myanmar, Khmer; Chinese, Japanese.
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
)
_TOKEN = re.compile(rf"\s*(?:[{_WIDE}]|[^\s{_WIDE}]+)")
"""A word with the space before it; one character of scripts that put no space between words."""


class StableText:
    """The text of one utterance. Deltas that were given out are never taken back."""

    def __init__(self) -> None:
        self.text = ""
        """What is stable."""
        self.unstable = ""
        """What follows it, as it was heard last."""
        self._stable: list[str] = []
        self._rest: list[str] = []

    def update(self, heard: str, *, settle: bool = True) -> str:
        """Take what was heard of the sound so far; return what has become stable.

        ``settle``: whether anything may; otherwise only the unstable text changes.
        """
        rest = self._following(heard)
        agreed = 0
        if settle:
            # The last word may be cut off, or not have its punctuation yet.
            for before, now in zip(self._rest, rest[:-1], strict=False):
                if before != now:
                    break
                agreed += 1
        delta = self._add(rest[:agreed])
        self._rest = rest[agreed:]
        self.unstable = "".join(self._rest)
        return delta

    def finish(self, heard: str) -> str:
        """Take what was heard of all the sound; return what is new of it."""
        delta = self._add(self._following(heard))
        self._rest, self.unstable = [], ""
        return delta

    def _add(self, tokens: Sequence[str]) -> str:
        delta = "".join(tokens)
        if not self.text:
            delta = delta.lstrip()
        self._stable += tokens
        self.text += delta
        return delta

    def _following(self, heard: str) -> list[str]:
        """Return what of a text follows what is stable already."""
        tokens = _TOKEN.findall(heard.strip())
        if not self._stable:
            return tokens
        rest = tokens[_continuation(self._stable, tokens) :]
        if rest:
            rest[0] = gap(self.text, rest[0]) + rest[0]
        return rest


def _continuation(stable: Sequence[str], tokens: Sequence[str]) -> int:
    """Find how many of the tokens stand for the stable ones: those most like them."""
    count = len(stable)
    if [each.strip() for each in tokens[:count]] == [each.strip() for each in stable]:
        return count
    wanted = [_plain(each) for each in stable]
    costs = [list(range(len(tokens) + 1))]
    for row, word in enumerate(wanted, start=1):
        line = [row]
        for column, token in enumerate(tokens, start=1):
            same = costs[row - 1][column - 1] + (word != _plain(token))
            line.append(min(same, costs[row - 1][column] + 1, line[column - 1] + 1))
        costs.append(line)
    last = costs[count]
    return min(range(len(last)), key=lambda column: (last[column], abs(column - count)))


def _plain(token: str) -> str:
    kept = (char for char in token.casefold() if unicodedata.category(char)[0] in "LNM")
    return "".join(kept) or token.strip()
