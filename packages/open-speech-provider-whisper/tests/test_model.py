"""Understanding: what the library itself would say, told as events."""

from __future__ import annotations

import dataclasses
import gc
import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from open_speech import (
    Audio,
    Capability,
    DetectedLanguage,
    LoadContext,
    Segment,
    Task,
    TranscriptionEvent,
    TranscriptionRequest,
    VoiceActivity,
)
from open_speech.errors import InvalidRequest, ModelNotReady
from open_speech.testing import join, noise, silence
from open_speech_provider_whisper import WhisperBackend, languages
from open_speech_provider_whisper.model import WhisperModel

Recording = Callable[[str], Audio]
CLIPS = sorted(path.name for path in (Path(__file__).parent / "data" / "audio").glob("*.wav"))
SPEECH = [name for name in CLIPS if name not in ("noise_only.wav", "silence.wav")]


def events(model: WhisperModel, audio: Audio, **fields: Any) -> list[TranscriptionEvent]:
    return list(model.transcribe(TranscriptionRequest(audio=audio, **fields)))


def segments(model: WhisperModel, audio: Audio, **fields: Any) -> list[Segment]:
    return [event for event in events(model, audio, **fields) if isinstance(event, Segment)]


def text(found: list[Segment]) -> str:
    return "".join(segment.text for segment in found).strip()


def told(segment: Any) -> dict[str, Any]:
    """A segment of the library, by the names of ours."""
    plain = dataclasses.asdict(segment)
    del plain["id"]
    words = plain.pop("words") or ()
    plain["words"] = [(w["word"].strip(), w["start"], w["end"], w["probability"]) for w in words]
    return plain


def ours(segment: Segment) -> dict[str, Any]:
    plain = dataclasses.asdict(segment)
    del plain["logprobs"], plain["speaker"]
    plain["tokens"] = list(segment.tokens)
    plain["words"] = [(w.text, w.start, w.end, w.probability) for w in segment.words]
    return plain


@pytest.mark.parametrize("listening", [False, True])
@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("name", CLIPS)
def test_text_and_times_are_the_library_s(
    model: WhisperModel, bare: Any, recording: Recording, name: str, words: bool, listening: bool
) -> None:
    audio = recording(name)
    activity = VoiceActivity() if listening else None
    found = segments(model, audio, word_timestamps=words, voice_activity=activity)
    expected, _ = bare.transcribe(audio.samples, word_timestamps=words, vad_filter=listening)
    assert [ours(segment) for segment in found] == [told(segment) for segment in expected]


@pytest.mark.parametrize("name", SPEECH)
def test_what_is_said_is_understood(
    model: WhisperModel, recording: Recording, spoken: dict[str, str], name: str
) -> None:
    heard = text(segments(model, recording(name), voice_activity=VoiceActivity()))
    assert heard.lower().replace(",", "").replace(".", "").split() == spoken[name].split()


@pytest.mark.parametrize("sound", [silence(5), noise(5), silence(0), noise(0.005)])
def test_what_is_no_speech_gives_no_text(model: WhisperModel, sound: Audio) -> None:
    (language,) = events(model, sound, voice_activity=VoiceActivity())
    assert language == DetectedLanguage(language="en")


def test_voice_activity_is_tunable(model: WhisperModel, bare: Any, recording: Recording) -> None:
    audio = recording("two_phrases_2s_pause_gb_m4.wav")
    activity = VoiceActivity(threshold=0.6, min_silence_s=0.3, padding_s=0.1)
    parameters = {"threshold": 0.6, "min_silence_duration_ms": 300, "speech_pad_ms": 100}
    found = segments(model, audio, voice_activity=activity)
    expected, info = bare.transcribe(audio.samples, vad_filter=True, vad_parameters=parameters)
    assert [ours(segment) for segment in found] == [told(segment) for segment in expected]
    assert info.duration_after_vad < audio.seconds - 1
    assert segments(model, audio, voice_activity=VoiceActivity(threshold=1.0)) == []


def test_times_are_those_of_the_whole_recording(model: WhisperModel, recording: Recording) -> None:
    audio = join(silence(8), recording("digits_us_m4.wav"))
    (segment,) = segments(model, audio, voice_activity=VoiceActivity(), word_timestamps=True)
    assert segment.start == pytest.approx(8.1, abs=0.5)
    assert segment.words[-1].end == pytest.approx(9.9, abs=0.3)


