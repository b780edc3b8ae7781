"""What models are asked and yield that hear sound while it comes in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .audio import Audio
from .transcription import DetectedLanguage, Partial, Segment


@dataclass(frozen=True, kw_only=True)
class DetectionRequest:
    """Sound in which speech is to be detected while it comes in, at the model's rate."""

    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings of this engine alone."""


@dataclass(frozen=True, kw_only=True)
class SpeechActivity:
    """How likely somebody speaks, in frames of equal length that follow one another."""

    start: float
    """Where the first frame begins, in seconds from the start of the sound."""
    frame_s: float
    """How long each frame is, in seconds."""
    probabilities: tuple[float, ...]
    """One per frame, in [0, 1]."""

    @property
    def end(self) -> float:
        """Where the last frame ends."""
        return self.start + self.frame_s * len(self.probabilities)

    def frames(self) -> Iterator[tuple[float, float, float]]:
        """Each frame: where it begins, where it ends, its probability."""
        for index, probability in enumerate(self.probabilities):
            start = self.start + index * self.frame_s
            yield start, start + self.frame_s, probability


@dataclass(frozen=True, kw_only=True)
class TurnRequest:
    """Speech that has just paused, at the model's rate."""

    audio: Audio
    """The latest seconds of it, with the beginning of the pause at their end."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings of this engine alone."""


@dataclass(frozen=True, kw_only=True)
class TurnEnd:
    """How likely the speaker has finished."""

    probability: float
    """In [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class Flush:
    """Fed to ``STTModel.listen``: what was fed so far is all of an utterance."""


@dataclass(frozen=True, kw_only=True)
class Flushed:
    """Yielded by ``STTModel.listen``: the segments of an utterance are all there.

    Owed after each ``Flush``.
    """

    unasked: bool = False
    """No answer to a ``Flush``: the engine itself found the end of an utterance."""


ListeningEvent = DetectedLanguage | Partial | Segment | Flushed
"""What ``STTModel.listen`` yields."""
