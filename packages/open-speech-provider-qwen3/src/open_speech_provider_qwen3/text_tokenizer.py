"""From text to the talker's text ids: Qwen2's byte-level pairs, from vocab.json and merges.txt.

The special marks that frame a prompt (``<|im_start|>``) have ids of their own, which
``config.json`` names; they are left out here, so that a text which contains such a mark is read as
the characters that it is written with.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

VOCABULARY = "vocab.json"
MERGES = "merges.txt"
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Qwen2's rule for words, within which pairs are merged."""
_MAX_BYTES = 100_000_000


class BadVocabulary(ValueError):
    """Says what is wrong with the files, as the end of a sentence about their folder."""


class TextTokenizer:
    """Turns text into ids."""

    def __init__(self, folder: Path) -> None:
        """Read ``vocab.json`` and ``merges.txt``; raises BadVocabulary."""
        try:
            vocabulary = json.loads(_text(folder / VOCABULARY))
            lines = _text(folder / MERGES).splitlines()
            rules = (line for line in lines if line and not line.startswith("#version:"))
            merges: Any = [tuple(line.split(" ")) for line in rules]
            pairs = models.BPE(vocab=vocabulary, merges=merges)
        except Exception as error:  # the library raises a bare Exception for what does not fit
            reason = str(error)[:200]
            raise BadVocabulary(f"has no usable {VOCABULARY} and {MERGES} ({reason})") from error
        self._tokenizer = Tokenizer(pairs)
        self._tokenizer.normalizer = normalizers.NFC()
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )

    def ids(self, text: str) -> list[int]:
        """The ids of a text, without any mark around it."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _text(path: Path) -> str:
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path.name} is too large")
    return path.read_text(encoding="utf-8")
