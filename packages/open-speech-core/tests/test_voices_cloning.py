"""Speaking with the voice of a recording: whose it is, and what the engine gets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from open_speech import Capability, Defaults, Kind, ModelInfo, SpeechRequest, Voice
from open_speech._synthesis.utterances import Utterance
from open_speech.errors import (
    InvalidAudio,
    InvalidRequest,
    UnknownVoice,
    UnsupportedCapability,
)
from open_speech.testing import sine
from open_speech.voices.cloning import with_voice
from open_speech.voices.library import VoiceLibrary

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
    asked = await with_voice(request(getattr(voice, by)), CLONING, library)
    assert asked.voice == "high"
    assert asked.reference.sample_rate == 16_000
    assert asked.reference.seconds == 1.0
    assert (asked.reference_text, asked.language) == ("Hello.", "de")


async def test_the_language_of_the_request_goes_first(library):
    asked = await with_voice(request("my-voice", language="en"), CLONING, library)
    assert asked.language == "en"


@pytest.mark.parametrize(
    ("languages", "expected"), [((), "de"), (("en", "de-AT"), "de"), (("en",), None)]
)
async def test_a_language_that_the_model_lacks_is_left_out(library, languages, expected):
    model = replace(CLONING, languages=languages)
    assert (await with_voice(request("my-voice"), model, library)).language == expected


@pytest.mark.parametrize(
    ("voice", "meant"),
    [
        ("", "high"),
        ("default", "high"),
        ("low", "low"),
        ("LOW", "low"),
        ("alloy", "low"),
        ("LOW(2)+high(1)", "low(2)+high(1)"),
    ],
)
async def test_a_voice_of_the_model_goes_first(library, voice, meant):
    library.add_voice(sine(), name="Low")
    asked = await with_voice(request(voice), CLONING, library, generic=("alloy",))
    assert asked == request(meant)


@pytest.mark.parametrize("voice", ["", "default"])
@pytest.mark.parametrize("by", ["id", "name"])
async def test_a_configured_cloned_voice_is_used(library, voice, by):
    (cloned,) = library.voices()
    configured = getattr(cloned, by)
    asked = await with_voice(request(voice), CLONING, library, configured)
    assert (asked.voice, asked.reference_text, asked.language) == ("high", "Hello.", "de")
    assert asked.reference.sample_rate == 16_000
    assert (await with_voice(request("low"), CLONING, library, configured)).reference is None
    own = sine(2.0, sample_rate=16_000)
    assert (await with_voice(request(voice, reference=own), CLONING, library, configured)) == (
        request("high", reference=own)
    )


async def test_a_configured_voice_of_the_model_goes_first(library):
    library.add_voice(sine(), name="Low")
    assert await with_voice(request(""), CLONING, library, "Low") == request("low")


@pytest.mark.parametrize(
    ("model", "configured", "why"),
    [
        (PLAIN, "my-voice", "m/plain clones no voices such as 'my-voice'; its own default 'low'"),
        (PLAIN, "nobody", "m/plain has no voice 'nobody'; its own default 'low'"),
        (CLONING, "nobody", "m/clones has no voice 'nobody'; its own default 'high'"),
        (CLONING, "nobody(2)+low(1)", "m/clones has no voice 'nobody(2)+low(1)'; its own"),
        (CLONING, "damaged", "'damaged' cannot be heard: The recording 'damaged' is damaged"),
    ],
)
async def test_a_configured_voice_that_cannot_be_is_told_once(
    library, caplog, model, configured, why
):
    damaged = library.add_voice(sine(), name="damaged")
    (library.root / "samples" / f"{damaged.id}.wav").write_bytes(b"RIFF")
    with caplog.at_level("INFO", "open_speech"):
        own = request("", reference=sine(2.0, sample_rate=16_000))
        assert (await with_voice(own, model, library, configured)).reference is own.reference
        assert not caplog.messages
        for voice in ("", "default", ""):
            asked = await with_voice(request(voice), model, library, configured)
            assert asked == request(model.voices[-1].id)
    (line,) = caplog.messages
    assert line.startswith(why)
    with pytest.raises((UnknownVoice, UnsupportedCapability, InvalidAudio)):
        await with_voice(request(configured), model, library, configured)


async def test_a_model_that_clones_nothing_says_so(library):
    with pytest.raises(UnsupportedCapability, match="voice_clone") as caught:
        await with_voice(request("my-voice"), PLAIN, library)
    assert caught.value.param == "voice"


async def test_an_unknown_voice_is_told_with_near_names(library):
    with pytest.raises(UnknownVoice, match="'my-voice'"):
        await with_voice(request("my_voice"), CLONING, library)
    with pytest.raises(UnknownVoice, match="'default' means"):
        await with_voice(request("../../canary"), CLONING, library)


async def test_two_recordings_at_once_are_refused(library):
    with pytest.raises(InvalidRequest, match="carries another"):
        await with_voice(request("my-voice", reference=sine()), CLONING, library)


async def test_a_recording_in_the_request_comes_at_the_rate_of_the_model():
    asked = await with_voice(request("low", reference=sine(sample_rate=48_000)), CLONING, None)
    assert asked.reference.sample_rate == 16_000
    assert asked.voice == "low"


async def spoken(speech, voice, model="tone/sine", **options) -> int:
    """The frequency of what is spoken, in Hz."""
    asked = request(voice)
    samples = [audio.samples async for audio in speech.synthesize(asked, model=model, **options)]
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


async def test_a_model_speaks_with_the_configured_recorded_voice(make_speech, library):
    config = {"tts": Defaults(voice="my-voice"), "voice_library": library}
    async with make_speech(install=("tone",), **config) as speech:
        assert await spoken(speech, "") == 300
        assert await spoken(speech, "low") == 220
        assert await spoken(speech, "", "tone/plain") != 300
        library.delete_voice("my-voice")
        assert await spoken(speech, "") != 300


@pytest.mark.parametrize(
    ("voice", "tagged", "frequency"),
    [("my-voice", "high", 880), ("high", "my-voice", 300), ("my-voice", None, 300)],
)
async def test_a_piece_may_have_another_voice(make_speech, library, voice, tagged, frequency):
    def prepare(asked, model):
        return [Utterance(text=asked.text, voice=tagged)]

    async with make_speech(install=("tone",), voice_library=library) as speech:
        assert await spoken(speech, voice, prepare=prepare) == frequency
