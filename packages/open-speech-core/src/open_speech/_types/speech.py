"""What a text-to-speech model is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .audio import Audio


@dataclass(frozen=True, kw_only=True)
class SpeechRequest:
    """One piece of text to speak. Core resolves the voice and checks capabilities beforehand."""

    text: str
    voice: str
    """An id of the model's voices (or, with ``voice_blend``, an expression over them)."""
    language: str | None = None
    """BCP-47; None means the voice's own."""
    speed: float = 1.0
    """1 is the voice's own pace, 2 is twice as fast (within ``ModelInfo.speeds``)."""
    pitch: float = 1.0
    """1 is the voice's own pitch (``Capability.PITCH``)."""
    instructions: str | None = None
    """How to speak (``Capability.INSTRUCTIONS``)."""
    reference: Audio | None = None
    """A recording of the voice to imitate (``Capability.VOICE_CLONE``)."""
    reference_text: str | None = None
    """Transcript of the recording."""
    seed: int | None = None
    """Makes sampling repeatable (``Capability.SEED``)."""
    word_timestamps: bool = False
    """Fill ``Audio.words`` (``Capability.WORD_TIMESTAMPS``)."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings of this engine alone."""


@dataclass(frozen=True, kw_only=True)
class PhonemesRequest:
    """A text to be spelt as a model would pronounce it."""

    text: str
    language: str | None = None
    """BCP-47; None means that of the model's default voice."""


@dataclass(frozen=True, kw_only=True)
class Phonemes:
    """Phonemes of one piece of a text; pieces follow one another."""

    text: str
    """As the model takes them in ``[word](/phonemes/)``, with spaces between words."""
