"""Conformance: a model that tells speakers apart does so for each recording on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from .._operations import DIARIZE, EMBED
from .._plugins.backends import DiarizationModel, Model
from .._types.audio import Audio
from .._types.models import Capability, Kind, ModelInfo
from .._types.speakers import (
    DiarizationRequest,
    EmbeddingRequest,
    SpeakerEmbedding,
    SpeakerTurn,
)
from ._suite import Suite, pieces_of, stop
from .sound import join, noise, silence, sine

_TIME_SLACK_S = 0.1
"""How far the times of two runs over the same recording may lie apart."""


class SpeakerChecks(Suite):
    """What ``diarize`` and ``embed`` yield."""

    checked_kind = Kind.DIARIZATION

    def test_diarizes(self, info: ModelInfo, model: Model) -> None:
        """What it yields keeps the contract, and finds the speakers of a recording, if given."""
        turns = self.turns(model, self.sound(info))
        if self.audio is None or self.speakers is None:
            return
        found = len({turn.speaker for turn in turns})
        assert found == self.speakers, f"{found} speakers, not {self.speakers}"

    def test_silence_has_no_speakers(self, info: ModelInfo, model: Model) -> None:
        """Nobody speaks in digital silence."""
        found = self.turns(model, silence(3.0, sample_rate=info.sample_rate))
        assert not found, f"a turn from {found[0].start:.2f} s to {found[0].end:.2f} s of silence"

    def test_any_length_is_accepted(self, info: ModelInfo, model: Model) -> None:
        """No sound at all, and next to none, is no error."""
        for seconds in (0.0, 0.05, 1.0):
            self.turns(model, noise(seconds, sample_rate=info.sample_rate))

    def test_chunks_make_no_difference(self, info: ModelInfo, model: Model) -> None:
        """The same recording in pieces of any length has the same turns."""
        sound = self.sound(info)
        whole = self.turns(model, sound)
        for size in (info.sample_rate // 5, 7_777):
            _same(self.turns(model, sound, size), whole)

    def test_no_more_speakers_than_asked(self, info: ModelInfo, model: Model) -> None:
        """With ``max_speakers`` of one, all turns are of one speaker."""
        self.turns(model, self.sound(info), request=DiarizationRequest(max_speakers=1))

    def test_recordings_do_not_mix(self, info: ModelInfo, model: Model) -> None:
        """Two recordings at the same time get what each gets alone."""
        rate = info.sample_rate
        sounds = [self.sound(info), silence(2.0, sample_rate=rate)][: info.sessions]
        alone = [self.turns(model, sound) for sound in sounds]

        def together() -> list[list[SpeakerTurn]]:
            # Each has a thread, as its session has at run time; small pieces make them alternate.
            with ThreadPoolExecutor(len(sounds)) as threads:
                pieces = [pieces_of(sound, rate // 10) for sound in sounds]
                found = threads.map(
                    lambda each: list(_diarize(model, DiarizationRequest(), iter(each))), pieces
                )
                return list(found)

        for got, expected in zip(self.within(together), alone, strict=True):
            _same(got, expected)

    def test_stopping_early_leaves_it_usable(self, info: ModelInfo, model: Model) -> None:
        """A generator that is closed before its end frees what it held."""
        before = self.turns(model, self.sound(info))

        def stop_early() -> None:
            pieces = iter(pieces_of(self.sound(info), info.sample_rate // 2))
            results = cast(DiarizationModel, model).diarize(DiarizationRequest(), pieces)
            next(results, None)
            stop(results)
            assert next(results, None) is None, "it went on after close()"

        self.within(stop_early)
        _same(self.turns(model, self.sound(info)), before)

    def test_embeds(self, info: ModelInfo, model: Model) -> None:
        """A voice gets a vector of length 1, the same each time, as long as that of any other."""
        self.need(Capability.EMBEDDING, info, model)
        sound = self.sound(info)
        first, second = (self.embedded(model, sound) for _ in range(2))
        assert first.similarity(second) > 1.0 - 1e-3, "another vector the second time"
        other = self.embedded(model, join(sound, noise(1.0, sample_rate=info.sample_rate)))
        assert len(other.vector) == len(first.vector)

    def test_a_voice_is_known_again(self, info: ModelInfo, model: Model) -> None:
        """Recordings of one speaker are alike by ``same_voice``, those of two are not."""
        self.need(Capability.EMBEDDING, info, model)
        if not self.voices:
            pytest.skip("set `voices` to have it checked")
        vectors = [[self.embedded(model, each) for each in pair] for pair in self.voices]
        least = self.known(info, model).same_voice
        for number, (first, second) in enumerate(vectors):
            alike = first.similarity(second)
            assert alike >= least, f"speaker {number}: {alike:.2f} with themselves"
            for other in (each for pair in vectors[number + 1 :] for each in pair):
                assert first.similarity(other) < least, f"speaker {number} is taken for another"

    def sound(self, info: ModelInfo) -> Audio:
        """The recording, or two tones between silence."""
        if self.audio is not None:
            return self.audio
        rate = info.sample_rate
        pause = silence(0.5, sample_rate=rate)
        high = sine(1.5, frequency=880.0, sample_rate=rate)
        return join(pause, sine(1.5, sample_rate=rate), pause, high, pause)

    def turns(
        self,
        model: Model,
        sound: Audio,
        size: int | None = None,
        request: DiarizationRequest | None = None,
    ) -> list[SpeakerTurn]:
        """Every turn that is found in a recording, checked."""
        pieces = pieces_of(sound, size or max(1, len(sound.samples)))
        asked = request or DiarizationRequest()
        return self.within(lambda: list(_diarize(model, asked, iter(pieces))))

    def embedded(self, model: Model, sound: Audio) -> SpeakerEmbedding:
        """The vector of a voice, checked."""
        request = EmbeddingRequest(audio=sound)
        (found,) = self.within(lambda: list(EMBED.carry_out(model, request)))
        return found


def _diarize(
    model: Model, request: DiarizationRequest, pieces: Iterator[Audio]
) -> Iterator[SpeakerTurn]:
    return DIARIZE.carry_out(model, request, pieces)


def _same(found: Sequence[SpeakerTurn], expected: Sequence[SpeakerTurn]) -> None:
    assert len(found) == len(expected), f"{len(found)} turns, then {len(expected)}"
    for one, other in zip(found, expected, strict=True):
        apart = max(abs(one.start - other.start), abs(one.end - other.end))
        assert apart <= _TIME_SLACK_S, f"turns {apart:.2f} s apart"
        assert one.speaker == other.speaker, "another speaker"
