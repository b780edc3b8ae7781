"""Words to expect, in the form that the engine takes them.

The engine cuts a word into tokens with a vocabulary of SentencePiece, a piece and its rank in each
line, which published folders seldom have. A model's own ``tokens.txt`` lists the same pieces in
the same order, so the vocabulary is made from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from .layout import read_lines

MAX_WORDS = 200
MAX_CHARS = 100
"""Of each; what is longer is left out."""

_MARK = "\u2581"
_SPECIAL = re.compile(r"<[^>]*>|#\d+|\[[^\]]*\]")
_SEPARATORS = re.compile(r"[/\s]+")
_LETTERS = re.compile(r"[A-Za-z]")


class Vocabulary:
    """The tokens of a model, as far as words are made of them."""

    def __init__(self, tokens: Path) -> None:
        pairs = [line.rsplit(maxsplit=1) for line in read_lines(tokens)]
        self._pieces = [pair[0] for pair in pairs if len(pair) == 2]
        self._pieces = [piece for piece in self._pieces if not _SPECIAL.fullmatch(piece)]
        letters = [piece for piece in self._pieces if _LETTERS.search(piece)]
        self._upper = bool(letters) and not any(re.search("[a-z]", piece) for piece in letters)
        self._lower = bool(letters) and not any(re.search("[A-Z]", piece) for piece in letters)

    @property
    def unit(self) -> str:
        """What the engine calls it: ``bpe``, ``bbpe`` (of bytes), ``cjkchar``, ``cjkchar+bpe``."""
        if max(max(piece.lstrip(_MARK).encode(), default=0) for piece in self._pieces) == 0xC6:
            return "bbpe"
        if not any(piece.startswith(_MARK) for piece in self._pieces):
            return "cjkchar"
        chars = sum(len(piece) == 1 and ord(piece) > 0x2E7F for piece in self._pieces)
        return "cjkchar+bpe" if chars > len(self._pieces) // 4 else "bpe"

    def write(self, path: Path) -> None:
        """Write what the engine reads as ``bpe_vocab``."""
        lines = (f"{piece}\t{-rank}\n" for rank, piece in enumerate(self._pieces))
        path.write_text("".join(lines), encoding="utf-8")

    def written(self, keywords: Iterable[str]) -> str:
        """Words to expect as the engine's text; empty where nothing is left of them."""
        kept = [_bare(self._cased(word)) for word in keywords]
        return "/".join([word for word in kept if word and len(word) <= MAX_CHARS][:MAX_WORDS])

    def _cased(self, word: str) -> str:
        if self._upper:
            return word.upper()
        return word.lower() if self._lower else word


def _bare(word: str) -> str:
    """Without what means something else to the engine: ``/`` and ``:`` before a score."""
    parts: Sequence[str] = _SEPARATORS.split(word.strip())
    return " ".join(part.lstrip(":#@") for part in parts if part.lstrip(":#@"))