def test_everything_is_plain_numbers(model: WhisperModel, recording: Recording) -> None:
    found = events(model, recording("digits_us_m4.wav"), word_timestamps=True, logprobs=True)
    json.dumps([dataclasses.asdict(event) for event in found], allow_nan=False)
    segment = found[-1]
    assert isinstance(segment, Segment)
    assert segment.avg_logprob < 0 < segment.compression_ratio
    assert segment.temperature == 0
    assert 0 <= segment.no_speech_prob <= 1
    for word in segment.words:
        assert {type(word.start), type(word.end), type(word.probability)} == {float}
        assert word.text == word.text.strip()


def test_logprobs_are_the_model_s_own(model: WhisperModel, bare: Any, recording: Recording) -> None:
    """They agree with the logits of greedy decoding, whose prompt differs by the time stamps."""
    audio = recording("digits_us_m4.wav")
    (segment,) = segments(model, audio, logprobs=True)
    assert "".join(entry.token for entry in segment.logprobs) == segment.text
    (decoded,) = _greedy(bare, audio)
    rows = np.stack([np.array(row) for row in decoded.logits[0]]).astype(np.float64)
    rows -= np.log(np.exp(rows).sum(-1, keepdims=True))
    end_of_text = bare.hf_tokenizer.token_to_id("<|endoftext|>")
    tokens = decoded.sequences_ids[0]
    expected = [rows[i, token] for i, token in enumerate(tokens) if token < end_of_text]
    assert [entry.logprob for entry in segment.logprobs] == pytest.approx(expected, abs=0.02)


def _greedy(bare: Any, audio: Audio) -> Any:
    features = bare.feature_extractor(audio.samples)[:, :-1]
    padded = np.pad(features, ((0, 0), (0, 3000 - features.shape[1])))
    start = bare.hf_tokenizer.token_to_id("<|startoftranscript|>")
    encoded = bare.encode(padded)
    return bare.model.generate(encoded, [[start]], beam_size=1, return_logits_vocab=True)


def test_logprobs_go_to_their_segments(model: WhisperModel, recording: Recording) -> None:
    audio = recording("two_phrases_2s_pause_gb_m4.wav")
    found = segments(model, audio, logprobs=True)
    assert len(found) == 2
    for segment in found:
        assert "".join(entry.token for entry in segment.logprobs) == segment.text
        assert all(math.log(0.01) < entry.logprob <= 0 for entry in segment.logprobs)
    assert [ours(segment) for segment in found] == [ours(s) for s in segments(model, audio)]


def test_a_prompt_and_keywords_reach_the_model(
    model: WhisperModel, bare: Any, recording: Recording
) -> None:
    audio = recording("command_lights_gb_edward.wav")
    found = segments(model, audio, prompt="turn off", keywords=("kitchen", "lights"))
    expected, _ = bare.transcribe(
        audio.samples, initial_prompt="turn off", hotwords="kitchen, lights"
    )
    assert [ours(segment) for segment in found] == [told(segment) for segment in expected]
    assert found != segments(model, audio)


def test_a_long_prompt_with_many_keywords_leaves_room(
    model: WhisperModel, recording: Recording
) -> None:
    """The library alone asks the model for more places than it has."""
    audio = recording("digits_us_m4.wav")
    keywords = tuple(f"keyword{number}" for number in range(200))
    assert segments(model, audio, prompt="some words " * 300, keywords=keywords)


def test_the_model_s_own_marks_are_text_in_a_prompt(
    model: WhisperModel, recording: Recording
) -> None:
    audio = recording("digits_us_m4.wav")
    marked = segments(model, audio, prompt="one <|endoftext|> two")
    assert marked == segments(model, audio, prompt="one < |endoftext|> two")


def test_a_temperature_is_used_alone(model: WhisperModel, recording: Recording) -> None:
    audio = recording("digits_us_m4.wav")
    (segment,) = segments(model, audio, temperature=0.4)
    assert segment.temperature == pytest.approx(0.4)


@pytest.mark.parametrize("language", [None, "en", "en-GB", "EN"])
def test_an_english_model_says_so(model: WhisperModel, language: str | None) -> None:
    first, *_ = events(model, noise(1), language=language)
    assert first == DetectedLanguage(language="en")
    assert model.info.languages == ("en",)
    assert not model.info.capabilities & {
        Capability.LANGUAGE_DETECTION,
        Capability.TRANSLATION,
    }


@pytest.mark.parametrize("language", ["fr", "tlh", "", "x" * 300, "en\0"])
def test_a_language_that_it_lacks_is_the_caller_s_error(
    model: WhisperModel, multilingual: WhisperModel, language: str
) -> None:
    for listening in (model, multilingual) if language != "fr" else (model,):
        with pytest.raises(InvalidRequest) as caught:
            events(listening, silence(1), language=language)
        assert caught.value.param == "language"


