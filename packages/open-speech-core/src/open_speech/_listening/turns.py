"""When somebody speaks, from the probabilities of a model, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from .events import TurnDetection

ONSET_S = 0.06
"""Speech that begins a turn; shorter sounds are clicks."""
_HYSTERESIS = 0.15
"""So much below the threshold a frame still counts as speech once there is some."""


class Change(Enum):
    """What a frame changed."""

    STARTED = auto()
    RESUMED = auto()
    """Speech again, before the turn was over."""
    PAUSED = auto()
    """The first frame of silence that is long enough to be worth a look."""
    SILENT = auto()
    """One more frame of that silence."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A change, and when it was."""

    change: Change
    at: float
    """STARTED, RESUMED: where the speech begins. PAUSED, SILENT: the end of the frame."""


class SpeechTracker:
    """Follows one session. Not for several threads at once; costs next to nothing."""

    def __init__(self, turns: TurnDetection, pause_s: float = 0.1) -> None:
        self.turns = turns
        self.pause_s = pause_s
        """Silence that is worth a look; may be changed at any time."""
        self.speech_end = 0.0
        """Where the last frame of speech ended."""
        self.position = 0.0
        """How far the sound was judged."""
        self.speaking = False
        self.paused = False
        self._onset: float | None = None
        """Where the speech began that is too short so far."""

    @property
    def silence_s(self) -> float:
        """How long nobody has spoken."""
        return self.position - self.speech_end

    def hear(self, start: float, end: float, probability: float) -> Moment | None:
        """Take the next frame; say what it changed."""
        self.position = end
        return self._heard(start) if probability >= self._limit() else self._silent()

    def reset(self) -> None:
        """Wait for speech anew."""
        self.speaking = self.paused = False
        self._onset = None

    def _limit(self) -> float:
        threshold = self.turns.threshold
        under_way = self._onset is not None or (self.speaking and not self.paused)
        return max(threshold - _HYSTERESIS, 0.01) if under_way else threshold

    def _heard(self, start: float) -> Moment | None:
        if self.speaking and not self.paused:
            self.speech_end = self.position
            return None
        if self._onset is None:
            self._onset = start
        if self.position - self._onset < ONSET_S:
            return None
        change = Change.RESUMED if self.speaking else Change.STARTED
        moment = Moment(change=change, at=self._onset)
        self.speaking, self.paused, self._onset = True, False, None
        self.speech_end = self.position
        return moment

    def _silent(self) -> Moment | None:
        self._onset = None
        if not self.speaking:
            return None
        if self.paused:
            return Moment(change=Change.SILENT, at=self.position)
        if self.silence_s < self.pause_s - 1e-6:
            return None
        self.paused = True
        return Moment(change=Change.PAUSED, at=self.position)
