"""Conformance: a model that judges the end of a turn gives one probability."""

from __future__ import annotations

from .._operations import PREDICT_TURN_END
from .._plugins.backends import Model
from .._types.audio import Audio
from .._types.listening import TurnRequest
from .._types.models import Kind, ModelInfo
from ._suite import Suite
from .sound import noise, silence


class TurnChecks(Suite):
    """What ``predict_turn_end`` yields."""

    checked_kind = Kind.TURN

    def test_judges(self, info: ModelInfo, model: Model) -> None:
        """A recording gets a probability in [0, 1], the same each time."""
        sound = self.audio or noise(2.0, sample_rate=info.sample_rate)
        first, second = (self.judged(model, sound) for _ in range(2))
        assert abs(first - second) < 1e-3, f"{first:.3f} the first time, then {second:.3f}"

    def test_any_length_is_accepted(self, info: ModelInfo, model: Model) -> None:
        """Next to no sound, and much of it, is no error."""
        for seconds in (0.0, 0.1, 8.0, 30.0):
            self.judged(model, noise(seconds, sample_rate=info.sample_rate))

    def test_silence_is_accepted(self, info: ModelInfo, model: Model) -> None:
        """Digital silence is no error."""
        self.judged(model, silence(2.0, sample_rate=info.sample_rate))

    def test_tells_recordings_apart(self, info: ModelInfo, model: Model) -> None:
        """``audio`` is a finished turn, ``other_audio`` one that goes on, if there are such."""
        if self.audio is None or self.other_audio is None:
            return
        over, unfinished = self.judged(model, self.audio), self.judged(model, self.other_audio)
        assert unfinished < 0.5 <= over, f"{over:.2f} if finished, {unfinished:.2f} if not"

    def judged(self, model: Model, sound: Audio) -> float:
        """The answer, checked."""
        request = TurnRequest(audio=sound)
        (found,) = self.within(lambda: list(PREDICT_TURN_END.carry_out(model, request)))
        return found.probability
