"""Text on its way to speech, made ready for an engine (extra ``[text]``)."""

from .options import NormalizationOptions, TextOptions
from .prepare import prepare
from .pronunciations import Pronunciation, Pronunciations
from .sentences import Sentence, SentenceSplitter, split_sentences

__all__ = [
    "NormalizationOptions",
    "Pronunciation",
    "Pronunciations",
    "Sentence",
    "SentenceSplitter",
    "TextOptions",
    "prepare",
    "split_sentences",
]
