"""What models are asked and yield that tell who speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .audio import Audio


@dataclass(frozen=True, kw_only=True)
class DiarizationRequest:
    """How to diarize a recording, which is fed at the model's sample rate."""

    min_speakers: int | None = None
    """At least so many speak; a hint, as a recording may hold fewer."""
    max_speakers: int | None = None
    """At most so many speak; with the same ``min_speakers``, exactly so many."""
    speech: tuple[tuple[float, float], ...] | None = None
    """Where somebody speaks: start and end in seconds, in order. Filled by core for models that
    declare ``Capability.SPEECH_SPANS``; None where nothing installed detects voice activity."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings of this engine alone."""


@dataclass(frozen=True, kw_only=True)
class SpeakerTurn:
    """A stretch in which one speaker speaks; turns of different speakers may overlap."""

    start: float
    """Seconds from the start of the recording."""
    end: float
    speaker: int
    """From 0, the same for the same voice throughout the recording."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingRequest:
    """A voice to describe: a recording of one speaker, at the model's rate."""

    audio: Audio
    """A recording too short to tell a voice by is an ``InvalidRequest``."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings of this engine alone."""


@dataclass(frozen=True, kw_only=True)
class SpeakerEmbedding:
    """A voice as a point on the unit sphere: the closer two of one model, the more alike."""

    vector: tuple[float, ...]
    """Its length is 1, by the Euclidean norm; as many numbers for every voice."""

    def similarity(self, other: SpeakerEmbedding) -> float:
        """Cosine similarity with the vector of another voice by the same model, in [-1, 1]."""
        return sum(a * b for a, b in zip(self.vector, other.vector, strict=True))
