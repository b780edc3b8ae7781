"""Sentences out of text that may still be arriving, for engines that speak one at a time.

Where sentences end is decided by sentencex (abbreviations, numbers and quotes of many languages);
what is here makes it incremental, bounds the pieces and keeps the work linear.

Every decision is made at a fixed character of the text: at a sign once ``LOOKAHEAD`` further
characters are there, or at the limit of a piece. So it does not matter how the text was cut up on
its way here, and a whole text gives the same pieces as one that comes letter by letter.
"""

# ruff: noqa: RUF001 - quotation marks of many scripts are what this is about

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import sentencex  # type: ignore[import-untyped, unused-ignore]

from .._types.languages import main_language
from ._cuts import GRAPHEME_REACH, best_cut, clause_cut

__all__ = [
    "Sentence",
    "SentenceSplitter",
    "split_sentences",
]


MAX_CHARS = 400
"""About 25 seconds of speech: what small engines still take in one go."""
MIN_CHARS = 16
LOOKAHEAD = 12
"""Characters after a sign that decide whether a sentence ends there ("Am 3. Mai", "e.g. this")."""
WRAPPED = 50
"""A line at least so long that has no stop at its end goes on in the next one."""
EFFORT = 8
"""How often each character is handed to sentencex at most, on average over the text so far."""
_ALLOWANCE = 4096
_REACH = max(LOOKAHEAD, GRAPHEME_REACH)

