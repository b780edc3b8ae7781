"""Prepare text for an engine; needs ``open-speech-core[text]``.

``open_speech.text.prepare.prepare`` does it; the modules beside it do one part each.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .options import NormalizationOptions, TextOptions
from .pronunciations import Pronunciation, Pronunciations

if TYPE_CHECKING:
    from .sentences import Sentence, SentenceSplitter, split_sentences

__all__ = [
    "NormalizationOptions",
    "Pronunciation",
    "Pronunciations",
    "Sentence",
    "SentenceSplitter",
    "TextOptions",
    "split_sentences",
]

# Settings name the options; the libraries behind the rest load with the first text.
_LATER = frozenset({"Sentence", "SentenceSplitter", "split_sentences"})


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(".sentences", __name__), name)
    return value
