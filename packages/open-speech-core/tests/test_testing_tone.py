"""The test provider is exact: others build on its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from open_speech._plugins.backends import LoadContext
from open_speech._types.audio import Audio
from open_speech._types.models import Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech._types.transcription import (
    AlignmentRequest,
    DetectedLanguage,
    Partial,
    Segment,
    Task,
    TranscriptionEvent,
    TranscriptionRequest,
    VoiceActivity,
)
from open_speech.errors import InvalidRequest
from open_speech.testing import assert_similar, join, silence, sine
from open_speech.testing.tone import (
    AMPLITUDE,
    FREQUENCIES,
    SAMPLE_RATE,
    EchoBackend,
    ToneBackend,
    describe,
    open_speech_backends,
    spoken_seconds,
)


def info(model_id: str) -> ModelInfo:
    models = [model for backend in open_speech_backends() for model in backend.list_available()]
    return next(model for model in models if model.id == model_id)


def speak(text: str, *, voice: str = "middle", **fields: Any) -> list[Audio]:
    model = ToneBackend().load(info("tone/sine"), LoadContext())
    return list(model.synthesize(SpeechRequest(text=text, voice=voice, **fields)))


def hear(audio: Audio, model_id: str = "tone/echo", **fields: Any) -> list[TranscriptionEvent]:
    model = EchoBackend().load(info(model_id), LoadContext())
    return list(model.transcribe(TranscriptionRequest(audio=audio, **fields)))


def align(audio: Audio, text: str) -> list[TranscriptionEvent]:
    model = EchoBackend().load(info("tone/echo"), LoadContext())
    return list(model.align(AlignmentRequest(audio=audio, text=text)))


def segments(events: list[TranscriptionEvent]) -> Iterator[Segment]:
    return (event for event in events if isinstance(event, Segment))


@pytest.mark.parametrize("voice", FREQUENCIES)
def test_speech_is_one_tone_of_known_length(voice: str) -> None:
    chunks = speak("twenty characters ok", voice=voice)
    expected = sine(1.0, frequency=FREQUENCIES[voice], sample_rate=SAMPLE_RATE, amplitude=AMPLITUDE)
    assert len(chunks) == 2
    assert_similar(join(*chunks), expected)


def test_speed_pitch_seed_and_instructions_change_it() -> None:
    assert join(*speak("some text", speed=2.0)).seconds == spoken_seconds("some text", 2.0)
    assert_similar(join(*speak("text", pitch=2.0)), join(*speak("text", voice="high")))
    assert not np.array_equal(speak("text", seed=7)[0].samples, speak("text")[0].samples)
    assert float(np.max(speak("text", instructions="quietly")[0].samples)) < AMPLITUDE * 0.6


def test_a_recording_is_imitated() -> None:
    reference = sine(1.0, frequency=300.0)
    expected = sine(0.2, frequency=300.0, sample_rate=SAMPLE_RATE, amplitude=AMPLITUDE)
    assert_similar(join(*speak("text", reference=reference)), expected)


def test_stretches_are_as_long_as_asked() -> None:
    lengths = [len(audio.samples) for audio in speak("x" * 9, options={"chunk_s": 0.2})]
    assert lengths == [4_800, 4_800, 1_200]


def test_words_lie_in_the_stretch_that_carries_their_start() -> None:
    chunks = speak("one two three four", word_timestamps=True)
    words, start = [], 0.0
    for audio in chunks:
        words += [(word.text, round(start + word.start, 6)) for word in audio.words]
        assert all(0.0 <= word.start < audio.seconds for word in audio.words)
        start += audio.seconds
    assert words == [("one", 0.0), ("two", 0.2), ("three", 0.4), ("four", 0.7)]


def test_hearing_tells_each_second() -> None:
    events = hear(join(sine(1.0), sine(0.5, amplitude=0.25)), language="de", word_timestamps=True)
    assert events[0] == DetectedLanguage(language="de", probability=1.0)
    heard = list(segments(events))
    assert [event.text for event in heard] == [
        "16000 samples peaking at 0.50",
        "8000 samples peaking at 0.25",
    ]
    assert [(event.start, event.end) for event in heard] == [(0.0, 1.0), (1.0, 1.5)]
    assert [word.text for word in heard[1].words] == heard[1].text.split()
    assert heard[1].words[0].start == 1.0
    assert heard[1].words[-1].end == pytest.approx(1.5)


def test_requests_show_in_the_text() -> None:
    fields: dict[str, Any] = {"prompt": "before", "keywords": ("k1", "k2"), "task": Task.TRANSLATE}
    first, second = segments(hear(sine(2.0), **fields))
    plain = describe(sine(1.0).samples)
    assert first.text == f"translated after before {plain} k1 k2"
    assert second.text == f"translated {plain} k1 k2"


def test_partials_logprobs_and_temperature_come_when_asked() -> None:
    events = hear(sine(1.0), partials=True, logprobs=True, temperature=0.5)
    assert Partial(text="16000") in events
    (segment,) = segments(events)
    assert len(segment.logprobs) == len(segment.text.split())
    assert segment.temperature == 0.5


def test_silent_seconds_are_skipped_when_asked() -> None:
    audio = join(silence(1.0), sine(1.0), silence(1.0))
    assert len(list(segments(hear(audio)))) == 3
    assert [event.start for event in segments(hear(audio, voice_activity=VoiceActivity()))] == [1.0]


def test_a_known_text_is_spread_over_the_sound() -> None:
    audio = join(silence(1.0), sine(1.0), silence(1.0))
    (segment,) = segments(align(audio, " Two words. "))
    assert segment.text == "Two words."
    times = [(word.text, round(word.start, 3), round(word.end, 3)) for word in segment.words]
    assert times == [("Two", 1.0, 1.5), ("words.", 1.5, 2.0)]
    for sound, text in ((audio, " "), (silence(1.0), "Two words.")):
        with pytest.raises(InvalidRequest, match="nothing to align"):
            align(sound, text)


def test_the_plain_models_know_nothing_else() -> None:
    assert not info("tone/plain").capabilities
    assert not info("tone/count").capabilities
    assert [type(event) for event in hear(sine(1.0), "tone/count")] == [Segment]
    assert info("tone/chorus").concurrency == 4
    assert {backend.kind for backend in open_speech_backends()} == set(Kind)
