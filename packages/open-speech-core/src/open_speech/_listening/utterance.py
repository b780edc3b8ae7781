"""One utterance on its way to its text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._types.audio import Word
from .._types.transcription import Segment, TranscriptionRequest, join_texts
from .stable_text import StableText

TAIL_S = 0.2
"""Silence behind the last word that the engine is given: one that ends abruptly is misheard."""


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """What an engine made of the sound of an utterance up to a time."""

    end: float
    segments: tuple[Segment, ...] = ()
    """With times of the session."""
    language: str | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return join_texts(segment.text for segment in self.segments)

    @property
    def confidence(self) -> float | None:
        """How sure the engine is, in [0, 1]: of its words, else of its tokens on average."""
        words = [word for segment in self.segments for word in segment.words]
        sure = [word.probability for word in words if word.probability is not None]
        if sure:
            return _bounded(sum(sure) / len(sure))
        known = [each for each in self.segments if each.avg_logprob]
        length = sum(each.end - each.start for each in known)
        if length <= 0.0:
            return None
        weighted = sum(math.exp(each.avg_logprob) * (each.end - each.start) for each in known)
        return _bounded(weighted / length)


@dataclass(eq=False, kw_only=True)
class Utterance:
    """Sound that is understood as one, and what is known of it. Part of a turn, or all of it."""

    number: int
    turn: int
    how: TranscriptionRequest
    """As it was asked for when it began."""
    start: float
    speech_end: float | None = None
    """Where the latest pause in it began; None while somebody speaks."""
    end: float | None = None
    """Where it ended; None while it goes on."""
    settles_until: float = math.inf
    """Text of sound beyond this is not called stable: the utterance may be cut before it."""
    decoding: Decoding | None = None
    """The latest."""
    text: StableText = field(default_factory=StableText)
    dropped: bool = False
    """Forgotten: nobody wants its text."""

    def is_covered(self) -> bool:
        """Whether the latest decoding has heard all of the speech up to the pause or the end.

        And nothing beyond: an utterance that is cut ends before what was heard of it.
        """
        if self.decoding is None:
            return False
        needed = most = self.end if self.end is not None else math.inf
        if self.speech_end is not None:
            needed = min(needed, self.speech_end)
            most = max(most, self.speech_end + TAIL_S)
        return needed - 1e-6 <= self.decoding.end <= most + 1e-6


def within(segments: Sequence[Segment], limit: float) -> tuple[Segment, ...]:
    """Segments with no time beyond a limit."""
    return tuple(segment.within(limit) for segment in segments)


def words_of(segments: Sequence[Segment]) -> tuple[Word, ...]:
    """Every word, in order."""
    return tuple(word for segment in segments for word in segment.words)


def _bounded(value: float) -> float:
    return min(max(value, 0.0), 1.0)
