"""Speaking: the right samples, the right errors, one sentence at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Audio, LoadContext, Samples, SpeechRequest
from open_speech.errors import InvalidRequest, UnknownVoice
from open_speech_provider_espeak import EspeakBackend, _library
from open_speech_provider_espeak import model as model_module
from open_speech_provider_espeak.model import EspeakModel, pitch_setting, words_per_minute

TEXT = "Good morning, everyone. It is half past nine. Shall we begin?"


@pytest.fixture(scope="module")
def model() -> EspeakModel:
    backend = EspeakBackend()
    return backend.load(backend.list_available()[0], LoadContext())


def say(model: EspeakModel, text: str, voice: str = "en-us", **settings: object) -> list[Audio]:
    return list(model.synthesize(SpeechRequest(text=text, voice=voice, **settings)))  # type: ignore[arg-type]


def samples(chunks: list[Audio]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


def heard_pitch(sound: Samples) -> float:
    """Hertz, as the median over frames of the lag at which a frame is most like itself."""
    found = []
    for start in range(0, len(sound) - 2400, 1200):
        frame = sound[start : start + 2400] - sound[start : start + 2400].mean()
        if frame.std() > 0.02:
            likeness = np.correlate(frame, frame, "full")[len(frame) - 1 :]
            lags = np.flatnonzero(likeness[60:400] > 0.9 * likeness[60:400].max()) + 60
            found.append(_library.SAMPLE_RATE / lags[0])
    return float(np.median(found))


def test_sentences_come_one_by_one(model: EspeakModel) -> None:
    chunks = say(model, TEXT)
    assert len(chunks) == 3
    for chunk in chunks:
        assert chunk.sample_rate == 22_050
        assert chunk.samples.dtype == np.float32
        assert chunk.samples.ndim == 1
        assert 0.1 < np.abs(chunk.samples).max() <= 1
        assert chunk.seconds > 0.5


def test_a_text_sounds_like_its_sentences(model: EspeakModel) -> None:
    parts = ["Good morning, everyone. ", "It is half past nine. ", "Shall we begin?"]
    apart = [samples(say(model, part)) for part in parts]
    np.testing.assert_array_equal(samples(say(model, TEXT)), np.concatenate(apart))


@pytest.mark.parametrize("voice", ["en-us", "de", "cmn"])
def test_the_same_request_gives_the_same_samples(model: EspeakModel, voice: str) -> None:
    first = samples(say(model, TEXT, voice))
    say(model, "Something else.", "en-gb-scotland", speed=2.0, pitch=1.3)
    next(model.synthesize(SpeechRequest(text=TEXT, voice="fr-fr+m2")))
    np.testing.assert_array_equal(samples(say(model, TEXT, voice)), first)


def test_a_timbre_is_the_same_from_request_to_request(model: EspeakModel) -> None:
    """Its flutter is not, in a process that has spoken before."""
    first = samples(say(model, TEXT, "en-us+f3"))
    say(model, "Something else.", "en-gb-scotland", speed=2.0, pitch=1.3)
    again = samples(say(model, TEXT, "en-us+f3"))
    assert len(again) == pytest.approx(len(first), rel=0.001)
    assert heard_pitch(again) == pytest.approx(heard_pitch(first), rel=0.03)


def test_two_models_share_the_library_in_turns(model: EspeakModel) -> None:
    (german,) = (p.template for p in EspeakBackend.patterns if p.template.id == "espeak/de")
    other = EspeakBackend().load(german, LoadContext())
    expected = samples(say(model, TEXT)), samples(say(other, TEXT, "de"))
    mixed: list[tuple[Audio, Audio]] = list(
        zip(
            model.synthesize(SpeechRequest(text=TEXT, voice="en-us")),
            other.synthesize(SpeechRequest(text=TEXT, voice="de")),
            strict=True,
        )
    )
    for whole, parts in zip(expected, zip(*mixed, strict=True), strict=True):
        np.testing.assert_array_equal(samples(list(parts)), whole)


def test_two_threads_do_not_disturb_each_other(model: EspeakModel) -> None:
    expected = samples(say(model, TEXT))
    results: list[Samples] = []
    threads = [
        threading.Thread(target=lambda: results.append(samples(say(model, TEXT)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_closing_stops_the_engine(model: EspeakModel, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[int] = []

    def counting(text: str, *, voice: str, rate: int, pitch: int) -> _library.Sentence:
        sentence = _library.speak_sentence(text, voice=voice, rate=rate, pitch=pitch)
        spoken.append(len(sentence.pcm))
        return sentence

    monkeypatch.setattr(model_module, "speak_sentence", counting)
    results = model.synthesize(SpeechRequest(text="Here is one more. " * 500, voice="en-us"))
    assert isinstance(results, Iterator)
    assert len(list(islice(results, 2))) == 2
    results.close()  # type: ignore[attr-defined]
    assert next(results, None) is None
    assert len(spoken) == 2
    assert max(spoken) < 3 * _library.SAMPLE_RATE  # the library stopped at the sentence's end


def test_a_long_text_without_a_full_stop_is_spoken_whole(model: EspeakModel) -> None:
    one, many = (samples(say(model, "word " * count)) for count in (10, 1000))
    assert len(many) > 80 * len(one)


def test_speed_shortens(model: EspeakModel) -> None:
    lengths = [len(samples(say(model, TEXT, speed=speed))) for speed in (0.5, 1.0, 2.0, 4.0)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[1] / lengths[2] == pytest.approx(2, rel=0.3)
    assert lengths[1] / lengths[3] == pytest.approx(4, rel=0.3)


@pytest.mark.parametrize("pitch", [0.75, 1.25, 1.5])
def test_pitch_is_the_ratio_one_hears(model: EspeakModel, pitch: float) -> None:
    text = "Many men may name more lawn moles now."
    plain, shifted = (heard_pitch(samples(say(model, text, pitch=p))) for p in (1.0, pitch))
    assert shifted / plain == pytest.approx(pitch, rel=0.03)


@given(st.floats(0, 10), st.floats(0, 10))
def test_settings_stay_in_the_library_s_range(speed: float, pitch: float) -> None:
    assert 80 <= words_per_minute(speed) <= 700
    assert 0 <= pitch_setting(pitch) <= 100


def test_normal_settings_are_the_library_s_own() -> None:
    assert (words_per_minute(1), pitch_setting(1)) == (175, 50)


def test_every_openai_voice_sounds_different(model: EspeakModel) -> None:
    (info,) = EspeakBackend().list_available()
    heard = {
        samples(say(model, "Hello.", voice)).tobytes() for voice in info.voice_aliases.values()
    }
    assert len(heard) == 13


def test_a_language_picks_a_voice_and_keeps_the_timbre(model: EspeakModel) -> None:
    foreign = samples(say(model, "Guten Tag", "en-us+f2", language="de-AT"))
    np.testing.assert_array_equal(foreign, samples(say(model, "Guten Tag", "de+f2")))
    same = samples(say(model, "Hello", "en-us+f2", language="en"))
    np.testing.assert_array_equal(same, samples(say(model, "Hello", "en-us+f2")))


def test_unknown_language_is_the_caller_s_error(model: EspeakModel) -> None:
    with pytest.raises(InvalidRequest, match="does not speak 'xx'") as caught:
        say(model, "Hello", language="xx")
    assert caught.value.param == "language"


@pytest.mark.parametrize("voice", ["", "xx", "en-us+", "en-us+zz", "gmw/en-US", "../en", "+f1"])
def test_unknown_voice(model: EspeakModel, voice: str) -> None:
    with pytest.raises(UnknownVoice):
        say(model, "Hello", voice)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\0", "\x01"])
def test_nothing_to_say_gives_nothing(model: EspeakModel, text: str) -> None:
    assert say(model, text) == []


def test_control_characters_are_no_commands(model: EspeakModel) -> None:
    np.testing.assert_array_equal(
        samples(say(model, "Hello \x01700S there")), samples(say(model, "Hello  700S there"))
    )


@given(st.text(max_size=60), st.sampled_from(["en-us", "de", "hi", "cmn", "ar"]))
def test_any_text_ends_and_gives_sane_words(text: str, voice: str) -> None:
    backend_model = _shared()
    spoken = model_module._CONTROL.sub(" ", text)
    for chunk in say(backend_model, text, voice, word_timestamps=True):
        assert np.isfinite(chunk.samples).all()
        times = [(word.start, word.end) for word in chunk.words]
        assert all(0 <= start <= end <= chunk.seconds for start, end in times)
        assert [start for start, _ in times] == sorted(start for start, _ in times)
        assert all(word.text and word.text in spoken for word in chunk.words)


def _shared(cache: list[EspeakModel] = []) -> EspeakModel:  # noqa: B006 - one for all examples
    if not cache:
        cache.append(EspeakModel(EspeakBackend().list_available()[0]))
    return cache[0]


@pytest.mark.parametrize("speed", [0.6, 0.8, 1.4, 1.6])
@pytest.mark.parametrize(
    "text",
    [
        "The garden behind the old house was full of roses and tall grass.",
        "My brother will bring the letters to the office tomorrow morning.",
        "Two short ones.",
    ],
)
def test_a_sentence_lasts_what_the_speed_makes_of_it(
    model: EspeakModel, text: str, speed: float
) -> None:
    normal, other = (
        np.flatnonzero(samples(say(model, text, speed=each)))[-1] for each in (1.0, speed)
    )
    assert other * speed == pytest.approx(normal, rel=0.03)