def test_the_language_is_detected(multilingual: WhisperModel, multilingual_folder: Path) -> None:
    """Random weights hear some language; the library itself says which."""
    from faster_whisper import WhisperModel as Bare

    sound = noise(2, seed=3)
    bare = Bare(str(multilingual_folder), device="cpu", compute_type="int8")
    code, probability, _ = bare.detect_language(sound.samples)
    with_first = multilingual.transcribe(TranscriptionRequest(audio=sound))
    first = next(iter(with_first))
    with_first.close()  # type: ignore[attr-defined]
    assert first == DetectedLanguage(language={"jw": "jv"}.get(code, code), probability=probability)
    assert 0 < probability <= 1
    assert Capability.TRANSLATION in multilingual.info.capabilities


def test_the_likeliest_of_those_expected_is_taken(
    multilingual: WhisperModel, multilingual_folder: Path
) -> None:
    from faster_whisper import WhisperModel as Bare

    sound = noise(2, seed=3)
    bare = Bare(str(multilingual_folder), device="cpu", compute_type="int8")
    *_, known = bare.detect_language(sound.samples)
    _, second, third, *_ = sorted(known, key=lambda each: -each[1])
    running = multilingual.transcribe(
        TranscriptionRequest(audio=sound, languages=(third[0], f"{second[0]}-XY"))
    )
    heard = DetectedLanguage(language=languages.tag(second[0]), probability=second[1])
    assert next(iter(running)) == heard
    running.close()  # type: ignore[attr-defined]
    with pytest.raises(InvalidRequest, match="'tlh'") as caught:
        events(multilingual, sound, languages=("de", "tlh"))
    assert caught.value.param == "languages"


def test_a_given_language_and_task_are_taken(multilingual: WhisperModel) -> None:
    settings = {"language": "pt-BR", "temperature": 0.0}
    sound = noise(1)
    first, *plain = events(multilingual, sound, **settings)
    assert first == DetectedLanguage(language="pt")
    _, *translated = events(multilingual, sound, task=Task.TRANSLATE, **settings)
    assert plain != translated


def test_silence_is_not_even_given_a_language(multilingual: WhisperModel) -> None:
    assert events(multilingual, silence(3), voice_activity=VoiceActivity()) == []


def test_settings_of_the_engine_are_taken(model: WhisperModel, recording: Recording) -> None:
    audio = recording("two_phrases_2s_pause_gb_m4.wav")
    (whole,) = segments(model, audio, options={"without_timestamps": True})
    assert len(segments(model, audio)) == 2
    assert whole.start == 0
    with pytest.raises(InvalidRequest, match="Unknown option 'model_path'"):
        events(model, audio, options={"model_path": "/etc"})


def test_segments_come_as_their_windows_are_decoded(
    model: WhisperModel, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second window is decoded only when it is asked for; stopping leaves it undone."""
    import open_speech_provider_whisper._engine as engine

    decoded = []
    decode = engine._Whisper.generate_with_fallback

    def counted(self: Any, *arguments: Any) -> Any:
        decoded.append(1)
        return decode(self, *arguments)

    monkeypatch.setattr(engine._Whisper, "generate_with_fallback", counted)
    audio = join(recording("digits_us_m4.wav"), silence(30), recording("digits_us_m4.wav"))
    running = model.transcribe(TranscriptionRequest(audio=audio))
    assert isinstance(next(running), DetectedLanguage)
    assert decoded == []
    assert isinstance(next(running), Segment)
    assert len(decoded) == 1
    running.close()  # type: ignore[attr-defined]
    assert next(running, None) is None
    assert len(decoded) == 1


def test_requests_side_by_side_do_not_mix(model: WhisperModel, recording: Recording) -> None:
    assert model.info.concurrency >= 1
    short = [name for name in SPEECH if not name.startswith("long")]
    alone = {name: events(model, recording(name), logprobs=True) for name in short}
    names = short * 2
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(lambda n: events(model, recording(n), logprobs=True), names)
        assert list(together) == [alone[name] for name in names]


def test_no_garbage_is_collected_for_a_request(
    model: WhisperModel, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own decoding of files does; samples never go there."""
    monkeypatch.setattr(gc, "collect", lambda *_: pytest.fail("it collects garbage"))
    assert segments(model, recording("digits_us_m4.wav"), voice_activity=VoiceActivity())


def test_close_frees_the_weights(digits: Path, recording: Recording) -> None:
    info = WhisperBackend().list_available()[0]
    model = WhisperBackend().load(info, LoadContext(paths={"model": digits}))
    events(model, recording("digits_us_m4.wav"))
    assert model._engine is not None
    engine = model._engine._whisper.model
    assert engine.model_is_loaded
    model.close()
    model.close()
    assert not engine.model_is_loaded
    with pytest.raises(ModelNotReady):
        events(model, silence(1))
