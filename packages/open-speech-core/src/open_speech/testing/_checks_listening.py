"""Conformance: a model that listens gives text while the sound comes in, and after each flush."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from .._operations import LISTEN
from .._plugins.backends import Model
from .._types.audio import Audio
from .._types.listening import Flush, Flushed
from .._types.models import Capability, Kind, ModelInfo
from .._types.transcription import Segment, TranscriptionRequest
from ._suite import Suite
from .sound import noise


class ListeningChecks(Suite):
    """What ``listen`` yields, where ``LISTENING`` is declared."""

    checked_kind = Kind.STT

    def test_listens(self, info: ModelInfo, model: Model) -> None:
        """Each flush is answered, once, behind the segments of what came before it."""
        events = self.events(info, model, [*self.pieces(info), Flush()] * 2)
        assert sum(isinstance(each, Flushed) for each in events) == 2, "a flush has no answer"
        assert isinstance(events[-1], Flushed), f"{type(events[-1]).__name__} comes behind it"

    def test_times_are_of_the_whole(self, info: ModelInfo, model: Model) -> None:
        """Times of a second utterance go on from the first."""
        events = self.events(info, model, [*self.pieces(info), Flush()] * 2)
        place = next(i for i, each in enumerate(events) if isinstance(each, Flushed))
        second = [each for each in events[place:] if isinstance(each, Segment)]
        if not second:
            pytest.skip("nothing was understood in the second utterance")
        earliest = self.length(info) - self.time_tolerance_s
        assert second[0].start >= earliest, f"it begins at {second[0].start:.2f} s"

    def test_listening_hears_the_words(self, info: ModelInfo, model: Model) -> None:
        """The expected words are understood."""
        events = self.events(info, model, [*self.pieces(info), Flush()])
        text = " ".join(each.text for each in events if isinstance(each, Segment)).casefold()
        missing = [word for word in self.expected_words if word.casefold() not in text]
        assert not missing, f"{missing} is not in {text!r}"

    def test_a_flush_without_sound_is_answered(self, info: ModelInfo, model: Model) -> None:
        """An utterance of nothing is no error."""
        events = self.events(info, model, [Flush()])
        assert isinstance(events[-1], Flushed), "the last event does not answer the flush"

    def pieces(self, info: ModelInfo) -> list[Audio]:
        """The recording, or noise, in tenths of a second."""
        sound = self.audio or noise(2.0, sample_rate=info.sample_rate)
        size = info.sample_rate // 10
        return [
            Audio(samples=sound.samples[first : first + size], sample_rate=info.sample_rate)
            for first in range(0, len(sound.samples), size)
        ]

    def length(self, info: ModelInfo) -> float:
        """Seconds of the sound."""
        return sum(piece.seconds for piece in self.pieces(info))

    def events(self, info: ModelInfo, model: Model, fed: Sequence[Audio | Flush]) -> list[Any]:
        """Everything that comes of what is fed, checked."""
        self.need(Capability.LISTENING, info, model)
        request = TranscriptionRequest(language=self.language)

        def run() -> list[Any]:
            source: Iterator[Audio | Flush] = iter(fed)
            return list(LISTEN.carry_out(model, request, source))

        return self.within(run)
