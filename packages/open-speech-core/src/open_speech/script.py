"""What is spoken, in order: pieces of text, and pauses between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .audio import Word
from .models import ModelInfo
from .speech import SpeechRequest


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A stretch of a piece's text that stands for another stretch of the original text."""

    start: int
    """Where it begins in ``Piece.text``."""
    end: int
    """Where it ends there."""
    source_start: int
    """Where what it stands for begins in the original text."""
    source_end: int
    """Where that ends."""
    shown: str | None = None
    """What readers see in its place, where the original has markup (``&`` for ``&amp;``)."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of text that an engine speaks at once, under one setting."""

    text: str
    """As the engine gets it; with ``[word](/ipa/)`` only for ``Capability.PHONEMES``."""
    start: int = 0
    """Where it begins in the original text."""
    edits: tuple[Edit, ...] = ()
    """Where it differs from the original, ascending; between them both run side by side."""
    voice: str | None = None
    """Instead of the request's."""
    language: str | None = None
    """Instead of the request's."""
    speed: float = 1.0
    """Times the request's."""
    volume: float = 1.0
    """Factor on the samples."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Silence."""

    seconds: float


PrepareText = Callable[[SpeechRequest, ModelInfo], Sequence[Piece | Pause]]
"""From a request's text to what is spoken one after the other."""


def whole(request: SpeechRequest, _model: ModelInfo) -> Sequence[Piece | Pause]:
    """Leave the text in one piece."""
    return [Piece(text=request.text)]


def original_words(text: str, piece: Piece, words: Sequence[Word]) -> tuple[Word, ...]:  # noqa: ARG001
    """Turn an engine's words, which are those of the piece, into words of the original text."""
    return tuple(words)