_LINE_ENDS = "\n\v\f\x85\u2028\u2029"
_SIGN = re.compile(rf"[^\w\s]|[{_LINE_ENDS}]")
_SPACES = re.compile(r"\s*")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CLOSING = {
    '"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "‹": "›", "「": "」", "『": "』",
}  # fmt: skip
_QUOTES = re.compile('["“”„«»‹›「」『』]')


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A piece of text to speak at once, and where it stood."""

    text: str
    """Never blank; no space around it."""
    start: int
    """Characters of the whole text before it; between two pieces there is only space."""

    @property
    def end(self) -> int:
        """Characters of the whole text up to its end."""
        return self.start + len(self.text)


class SentenceSplitter:
    """Cuts one text, fed in any number of parts, into sentences. For one thread at a time.

    A sentence comes out when the text after it shows that it is complete, or with ``finish``. A
    line's end ends a sentence, unless the line looks wrapped. Time is linear in the text, whatever
    it holds, and what is kept is bounded.
    """

    def __init__(
        self,
        language: str | None = None,
        *,
        max_chars: int = MAX_CHARS,
        first_max_chars: int | None = None,
    ) -> None:
        """Prepare for one text.

        Args:
            language: BCP-47; decides which abbreviations are known. Signs of all scripts are.
            max_chars: no piece is longer; a longer sentence is cut at a clause, else at a space.
            first_max_chars: cut a longer first sentence at a clause within so many characters, if
                it has one there, so that it can be spoken sooner.

        Raises:
            ValueError: a limit is below 16, or the first one is above the other.
        """
        if max_chars < MIN_CHARS:
            raise ValueError(f"max_chars is {max_chars}, below {MIN_CHARS}")
        if first_max_chars is not None and not MIN_CHARS <= first_max_chars <= max_chars:
            raise ValueError(f"first_max_chars is {first_max_chars}, not {MIN_CHARS}..{max_chars}")
        self._language = main_language(language) or "en"
        self._max = max_chars
        self._first_max = first_max_chars
        self._text = ""
        self._offset = 0  # characters of the whole text before self._text
        self._base = 0  # where the current sentence begins: sentencex sees it from here
        self._start = 0  # where the next piece begins; after base if a first piece was cut off
        self._scanned = 0  # signs before this were dealt with
        self._handed = 0  # characters handed to sentencex so far

    def feed(self, text: str) -> list[Sentence]:
        """Take the next part of the text; return the pieces that are complete now."""
        self._text += text
        self._skip_space()
        pieces: list[Sentence] = []
        while True:
            limit = self._start + self._room
            sign = self._next_sign(min(limit, len(self._text) - LOOKAHEAD))
            if sign is not None:
                pieces += self._at_sign(sign)
            elif len(self._text) >= limit + _REACH:
                pieces += self._at_limit(limit)
            else:
                break
        self._forget()
        return pieces

    def finish(self) -> list[Sentence]:
        """Return the rest: no more text comes, or what follows begins a new sentence."""
        self._skip_space()
        end = len(self._text)
        pieces: list[Sentence] = []
        while (sign := self._next_sign(end)) is not None:
            if self._text[sign] in _LINE_ENDS:
                pieces += self._at_sign(sign)
        pieces += self._accept(ripe=end, stop=end, complete=True)
        pieces += self._emit(end)
        self._scanned = end
        self._forget()
        return pieces

    @property
    def _room(self) -> int:
        return self._max if self._first_max is None else self._first_max

    def _next_sign(self, stop: int) -> int | None:
        """Find the next sign before ``stop``; of several in a row, the last one."""
        position = max(self._scanned, self._start)
        while match := _SIGN.search(self._text, position, stop):
            position = self._scanned = match.end()
            sign, following = match[0], self._text[position : position + 1]
            if sign in _LINE_ENDS or (_is_punctuation(sign) and not _is_punctuation(following)):
                return match.start()
        self._scanned = max(position, stop)
        return None

    def _at_sign(self, sign: int) -> list[Sentence]:
        if self._text[sign] not in _LINE_ENDS:
            return self._accept(ripe=sign + 1, stop=sign + 1 + LOOKAHEAD, complete=False)
        if not self._ends_sentence(sign):
            return []
        return self._accept(ripe=sign, stop=sign, complete=True) + self._emit(sign)

    def _ends_sentence(self, line_end: int) -> bool:
        following = self._text[line_end + 1 : line_end + 1 + LOOKAHEAD]
        rest = following.lstrip()
        if not rest or any(end in following[: -len(rest)] for end in _LINE_ENDS):
            return True
        line = self._text[max(line_end - WRAPPED, 0) : line_end]
        wrapped = len(line) == WRAPPED and not any(end in line for end in _LINE_ENDS)
        return not wrapped and not rest[0].islower()

    def _at_limit(self, limit: int) -> list[Sentence]:
        """Make room: a piece has as many characters as it may, and its sentence goes on."""
        if self._first_max is not None:
            return self._shorten()
        pieces = self._accept(ripe=limit, stop=limit + LOOKAHEAD, complete=True)
        return pieces or self._shorten()

    def _accept(self, *, ripe: int, stop: int, complete: bool) -> list[Sentence]:
        """Emit the sentences before ``stop`` that end by ``ripe``.

        In a quotation that is still open they wait for its end, unless this is all (``complete``).
        """
        pieces: list[Sentence] = []
        if not complete and _quote_is_open(self._text[self._base : ripe]):
            return pieces
        for end in self._boundaries(stop):
            if self._base + len(self._text[self._base : end].rstrip()) > ripe:
                break
            pieces += self._emit(end)
        return pieces

    def _boundaries(self, stop: int) -> list[int]:
        """Ask sentencex where sentences end before ``stop``; nowhere once it was asked too much."""
        size = stop - self._base
        if self._handed + size > EFFORT * (self._offset + stop) + _ALLOWANCE:
            return []
        self._handed += size
        text = _SURROGATES.sub("\ufffd", self._text[self._base : stop])
        found = sentencex.get_sentence_boundaries(self._language, text)
        return [self._base + boundary["end_index"] for boundary in found[:-1]]

    def _emit(self, end: int) -> list[Sentence]:
        """Turn what is left up to the end of a sentence into pieces."""
        pieces: list[Sentence] = []
        while len(self._text[self._start : end].rstrip()) > self._room:
            pieces += self._shorten()
        pieces += self._piece(end)
        self._base = self._start
        return pieces

    def _shorten(self) -> list[Sentence]:
        """Cut one piece off a sentence that is too long, or give up cutting the first one short."""
        if self._first_max is None:
            pieces = self._piece(best_cut(self._text, self._start, self._max))
            self._base = self._start
            return pieces
        cut = clause_cut(self._text, self._start, self._first_max)
        self._first_max = None
        # The base stays: the cut makes no difference to where sentences end.
        return [] if cut is None else self._piece(cut)

    def _piece(self, end: int) -> list[Sentence]:
        """Emit everything before ``end`` as one piece, unless it is blank."""
        text = self._text[self._start : end].rstrip()
        piece = Sentence(text=text, start=self._offset + self._start)
        self._start = max(self._start, end)
        self._skip_space()
        if not text:
            return []
        self._first_max = None
        return [piece]

    def _skip_space(self) -> None:
        match = _SPACES.match(self._text, self._start)
        end = match.end() if match else self._start
        if self._base == self._start:
            self._base = end
        self._start = end

    def _forget(self) -> None:
        """Drop what no decision needs any more."""
        dropped = max(self._base - WRAPPED, 0)
        self._text = self._text[dropped:]
        self._offset += dropped
        self._base -= dropped
        self._start -= dropped
        self._scanned = max(self._scanned - dropped, 0)


def split_sentences(
    text: str, language: str | None = None, *, max_chars: int = MAX_CHARS
) -> list[Sentence]:
    """Cut a whole text into sentences; see ``SentenceSplitter``."""
    splitter = SentenceSplitter(language, max_chars=max_chars)
    return splitter.feed(text) + splitter.finish()


def _is_punctuation(character: str) -> bool:
    return bool(character) and unicodedata.category(character).startswith("P")


def _quote_is_open(text: str) -> bool:
    """Tell whether a quotation begins that does not end; nested ones count as its text."""
    closing = ""
    for match in _QUOTES.finditer(text):
        if match[0] in closing:
            closing = ""
        elif not closing:
            closing = _CLOSING.get(match[0], "")
    return bool(closing)
