"""Speaking with the voice of a recording: whose it is, and what the engine gets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from open_speech import Capability, Defaults, Kind, ModelInfo, SpeechRequest, Voice
from open_speech.cloning import with_reference
from open_speech.errors import InvalidRequest, UnknownVoice, UnsupportedCapability
from open_speech.script import Piece
from open_speech.testing import sine
from open_speech.voice_library import VoiceLibrary

CLONING = ModelInfo(
    id="m/clones",
    kind=Kind.TTS,
    capabilities=frozenset({Capability.VOICE_CLONE, Capability.VOICE_BLEND}),
    sample_rate=16_000,
    voices=(Voice(id="low"), Voice(id="high")),
    default_voice="high",
)
PLAIN = ModelInfo(id="m/plain", kind=Kind.TTS, voices=(Voice(id="low"),))


@pytest.fixture
def library(tmp_path):
    library = VoiceLibrary(tmp_path / "voices")
    sound = sine(1.0, frequency=300.0, sample_rate=24_000)
    library.add_voice(sound, name="my-voice", transcript="Hello.", language="de")
    return library


def request(voice: str, **fields: object) -> SpeechRequest:
    return SpeechRequest(text="Hello", voice=voice, **fields)


@pytest.mark.parametrize("by", ["id", "name"])
async def test_a_cloned_voice_becomes_its_recording(library, by):
    (voice,) = library.voices()
    asked = await with_reference(request(getattr(voice, by)), CLONING, library)
    assert asked.voice == "high"
    assert asked.reference.sample_rate == 16_000
    assert asked.reference.seconds == 1.0
    assert (asked.reference_text, asked.language) == ("Hello.", "de")


async def test_the_language_of_the_request_goes_first(library):
    asked = await with_reference(request("my-voice", language="en"), CLONING, library)
    assert asked.language == "en"


@pytest.mark.parametrize(
    ("languages", "expected"), [((), "de"), (("en", "de-AT"), "de"), (("en",), None)]
)
async def test_a_language_that_the_model_lacks_is_left_out(library, languages, expected):
    model = replace(CLONING, languages=languages)
    assert (await with_reference(request("my-voice"), model, library)).language == expected


@pytest.mark.parametrize("voice", ["", "default", "low", "LOW", "alloy", "low(2)+high(1)"])
async def test_a_voice_of_the_model_stays_as_it_is(library, voice):
    library.add_voice(sine(), name="Low")
    asked = request(voice)
    assert await with_reference(asked, CLONING, library) is asked


async def test_a_model_that_clones_nothing_says_so(library):
    with pytest.raises(UnsupportedCapability, match="voice_clone") as caught:
        await with_reference(request("my-voice"), PLAIN, library)
    assert caught.value.param == "voice"


async def test_an_unknown_voice_is_told_with_near_names(library):
    with pytest.raises(UnknownVoice, match="'my-voice'"):
        await with_reference(request("my_voice"), CLONING, library)
    with pytest.raises(UnknownVoice, match="lists its voices"):
        await with_reference(request("../../canary"), CLONING, library)


async def test_two_recordings_at_once_are_refused(library):
    with pytest.raises(InvalidRequest, match="carries another"):
        await with_reference(request("my-voice", reference=sine()), CLONING, library)


async def test_a_recording_in_the_request_comes_at_the_rate_of_the_model():
    asked = await with_reference(request("low", reference=sine(sample_rate=48_000)), CLONING, None)
    assert asked.reference.sample_rate == 16_000
    assert asked.voice == "low"


async def spoken(speech, voice, model="tone/sine", **options) -> int:
    """The frequency of what is spoken, in Hz."""
    asked = request(voice)
    samples = [audio.samples async for audio in speech.speak(asked, model=model, **options)]
    whole = np.concatenate(samples)
    return round(float(np.argmax(np.abs(np.fft.rfft(whole)))) * 24_000 / len(whole))


async def test_a_model_speaks_with_the_recorded_voice(make_speech, library):
    config = {"tts": Defaults(voice="low"), "voice_library": library}
    async with make_speech(install=("tone",), **config) as speech:
        assert await spoken(speech, "my-voice") == 300
        assert await spoken(speech, library.voices()[0].id) == 300
        assert await spoken(speech, "default") == 220
        with pytest.raises(UnsupportedCapability, match="voice_clone"):
            await spoken(speech, "my-voice", "tone/plain")
        library.delete_voice("my-voice")
        with pytest.raises(UnknownVoice):
            await spoken(speech, "my-voice")


@pytest.mark.parametrize(
    ("voice", "tagged", "frequency"),
    [("my-voice", "high", 880), ("high", "my-voice", 300), ("my-voice", None, 300)],
)
async def test_a_piece_may_have_another_voice(make_speech, library, voice, tagged, frequency):
    def prepare(asked, model):
        return [Piece(text=asked.text, voice=tagged)]

    async with make_speech(install=("tone",), voice_library=library) as speech:
        assert await spoken(speech, voice, prepare=prepare) == frequency
