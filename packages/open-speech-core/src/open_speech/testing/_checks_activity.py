"""Conformance: a model that detects voice activity judges every frame, each sound on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np

from .._operations import DETECT
from .._plugins.backends import Model, VADModel
from .._types.audio import Audio
from .._types.listening import DetectionRequest, SpeechActivity
from .._types.models import Kind, ModelInfo
from ._suite import Suite, pieces_of, stop
from .sound import silence

_SLACK_S = 1.0
"""What may be left unjudged at the end of a sound."""


class ActivityChecks(Suite):
    """What ``detect`` yields."""

    checked_kind = Kind.VAD

    def test_detects(self, info: ModelInfo, model: Model) -> None:
        """What it yields keeps the contract: frames that follow one another, probabilities."""
        assert self.detected(model, self.sound(info)), "it yielded nothing"

    def test_every_frame_is_judged(self, info: ModelInfo, model: Model) -> None:
        """The last frame ends where the sound does, but for a rest."""
        sound = self.sound(info)
        end = self.detected(model, sound)[-1].end
        assert sound.seconds - _SLACK_S < end <= sound.seconds + 1e-6, f"it ends at {end:.2f} s"

    def test_chunks_make_no_difference(self, info: ModelInfo, model: Model) -> None:
        """The same sound in pieces of any length gets the same probabilities."""
        sound = self.sound(info)
        whole = _values(self.detected(model, sound))
        for size in (info.sample_rate // 50, 777):
            pieces = _values(self.detected(model, sound, size))
            np.testing.assert_allclose(pieces, whole[: len(pieces)], atol=1e-3)

    def test_silence_is_no_speech(self, info: ModelInfo, model: Model) -> None:
        """Digital silence is judged below one half."""
        values = _values(self.detected(model, silence(2.0, sample_rate=info.sample_rate)))
        assert max(values, default=0.0) < 0.5, f"silence is speech by {max(values):.2f}"

    def test_speech_is_told_from_silence(self, info: ModelInfo, model: Model) -> None:
        """The recording is speech somewhere, if there is one."""
        if self.audio is None:
            return
        values = _values(self.detected(model, self.audio))
        assert max(values) > 0.5, f"at most {max(values):.2f}"

    def test_sounds_do_not_mix(self, info: ModelInfo, model: Model) -> None:
        """Two sounds at the same time get what each gets alone."""
        sounds = [self.sound(info), silence(2.0, sample_rate=info.sample_rate)]
        alone = [_values(self.detected(model, sound)) for sound in sounds]

        def together() -> list[list[float]]:
            # Each has a thread, as its session has at run time; small pieces make them alternate.
            with ThreadPoolExecutor(len(sounds)) as threads:
                pieces = [pieces_of(sound, info.sample_rate // 50) for sound in sounds]
                found = threads.map(lambda each: list(_detect(model, iter(each))), pieces)
                return [_values(each) for each in found]

        for got, expected in zip(self.within(together), alone, strict=True):
            np.testing.assert_allclose(got, expected[: len(got)], atol=1e-3)

    def test_stopping_early_leaves_it_usable(self, info: ModelInfo, model: Model) -> None:
        """A generator that is closed after one result frees what it held."""
        before = _values(self.detected(model, self.sound(info)))

        def stop_early() -> None:
            pieces = iter(pieces_of(self.sound(info), info.sample_rate // 2))
            results = cast(VADModel, model).detect(DetectionRequest(), pieces)
            next(results)
            stop(results)
            assert next(results, None) is None, "it went on after close()"

        self.within(stop_early)
        after = _values(self.detected(model, self.sound(info)))
        np.testing.assert_allclose(after, before, atol=1e-3)

    def sound(self, info: ModelInfo) -> Audio:
        """The recording, or two seconds of a tone between silence."""
        if self.audio is not None:
            return self.audio
        from .sound import join, sine

        rate = info.sample_rate
        pause = silence(0.5, sample_rate=rate)
        return join(pause, sine(1.0, sample_rate=rate), pause)

    def detected(self, model: Model, sound: Audio, size: int | None = None) -> list[SpeechActivity]:
        """Everything that is found in a sound, checked."""
        pieces = pieces_of(sound, size or len(sound.samples))
        return self.within(lambda: list(_detect(model, iter(pieces))))


def _detect(model: Model, pieces: Iterator[Audio]) -> Iterator[SpeechActivity]:
    return DETECT.carry_out(model, DetectionRequest(), pieces)


def _values(found: Sequence[SpeechActivity]) -> list[float]:
    return [value for each in found for value in each.probabilities]
