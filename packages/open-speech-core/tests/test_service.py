"""Speak and hear, from a plain script and from asynchronous code."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import open_speech
from open_speech import (
    Audio,
    Defaults,
    DetectedLanguage,
    Segment,
    SpeechRequest,
    TranscriptionRequest,
)
from open_speech.errors import InvalidRequest, ModelNotFound, UnknownVoice
from open_speech.testing import sine


def test_public_names_are_those_that_all_lists():
    for name in open_speech.__all__:
        assert getattr(open_speech, name) is not None
    assert sorted(open_speech.__all__) == open_speech.__all__
    with pytest.raises(AttributeError):
        _ = open_speech.nothing  # type: ignore[attr-defined]


def test_a_plain_script_speaks_and_hears(site, environment):
    from open_speech.testing import install_provider

    install_provider(site, "tone", "open_speech.testing.tone")
    script = """
from open_speech import Config, OpenSpeech, Portal, SpeechRequest
if __name__ == "__main__":
    with Portal() as portal, portal.enter(OpenSpeech(Config(providers={"tone"}))) as speech:
        request = SpeechRequest(text="Hello", voice="")
        print(sum(len(audio.samples) for audio in portal.iterate(speech.speak(request))))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "6000\n", done.stderr
    assert done.stderr == ""


async def test_without_a_configured_default_the_first_of_the_catalogue_serves(make_speech):
    async with make_speech(install=("tone",)) as speech:
        stretches = [audio async for audio in speech.speak(SpeechRequest(text="Hello", voice=""))]
    assert stretches


async def test_with_no_provider_at_all_it_says_so(make_speech):
    async with make_speech(install=()) as speech:
        with pytest.raises(ModelNotFound, match="No installed provider does text to speech"):
            await anext(speech.speak(SpeechRequest(text="Hello", voice="")))


async def test_an_alias_means_the_default_of_its_kind(make_speech):
    config = {
        "tts": Defaults(models=("tone/plain",)),
        "aliases": {"tts-1": open_speech.Kind.TTS},
    }
    async with make_speech(**config) as speech:
        assert speech.resolve("tts-1").id == "tone/plain"


async def test_a_model_of_the_other_kind_is_refused(make_speech):
    async with make_speech() as speech:
        with pytest.raises(InvalidRequest, match="does speech to text, not text to speech"):
            await anext(speech.speak(SpeechRequest(text="Hello", voice=""), model="tone/echo"))


async def test_only_a_voice_that_the_request_names_is_an_error(make_speech):
    async with make_speech(tts=Defaults(models=("tone/sine",), voice="af_heart")) as speech:
        assert await anext(speech.speak(SpeechRequest(text="Hello", voice="")))
        with pytest.raises(UnknownVoice):
            await anext(speech.speak(SpeechRequest(text="Hello", voice="af_heart")))


async def test_a_device_that_the_model_lacks_falls_back_with_a_line(make_speech, caplog):
    async with make_speech(tts=Defaults(models=("tone/sine",), device="cuda")) as speech:
        assert await anext(speech.speak(SpeechRequest(text="Hello", voice="")))
        with pytest.raises(InvalidRequest, match="device"):
            await speech.load("tone/sine", device="cuda")
    assert "does not run on cuda" in caplog.text


async def test_stretches_are_heard_as_one_recording(make_speech):
    async def rest():
        yield sine(2.0)
        yield sine(1.5)

    async with make_speech() as speech:
        request = TranscriptionRequest(audio=sine(1.0), word_timestamps=True)
        hearing = speech.hear(request, model="tone/echo", rest=rest())
        events = [event async for event in hearing]
        whole = await speech.transcribe(request, model="tone/echo", rest=rest())
    assert [type(event) for event in events] == [DetectedLanguage] + [Segment] * 5
    spans = [(event.start, event.end) for event in events if isinstance(event, Segment)]
    assert spans == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 4.5)]
    assert [event.seek for event in events if isinstance(event, Segment)] == [0, 100, 200, 300, 400]
    assert whole.duration == 4.5
    assert whole.words[-1].end == 4.5


async def test_seconds_of_audio_come_from_its_samples():
    assert Audio(samples=np.zeros(8000, np.float32), sample_rate=16_000).seconds == 0.5


async def test_a_text_is_split_off_the_event_loop(make_speech):
    import threading

    threads = []

    def split(text, _):
        threads.append(threading.current_thread())
        return [text]

    async with make_speech(split_text=split) as speech:
        await anext(speech.speak(SpeechRequest(text="Hello", voice=""), model="tone/sine"))
    assert threads
    assert threading.main_thread() not in threads
