"""What goes into a live session, and what comes out of it. Times are seconds of its sound."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .._types.audio import Audio
from .._types.transcription import Segment, TranscriptionRequest
from ..errors import OpenSpeechError


@dataclass(frozen=True, kw_only=True)
class TurnDetection:
    """How a turn is told from what lies around it."""

    threshold: float = 0.5
    """Probability in [0, 1] from which a frame counts as speech."""
    silence_s: float = 0.5
    """Silence that ends a turn."""
    padding_s: float = 0.3
    """Sound before the first speech that belongs to the turn."""
    longest_pause_s: float | None = None
    """Where a model judges the end of a turn, a pause that it takes for none ends the turn after
    so long; None leaves it to ``silence_s`` alone."""


@dataclass(frozen=True, kw_only=True)
class ListenRequest:
    """How a live session is to be understood."""

    how: TranscriptionRequest = field(default_factory=TranscriptionRequest)
    """Its own ``audio`` is not looked at."""
    turns: TurnDetection | None = field(default_factory=TurnDetection)
    """None: a turn ends where ``Commit`` says so, and nowhere else."""
    interim_s: float | None = 1.0
    """Sound between two interim results; None for final text only."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """What was heard so far is a whole turn."""


@dataclass(frozen=True, kw_only=True)
class Clear:
    """What was heard since the last turn is to be forgotten."""


ListenInput = Audio | Commit | Clear | ListenRequest
"""Sound of any rate, or what is to be done from here on."""


class TurnEndReason(StrEnum):
    """Why a turn ended."""

    PAUSE = "pause"
    """Silence of ``TurnDetection.silence_s``, or a pause that a model took for the end."""
    COMMIT = "commit"
    END = "end"
    """The sound ended."""


@dataclass(frozen=True, kw_only=True)
class TurnStarted:
    """Somebody began to speak; without turn detection: sound came in."""

    turn: int
    """Counts from 0."""
    start: float
    """Padding included."""


@dataclass(frozen=True, kw_only=True)
class InterimText:
    """What an utterance sounds like so far. Long turns consist of several utterances."""

    turn: int
    utterance: int
    """Counts from 0, over all turns."""
    start: float
    end: float
    """How far the sound was understood."""
    stable: str
    """Will not change any more, of this utterance."""
    delta: str
    """What of it is new, with the space before it. All deltas of a turn, those of final text
    included, are the text of the turn."""
    unstable: str
    """Follows the stable text, and may change."""
    confidence: float | None = None
    """In [0, 1], where the model knows it."""


@dataclass(frozen=True, kw_only=True)
class FinalText:
    """An utterance, understood."""

    turn: int
    utterance: int
    start: float
    end: float
    text: str
    """May be empty."""
    delta: str
    """What of it was not stable before, with the space before it."""
    segments: tuple[Segment, ...] = ()
    """As the engine heard them at last, with times of the session. Their text differs from
    ``text`` where a word turned out to be another one after it was called stable."""
    language: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class TurnEnded:
    """A turn is over; its text is under way."""

    turn: int
    start: float
    end: float
    """Silence included."""
    reason: TurnEndReason


@dataclass(frozen=True, kw_only=True)
class TurnText:
    """The whole text of a turn that has ended, or why there is none."""

    turn: int
    start: float
    end: float
    text: str
    segments: tuple[Segment, ...] = ()
    language: str | None = None
    confidence: float | None = None
    error: OpenSpeechError | None = None
    """What went wrong with a part of it; ``text`` is the rest."""


@dataclass(frozen=True, kw_only=True)
class NothingToCommit:
    """There was no sound to make a turn of."""


ListenEvent = TurnStarted | InterimText | FinalText | TurnEnded | TurnText | NothingToCommit
"""What a live session yields."""
