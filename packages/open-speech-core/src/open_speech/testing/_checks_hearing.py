"""Conformance: a listening model yields text in order, with times, and can be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeVar, cast

import numpy as np
import pytest

from .._operations import ALIGN, TRANSCRIBE
from .._operations.transcribe import MAX_EVENTS, in_order
from .._plugins.backends import Model, STTModel
from .._types.audio import Audio, Word
from .._types.models import Capability, Kind, ModelInfo
from .._types.transcription import (
    AlignmentRequest,
    DetectedLanguage,
    Partial,
    Segment,
    Task,
    TranscriptionEvent,
    TranscriptionRequest,
    VoiceActivity,
)
from ..errors import InvalidRequest, InvalidResult
from ._suite import Outcome, Suite, stop
from .sound import join, noise, silence

E = TypeVar("E")


class HearingChecks(Suite):
    """What ``transcribe`` yields."""

    checked_kind = Kind.STT

    def test_understands(self, info: ModelInfo, model: Model) -> None:
        """The audio is understood without an error."""
        outcome = self.heard(info, model)
        if outcome.error is not None:
            raise outcome.error

    def test_understanding_ends(self, info: ModelInfo, model: Model) -> None:
        """There are not more results than the audio can hold."""
        assert not self.heard(info, model).endless, "it does not end"

    def test_results_are_events(self, info: ModelInfo, model: Model) -> None:
        """Every result is a language, a partial or a segment."""
        odd = {
            type(item).__name__
            for item in self.heard(info, model).items
            if not isinstance(item, (DetectedLanguage, Partial, Segment))
        }
        assert not odd, f"it yields {sorted(odd)}"

    def test_texts_are_text(self, info: ModelInfo, model: Model) -> None:
        """Texts are Unicode without lone surrogates."""
        for segment in self.heard_of(Segment, info, model):
            texts: list[object] = [segment.text, *(word.text for word in segment.words)]
            for text in texts:
                assert isinstance(text, str), f"a text is a {type(text).__name__}"
                text.encode()

    def test_language_comes_first(self, info: ModelInfo, model: Model) -> None:
        """The language comes at most once, before everything else."""
        items = self.heard(info, model).items
        places = [i for i, item in enumerate(items) if isinstance(item, DetectedLanguage)]
        assert places in ([], [0]), f"languages came at {places} of {len(items)} results"

    def test_no_partials_unasked(self, info: ModelInfo, model: Model) -> None:
        """Unfinished text comes only when asked for."""
        assert not self.heard_of(Partial, info, model), "partials came unasked"

    def test_segments_are_in_order(self, info: ModelInfo, model: Model) -> None:
        """No segment starts before the previous one."""
        for before, after in pairwise(self.heard_of(Segment, info, model)):
            assert not after.start < before.start, f"{after.start} s comes after {before.start} s"

    def test_segments_run_forward(self, info: ModelInfo, model: Model) -> None:
        """No segment ends before it starts."""
        for segment in self.heard_of(Segment, info, model):
            assert not segment.end < segment.start, f"from {segment.start} s to {segment.end} s"

    def test_times_are_within_the_audio(self, info: ModelInfo, model: Model) -> None:
        """Times are finite seconds between the start and the end of the audio."""
        latest = self.sound(info).seconds + self.time_tolerance_s
        for segment in self.heard_of(Segment, info, model):
            for time in (segment.start, segment.end):
                assert 0.0 <= time <= latest, f"{time} s in {latest:.2f} s of audio"

    def test_hears_the_words(self, info: ModelInfo, model: Model) -> None:
        """The expected words are understood."""
        if not self.expected_words:
            pytest.skip("set `audio` and `expected_words`")
        text = " ".join(segment.text for segment in self.valid_segments(info, model)).casefold()
        missing = [word for word in self.expected_words if word.casefold() not in text]
        assert not missing, f"{missing} is not in {text!r}"

    def test_silence_is_accepted(self, info: ModelInfo, model: Model) -> None:
        """Silence may give no text, but is no error."""
        self.valid_segments(info, model)
        self.listen(info, model, audio=silence(1.0, sample_rate=info.sample_rate))

    @pytest.mark.parametrize("samples", [0, 1, 100])
    def test_short_audio_is_accepted(self, info: ModelInfo, model: Model, samples: int) -> None:
        """Next to no audio may give no text, but is no error."""
        self.valid_segments(info, model)
        short = Audio(samples=np.zeros(samples, np.float32), sample_rate=info.sample_rate)
        self.listen(info, model, audio=short)

    def test_stopping_early_leaves_it_usable(self, info: ModelInfo, model: Model) -> None:
        """A generator that is closed after one result frees what it held."""
        before = _texts(self.valid_segments(info, model))
        assert hasattr(self.start(model, self.request(info)), "close"), (
            "transcribe() must be a generator: it cannot be stopped"
        )

        def stop_early() -> None:
            events = self.start(model, self.request(info))
            next(events, None)
            stop(events)

        self.within(stop_early)
        after = _texts(_of(Segment, self.listen(info, model)))
        assert before == after, f"it heard {before} before and {after} after a stopped request"

    def test_requests_do_not_mix(self, info: ModelInfo, model: Model) -> None:
        """A second recording, after the first was left, is understood as it is alone."""
        self.valid_segments(info, model)
        other = self.other_audio or silence(1.0, sample_rate=info.sample_rate)
        alone = _texts(_of(Segment, self.listen(info, model, audio=other)))

        def leave_first() -> None:
            events = self.start(model, self.request(info))
            next(events, None)
            stop(events)

        self.within(leave_first)
        second = _texts(_of(Segment, self.listen(info, model, audio=other)))
        assert alone == second, f"it heard {alone} alone and {second} after another request"

    def test_words_have_times(self, info: ModelInfo, model: Model) -> None:
        """Word times are there, ordered, and within their segment."""
        self.need(Capability.WORD_TIMESTAMPS, info, model)
        self.valid_segments(info, model)
        slack = self.time_tolerance_s
        for segment in _of(Segment, self.listen(info, model, word_timestamps=True)):
            assert segment.words or not segment.text.strip(), f"no words in {segment.text!r}"
            for word in segment.words:
                where = f"{word.text!r} ({word.start} s to {word.end} s)"
                assert word.start <= word.end, f"{where} ends before it starts"
                assert segment.start - slack <= word.start, f"{where} is before its segment"
                assert word.end <= segment.end + slack, f"{where} is after its segment"
            for first, second in pairwise(segment.words):
                assert first.start <= second.start, f"{second.text!r} comes before {first.text!r}"

    def test_language_is_detected(self, info: ModelInfo, model: Model) -> None:
        """Without a language in the request, one is found and told."""
        self.need(Capability.LANGUAGE_DETECTION, info, model)
        self.valid_segments(info, model)
        found = _of(DetectedLanguage, self.listen(info, model, language=None))
        assert [event.language for event in found if event.language], "no language was told"
        probability = found[0].probability
        assert probability is None or 0.0 <= probability <= 1.0, f"probability {probability}"

    def test_only_expected_languages_are_detected(self, info: ModelInfo, model: Model) -> None:
        """Where languages to expect are named, the one found is among them."""
        self.need(Capability.LANGUAGE_DETECTION, info, model)
        self.valid_segments(info, model)
        for expected in self.known(info, model).languages[-2:] or ("en",):
            events = self.listen(info, model, language=None, languages=(expected,))
            found = {event.language for event in _of(DetectedLanguage, events)}
            assert found <= {expected}, f"it found {found} where {expected!r} alone was expected"

    def test_partials_come_when_asked(self, info: ModelInfo, model: Model) -> None:
        """Unfinished text comes before its segment."""
        self.need(Capability.PARTIALS, info, model)
        if not self.valid_segments(info, model):
            pytest.skip("nothing is heard in `audio`")
        events = self.listen(info, model, partials=True)
        assert _of(Partial, events), "no partial came"
        assert not isinstance(events[-1], Partial), "a partial came last: its text is lost"

    def test_logprobs_come_when_asked(self, info: ModelInfo, model: Model) -> None:
        """Tokens come with logarithms of probabilities."""
        self.need(Capability.LOGPROBS, info, model)
        self.valid_segments(info, model)
        for segment in _of(Segment, self.listen(info, model, logprobs=True)):
            assert segment.logprobs or not segment.text.strip(), f"none for {segment.text!r}"
            odd = [entry for entry in segment.logprobs if not entry.logprob <= 1e-6]
            assert not odd, f"no logarithms of probabilities: {odd[:3]}"

    def test_voice_activity_skips_silence(self, info: ModelInfo, model: Model) -> None:
        """With voice activity detection, silence gives no text."""
        self.need(Capability.VOICE_ACTIVITY, info, model)
        self.valid_segments(info, model)
        quiet = silence(2.0, sample_rate=info.sample_rate)
        events = self.listen(info, model, audio=quiet, voice_activity=VoiceActivity())
        heard = "".join(_texts(_of(Segment, events))).strip()
        assert not heard, f"it heard {heard!r} in silence"

    def test_translation_is_taken(self, info: ModelInfo, model: Model) -> None:
        """Translation is no error."""
        self.taken(Capability.TRANSLATION, info, model, task=Task.TRANSLATE)

    def test_prompt_is_taken(self, info: ModelInfo, model: Model) -> None:
        """Text that went before is no error."""
        self.taken(Capability.PROMPT, info, model, prompt="This went before.")

    def test_keywords_are_taken(self, info: ModelInfo, model: Model) -> None:
        """Words to expect are no error."""
        self.taken(Capability.KEYWORDS, info, model, keywords=("one", "two"))

    def test_temperature_is_taken(self, info: ModelInfo, model: Model) -> None:
        """Sampling temperatures are no error."""
        for temperature in (0.0, 0.7):
            self.taken(Capability.TEMPERATURE, info, model, temperature=temperature)

    def test_grammar_is_taken(self, info: ModelInfo, model: Model) -> None:
        """A grammar is no error."""
        self.need(Capability.GRAMMAR, info, model)
        if self.grammar is None:
            pytest.skip("set `grammar`")
        self.taken(Capability.GRAMMAR, info, model, grammar=self.grammar)

    def test_known_text_is_aligned(self, info: ModelInfo, model: Model) -> None:
        """The words of a known text come as they are written, with times that follow the sound."""
        self.need(Capability.ALIGNMENT, info, model)
        if self.known_text is None:
            pytest.skip("set `known_text`")
        self.valid_segments(info, model)
        plain = self.aligned(info, model, self.sound(info))
        quiet = silence(1.5, sample_rate=info.sample_rate)
        late = self.aligned(info, model, join(quiet, self.sound(info)))
        for word, moved in zip(plain, late, strict=True):
            shift = moved.start - word.start
            assert abs(shift - quiet.seconds) <= self.time_tolerance_s, (
                f"{word.text!r} starts {shift:.2f} s later after {quiet.seconds} s of silence"
            )

    def test_alignment_needs_words(self, info: ModelInfo, model: Model) -> None:
        """A text without words cannot be aligned, which is the caller's error."""
        self.need(Capability.ALIGNMENT, info, model)
        self.valid_segments(info, model)
        with pytest.raises(InvalidRequest):
            self.placed(model, self.sound(info), " ")

    def aligned(self, info: ModelInfo, model: Model, audio: Audio) -> tuple[Word, ...]:
        """The words of ``known_text`` in a recording: all of them, in order, within it."""
        events = self.placed(model, audio, self.known_text or "")
        words = tuple(word for segment in _of(Segment, events) for word in segment.words)
        texts = [word.text for word in words]
        assert texts == (self.known_text or "").split(), f"the words came as {texts}"
        latest = audio.seconds + self.time_tolerance_s
        assert all(0.0 <= word.start <= word.end <= latest for word in words), f"{words}"
        assert all(a.start <= b.start for a, b in pairwise(words)), f"out of order: {words}"
        return words

    def placed(self, model: Model, audio: Audio, text: str) -> list[TranscriptionEvent]:
        """Align a text with a recording of its own, with the checks made at run time."""
        samples = Audio(samples=audio.samples.copy(), sample_rate=audio.sample_rate)
        request = AlignmentRequest(audio=samples, text=text, language=self.language)
        return self.within(lambda: list(ALIGN.carry_out(model, request)))

    def taken(
        self, capability: Capability, info: ModelInfo, model: Model, **changes: Any
    ) -> list[TranscriptionEvent]:
        """Listen with a field that the capability allows."""
        self.need(capability, info, model)
        self.valid_segments(info, model)
        return self.listen(info, model, **changes)

    def sound(self, info: ModelInfo) -> Audio:
        """The recording to understand."""
        audio = self.audio or noise(2.0, sample_rate=info.sample_rate)
        assert audio.sample_rate == info.sample_rate, (
            f"`audio` is at {audio.sample_rate} Hz, {info.id} wants {info.sample_rate} Hz"
        )
        return audio

    def request(self, info: ModelInfo, **changes: Any) -> TranscriptionRequest:
        """The default request, changed, with a recording of its own."""
        fields = {"audio": self.sound(info), "language": self.language, **changes}
        audio = fields["audio"]
        # Engines may work in place, as they may at run time.
        fields["audio"] = Audio(samples=audio.samples.copy(), sample_rate=audio.sample_rate)
        return TranscriptionRequest(**fields)

    def start(
        self, model: Model, request: TranscriptionRequest
    ) -> Iterator[TranscriptionEvent | None]:
        """Begin to listen."""
        return cast(STTModel, model).transcribe(request)

    def heard(self, info: ModelInfo, model: Model) -> Outcome:
        """What the default request led to; asked once."""
        outcomes = self._state.outcomes
        if "hearing" not in outcomes:
            request = self.request(info)
            outcomes["hearing"] = self.collect(
                lambda: self.start(model, request), lambda _: 1 / MAX_EVENTS
            )
        return outcomes["hearing"]

    def heard_of(self, kind: type[E], info: ModelInfo, model: Model) -> list[E]:
        """The default request's results of one kind; skips where it failed."""
        outcome = self.heard(info, model)
        if outcome.error is not None:
            pytest.skip("the audio is not understood: see test_understands")
        return _of(kind, outcome.items)

    def valid_segments(self, info: ModelInfo, model: Model) -> list[Segment]:
        """The default request's segments; skips where its results break the contract."""
        self.heard_of(Segment, info, model)
        outcome = self.heard(info, model)
        if outcome.endless:
            pytest.skip("it does not end: see test_understanding_ends")
        try:
            checked = list(in_order(outcome.items, self.sound(info).seconds))
        except InvalidResult as error:
            pytest.skip(f"its results are not valid: {error.message}")
        return _of(Segment, checked)

    def listen(self, info: ModelInfo, model: Model, **changes: Any) -> list[TranscriptionEvent]:
        """Listen to a changed request, with the checks that core makes at run time."""
        request = self.request(info, **changes)
        return self.within(lambda: list(TRANSCRIBE.carry_out(model, request)))


def _of(kind: type[E], items: Any) -> list[E]:
    return [item for item in items if isinstance(item, kind)]


def _texts(segments: list[Segment]) -> list[str]:
    return [segment.text for segment in segments]
