"""Conformance: a speaking model yields sound, in order, and can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pytest

from .._operations import PHONEMIZE, SYNTHESIZE, Fed
from .._operations.synthesize import longest_speech
from .._operations.validation import MAX_RATE, MIN_RATE
from .._plugins.backends import Model, TTSModel
from .._types.audio import Audio
from .._types.models import Capability, Kind, ModelInfo
from .._types.speech import PhonemesRequest, SpeechRequest
from ..errors import InvalidResult
from ..voices.resolve import default_voice
from ._suite import Outcome, Suite, spread, stop
from .sound import join, sine

_MAX_RESULTS = 100_000
_QUIET = 1e-4
_OVERSHOOT = 1e-3
_NOTICED = 1.25
"""What a longer sound is of a shorter one, at the least."""


class SpeechChecks(Suite):
    """What ``synthesize`` yields."""

    checked_kind = Kind.TTS

    def test_speaks(self, info: ModelInfo, model: Model) -> None:
        """The default voice says the text without an error."""
        outcome = self.spoken(info, model)
        if outcome.error is not None:
            raise outcome.error
        assert outcome.items, "it yielded nothing"

    def test_speech_ends(self, info: ModelInfo, model: Model) -> None:
        """A short text does not go on for minutes."""
        assert not self.spoken(info, model).endless, "it does not end"

    def test_speech_is_audio(self, info: ModelInfo, model: Model) -> None:
        """Every result is an ``Audio``."""
        kinds = {type(item).__name__ for item in self.spoken(info, model).items}
        assert kinds <= {"Audio"}, f"it yields {sorted(kinds)}"

    def test_samples_are_mono_float32(self, info: ModelInfo, model: Model) -> None:
        """Samples are float32 arrays of one dimension."""
        for audio in self.chunks(info, model):
            samples: object = audio.samples
            assert isinstance(samples, np.ndarray), f"samples are a {type(samples).__name__}"
            assert samples.dtype == np.float32, f"samples are {samples.dtype}"
            assert samples.ndim == 1, f"samples are of shape {samples.shape}"

    def test_samples_are_finite(self, info: ModelInfo, model: Model) -> None:
        """No sample is infinite or not a number."""
        for samples in self.floats(info, model):
            assert np.isfinite(samples).all(), "some samples are not finite"

    def test_samples_are_in_range(self, info: ModelInfo, model: Model) -> None:
        """Samples lie in [-1, 1]."""
        for samples in self.floats(info, model):
            finite = np.abs(samples[np.isfinite(samples)])
            peak = float(finite.max()) if finite.size else 0.0
            assert peak <= 1.0 + _OVERSHOOT, f"a peak of {peak:g}: clip, or scale to [-1, 1]"

    def test_sample_rate_is_sane(self, info: ModelInfo, model: Model) -> None:
        """The sample rate is a whole number and stays the same."""
        rates = {audio.sample_rate for audio in self.chunks(info, model)}
        assert len(rates) <= 1, f"it changes: {sorted(map(str, rates))}"
        for rate in rates:
            assert type(rate) is int, f"it is {rate!r}"
            assert MIN_RATE <= rate <= MAX_RATE, f"it is {rate}"

    def test_speech_is_not_empty(self, info: ModelInfo, model: Model) -> None:
        """A text with words has a sound."""
        sizes = [np.size(audio.samples) for audio in self.chunks(info, model)]
        assert sum(sizes) > 0, "there are no samples"

    def test_speech_is_not_silent(self, info: ModelInfo, model: Model) -> None:
        """The sound is no silence."""
        if not self.audible:
            pytest.skip("`audible` is not set")
        floats = [samples[np.isfinite(samples)] for samples in self.floats(info, model)]
        peaks = [float(np.abs(samples).max()) for samples in floats if samples.size]
        assert not peaks or max(peaks) > _QUIET, f"the loudest sample is {max(peaks):g}"

    def test_speech_comes_in_stretches(self, info: ModelInfo, model: Model) -> None:
        """The first chunk comes before the last, where ``streams`` promises it."""
        if not self.streams:
            pytest.skip("`streams` is not set")
        assert len(self.valid(info, model)) > 1, "everything came at once"

    def test_stopping_early_leaves_it_usable(self, info: ModelInfo, model: Model) -> None:
        """A generator that is closed after one chunk frees what it held."""
        before = join(*self.valid(info, model)).seconds

        def stop_early() -> None:
            chunks = self.start(model, self.request(info, model))
            next(chunks)
            stop(chunks)
            assert next(chunks, None) is None, "it went on after close()"

        assert hasattr(self.start(model, self.request(info, model)), "close"), (
            "synthesize() must be a generator: it cannot be stopped"
        )
        self.within(stop_early)
        after = self.say(info, model).seconds
        assert spread(before, after) <= self.tolerance, (
            f"the same text took {before:.2f} s before and {after:.2f} s after a stopped request"
        )

    def test_requests_do_not_mix(self, info: ModelInfo, model: Model) -> None:
        """A second request, during the first or after it was left, gets its own speech only."""
        self.valid(info, model)
        texts = (self.text, self.other_text)
        alone = [self.say(info, model, text=text).seconds for text in texts]
        requests = [self.request(info, model, text=text) for text in texts]
        at_once = self.known(info, model).concurrency > 1
        mixed = self.within(
            lambda: _together(model, requests) if at_once else _after_another(model, requests)
        )
        for text, expected, got in zip(texts, alone, mixed, strict=True):
            assert got is None or spread(expected, got) <= self.tolerance, (
                f"{text!r} took {expected:.2f} s alone and {got:.2f} s beside another request"
            )

    def test_voices_speak(self, info: ModelInfo, model: Model) -> None:
        """The first few voices speak; each in its language, so a text of another may sound odd."""
        self.valid(info, model)
        for voice in self.known(info, model).voices[:3]:
            assert self.say(info, model, voice=voice.id).seconds > 0, f"{voice.id} is silent"

    def test_text_without_words_is_accepted(self, info: ModelInfo, model: Model) -> None:
        """Punctuation and emoji may be silent, but are no error."""
        self.valid(info, model)
        for text in ("...", "?!", "\N{GRINNING FACE}"):
            self.say(info, model, text=text)

    def test_speed_changes_the_pace(self, info: ModelInfo, model: Model) -> None:
        """Faster speech is shorter, slower speech is longer, between the speeds declared."""
        slowest, fastest = self.known(info, model).speeds
        if fastest < slowest * _NOTICED:
            pytest.skip(f"speeds from {slowest:g} to {fastest:g} are declared")
        self.valid(info, model)
        fast, slow = (self.say(info, model, speed=each).seconds for each in (fastest, slowest))
        assert fast * _NOTICED < slow, (
            f"speed {fastest:g} takes {fast:.2f} s, speed {slowest:g} takes {slow:.2f} s"
        )

    def test_pitch_changes_the_sound(self, info: ModelInfo, model: Model) -> None:
        """Higher speech sounds different."""
        self.need(Capability.PITCH, info, model)
        self.valid(info, model)
        low, high = (self.say(info, model, pitch=pitch) for pitch in (0.8, 1.25))
        assert not np.array_equal(low.samples, high.samples), "pitch changes nothing"

    def test_seed_repeats_the_sound(self, info: ModelInfo, model: Model) -> None:
        """The same seed gives the same sound."""
        self.need(Capability.SEED, info, model)
        self.valid(info, model)
        first, second = (self.say(info, model, seed=7).samples for _ in range(2))
        alike = first.shape == second.shape and np.allclose(first, second, atol=1e-3)
        assert alike, "seed 7 sounds different the second time"

    def test_words_have_times(self, info: ModelInfo, model: Model) -> None:
        """Word times are there, ordered, and within the sound."""
        self.need(Capability.WORD_TIMESTAMPS, info, model)
        self.valid(info, model)
        start, latest, words = 0.0, 0.0, 0
        chunks = self.hear_out(model, self.request(info, model, word_timestamps=True))
        total = sum(audio.seconds for audio in chunks)
        for audio in chunks:
            for word in audio.words:
                assert start + word.start >= latest, f"{word.text!r} comes before the last word"
                assert start + word.end <= total + self.time_tolerance_s, f"{word.text!r} is late"
                latest = start + word.start
                words += 1
            start += audio.seconds
        assert words, "no words came with the sound"

    def test_voice_clone_speaks(self, info: ModelInfo, model: Model) -> None:
        """A recording can be imitated."""
        self.need(Capability.VOICE_CLONE, info, model)
        self.valid(info, model)
        reference = self.reference or sine(3.0, sample_rate=24_000)
        text = self.reference_text
        assert self.say(info, model, reference=reference, reference_text=text).seconds > 0

    def test_instructions_are_taken(self, info: ModelInfo, model: Model) -> None:
        """A description of how to speak is no error."""
        self.need(Capability.INSTRUCTIONS, info, model)
        self.valid(info, model)
        assert self.say(info, model, instructions="Speak quietly and calmly.").seconds > 0

    def test_voice_blend_speaks(self, info: ModelInfo, model: Model) -> None:
        """A mix of voices speaks."""
        self.need(Capability.VOICE_BLEND, info, model)
        self.valid(info, model)
        if self.blend is None:
            pytest.skip("set `blend` to a voice expression")
        assert self.say(info, model, voice=self.blend).seconds > 0

    def test_phonemes_are_taken(self, info: ModelInfo, model: Model) -> None:
        """Pronunciations in the text are no error."""
        self.need(Capability.PHONEMES, info, model)
        self.valid(info, model)
        if self.phoneme_text is None:
            pytest.skip("set `phoneme_text` to a text with pronunciations")
        assert self.say(info, model, text=self.phoneme_text).seconds > 0

    def test_phonemes_are_told(self, info: ModelInfo, model: Model) -> None:
        """The phonemes of a text come as text, more for more text."""
        self.need(Capability.PHONEMIZATION, info, model)
        self.valid(info, model)
        told = []
        for text in (self.text, f"{self.text} {self.text}"):
            asked = PhonemesRequest(text=text, language=self.language)
            told.append("".join(each.text for each in PHONEMIZE.carry_out(model, asked)))
        assert 0 < len(told[0]) < len(told[1])

    def request(self, info: ModelInfo, model: Model, **changes: Any) -> SpeechRequest:
        """The default request, changed."""
        voice = default_voice(self.known(info, model))
        plain = {"text": self.text, "voice": voice, "language": self.language}
        return SpeechRequest(**{**plain, **changes})

    def start(self, model: Model, request: SpeechRequest) -> Iterator[Audio | None]:
        """Begin to speak."""
        return cast(TTSModel, model).synthesize(request)

    def spoken(self, info: ModelInfo, model: Model) -> Outcome:
        """What the default request led to; asked once."""
        outcomes = self._state.outcomes
        if "speech" not in outcomes:
            request = self.request(info, model)
            longest = longest_speech(request)

            def share(item: object) -> float:
                seconds = 0.0
                if isinstance(item, Audio) and isinstance(item.sample_rate, int):
                    seconds = np.size(item.samples) / max(item.sample_rate, MIN_RATE)
                return max(seconds / longest, 1 / _MAX_RESULTS)

            outcomes["speech"] = self.collect(lambda: self.start(model, request), share)
        return outcomes["speech"]

    def chunks(self, info: ModelInfo, model: Model) -> list[Audio]:
        """The chunks of the default request; skips where it failed or yielded others."""
        outcome = self.spoken(info, model)
        if outcome.error is not None or not outcome.items:
            pytest.skip("the model does not speak: see test_speaks")
        if not all(isinstance(item, Audio) for item in outcome.items):
            pytest.skip("it yields something else: see test_speech_is_audio")
        return cast(list[Audio], outcome.items)

    def floats(self, info: ModelInfo, model: Model) -> Iterator[np.ndarray[Any, Any]]:
        """The samples of the default request, as far as they are floating point arrays."""
        for audio in self.chunks(info, model):
            samples: object = audio.samples
            if isinstance(samples, np.ndarray) and samples.dtype.kind == "f":
                yield samples

    def valid(self, info: ModelInfo, model: Model) -> list[Audio]:
        """The default request's chunks; skips where they break the contract."""
        chunks, outcome = self.chunks(info, model), self.spoken(info, model)
        if outcome.endless:
            pytest.skip("speech does not end: see test_speech_ends")
        try:
            request = self.request(info, model)
            checked = list(SYNTHESIZE.checked(request, chunks, Fed(iter(()))))
        except InvalidResult as error:
            pytest.skip(f"its speech is not valid: {error.message}")
        if not any(len(audio.samples) for audio in checked):
            pytest.skip("its speech is empty: see test_speech_is_not_empty")
        return checked

    def hear_out(self, model: Model, request: SpeechRequest) -> list[Audio]:
        """Speak, with the checks that core makes at run time."""
        return self.within(lambda: list(SYNTHESIZE.carry_out(model, request)))

    def say(self, info: ModelInfo, model: Model, **changes: Any) -> Audio:
        """Speak a changed request; an empty chunk where nothing came."""
        chunks = self.hear_out(model, self.request(info, model, **changes))
        return join(*chunks) if chunks else sine(0.0)


def _after_another(model: Model, requests: Sequence[SpeechRequest]) -> list[float | None]:
    """Leave the first request after one chunk, then hear the second; the first gets None."""
    speak = cast(TTSModel, model).synthesize
    first = speak(requests[0])
    next(first, None)
    stop(first)
    return [None, sum(audio.seconds for audio in filter(None, speak(requests[1])))]


def _together(model: Model, requests: Sequence[SpeechRequest]) -> list[float | None]:
    """Hear both at once, chunk by chunk in turn, each on a thread of its own."""
    turns = threading.Barrier(len(requests))
    seconds: list[float | None] = [0.0] * len(requests)
    errors: list[BaseException] = []

    def hear(index: int) -> None:
        total = 0.0
        try:
            for audio in filter(None, cast(TTSModel, model).synthesize(requests[index])):
                total += audio.seconds
                try:
                    turns.wait()
                except threading.BrokenBarrierError:
                    continue  # the other one is done
            seconds[index] = total
        except BaseException as error:
            errors.append(error)
        finally:
            turns.abort()

    threads = [threading.Thread(target=hear, args=(i,), daemon=True) for i in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return seconds
