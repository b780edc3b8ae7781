# ruff: noqa: RUF001 - phonetic letters
"""A loaded model: voices, languages, words, seeds."""

from __future__ import annotations

import numpy as np
import pytest

from open_speech import Audio, SpeechRequest
from open_speech.errors import InvalidRequest, UnknownVoice
from open_speech_provider_kokoro import _spelling
from open_speech_provider_kokoro.catalogue import KOKORO
from open_speech_provider_kokoro.model import KokoroModel, _spoken_here


def say(model: KokoroModel, text: str = "Oh.", voice: str = "af_heart", **more: object) -> Audio:
    request = SpeechRequest(text=text, voice=voice, **more)  # type: ignore[arg-type]
    (audio,) = model.synthesize(request)
    return audio


def test_a_seed_repeats_every_sample(model: KokoroModel) -> None:
    first, second = (say(model, seed=3).samples for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, say(model, seed=4).samples)
    assert not np.array_equal(say(model).samples, say(model).samples)


def test_words_are_those_of_the_text(model: KokoroModel) -> None:
    audio = say(model, "Oh, [hi](/hˈI/) you!", word_timestamps=True)
    assert [word.text for word in audio.words] == ["Oh", "hi", "you"]
    assert 0 <= audio.words[0].start < audio.words[-1].end <= audio.seconds
    assert audio.sample_rate == 24_000
    assert say(model).words == ()


def test_other_languages_have_words_too(model: KokoroModel) -> None:
    audio = say(model, "Ciao 21", "if_sara", word_timestamps=True)
    assert [word.text for word in audio.words] == ["Ciao", "21"]


def test_a_blend_is_a_voice_of_its_own(model: KokoroModel) -> None:
    one, other = (say(model, voice=voice, seed=1) for voice in ("af_heart", "am_adam"))
    blend = say(model, voice="af_heart(3)+am_adam(1)", seed=1)
    same = say(model, voice="am_adam (1) + af_heart (3)", seed=1)
    np.testing.assert_allclose(blend.samples, same.samples, atol=0.05)
    for audio in (one, other):
        assert not np.array_equal(audio.samples, blend.samples)
    np.testing.assert_array_equal(say(model, voice="af_heart(7)", seed=1).samples, one.samples)


@pytest.mark.parametrize(
    "voice", ["nobody", "af_heart+nobody", "../../config", "af_heart.pt", "voices/af_heart"]
)
def test_a_voice_is_a_name_and_no_path(model: KokoroModel, voice: str) -> None:
    with pytest.raises(UnknownVoice):
        say(model, voice=voice)


def test_the_language_of_a_request_wins(model: KokoroModel) -> None:
    english, italian, own = (
        say(model, "Gnocchi", "if_sara", language=tag, seed=1).samples for tag in ("en", "it", None)
    )
    np.testing.assert_array_equal(own, italian)
    assert not np.array_equal(own, english)
    with pytest.raises(InvalidRequest, match="does not speak 'de'") as raised:
        say(model, language="de")
    assert "pt-BR" in str(raised.value.hint)


def test_a_language_without_a_front_end_is_reported(
    model: KokoroModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_spelling._NEEDS, "z", ("not_installed_at_all",))
    spoken = _spoken_here(KOKORO)
    assert "zh" not in spoken
    assert {"en-US", "it"} <= set(spoken)
    assert len(model.info.voices) == 54
    with pytest.raises(InvalidRequest, match="Mandarin Chinese"):
        say(model, "你好", "zf_xiaobei")
    assert say(model).seconds > 0


@pytest.mark.deep
def test_a_long_text_comes_in_stretches(model: KokoroModel) -> None:
    request = SpeechRequest(text="oh, " * 200, voice="af_heart", speed=8.0, word_timestamps=True)
    chunks = model.synthesize(request)
    first = next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert 100 < len(first.words) < 200


def test_a_request_has_no_settings(model: KokoroModel) -> None:
    for options in ({"engine": "torch"}, {"x": 1}):
        with pytest.raises(InvalidRequest):
            say(model, options=options)


@pytest.mark.parametrize("voice", ["jf_alpha", "zf_xiaobei"])
def test_words_without_spaces_have_no_times(model: KokoroModel, voice: str) -> None:
    with pytest.raises(InvalidRequest, match="apart") as raised:
        say(model, "你好", voice, word_timestamps=True)
    assert raised.value.param == "word_timestamps"


@pytest.mark.parametrize("text", ["", " ", "\N{ZERO WIDTH SPACE}", "\x00"])
def test_nothing_to_say_is_no_error(model: KokoroModel, text: str) -> None:
    assert sum(a.seconds for a in model.synthesize(SpeechRequest(text=text, voice="af_heart"))) < 1
