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
from open_speech.errors import (
    InvalidRequest,
    ModelNotFound,
    UnknownVoice,
    UnsupportedCapability,
)
from open_speech.script import Pause, Piece, whole
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

    def prepare(request, model):
        threads.append(threading.current_thread())
        return whole(request, model)

    async with make_speech(prepare=prepare) as speech:
        await anext(speech.speak(SpeechRequest(text="Hello", voice=""), model="tone/sine"))
    assert threads
    assert threading.main_thread() not in threads


async def spoken(speech, text="Hello", *, model="tone/sine", **more):
    options = {name: more.pop(name) for name in ("prepare", "volume") if name in more}
    request = SpeechRequest(text=text, **{"voice": "", **more})
    return [audio async for audio in speech.speak(request, model=model, **options)]


def samples(stretches):
    return np.concatenate([audio.samples for audio in stretches])


def absolute(stretches):
    """Words with times from the start of the whole."""
    words, offset = [], 0.0
    for audio in stretches:
        words += [(word.text, round(offset + word.start, 3), word.span) for word in audio.words]
        offset += audio.seconds
    return words


async def test_pieces_and_pauses_are_spoken_in_order(make_speech):
    def prepare(request, model):
        return [Piece(text="Hello"), Pause(seconds=0.5), Piece(text="world", volume=0.5)]

    async with make_speech() as speech:
        sound = samples(await spoken(speech, prepare=prepare))
    assert len(sound) == 6000 + 12_000 + 6000
    assert np.abs(sound[:5800]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(sound[6000:18_000]).max() == 0
    assert np.abs(sound[18_200:]).max() == pytest.approx(0.25, abs=0.01)


async def test_a_piece_may_have_a_voice_and_a_pace_of_its_own(make_speech):
    def prepare(request, model):
        return [Piece(text="Hello", voice="nova", speed=2.0)]

    async with make_speech() as speech:
        fast = samples(await spoken(speech, prepare=prepare))
        high = samples(await spoken(speech, voice="high", speed=2.0))
        with pytest.raises(UnknownVoice):
            await spoken(speech, prepare=lambda *_: [Piece(text="Hello", voice="nobody")])
    np.testing.assert_array_equal(fast, high)


async def test_what_is_wrong_with_a_later_piece_is_told_before_the_first_sound(make_speech):
    def another_voice(request, model):
        return [Pause(seconds=0.1), Piece(text="Hello"), Piece(text="Hello", voice="nobody")]

    def another_language(request, model):
        return [Piece(text="Hello"), Piece(text="Bonjour", language="fr")]

    async with make_speech() as speech:
        request = SpeechRequest(text="Hello", voice="", word_timestamps=True)
        with pytest.raises(UnknownVoice):
            await anext(speech.speak(request, model="tone/sine", prepare=another_voice))
        assert await anext(speech.speak(request, model="tone/sine", prepare=another_language))
        await speech.load("tone/echo")  # aligns English and German
        with pytest.raises(UnsupportedCapability, match="find them in fr"):
            await anext(speech.speak(request, model="tone/plain", prepare=another_language))


async def test_volume_is_a_factor_on_the_samples_and_never_beyond_full_scale(make_speech):
    async with make_speech() as speech:
        plain = samples(await spoken(speech))
        soft = samples(await spoken(speech, volume=0.5))
        loud = samples(await spoken(speech, volume=10.0))
    np.testing.assert_allclose(soft, plain * 0.5)
    assert np.abs(loud).max() == 1.0


async def test_a_text_with_nothing_to_speak_is_refused(make_speech):
    async with make_speech(prepare=lambda *_: []) as speech:
        with pytest.raises(InvalidRequest, match="nothing to speak"):
            await spoken(speech)


@pytest.mark.parametrize("speed", [0.5, 2.0])
async def test_an_engine_without_a_pace_is_sped_up_here(make_speech, speed):
    async with make_speech() as speech:
        plain = samples(await spoken(speech, "A whole sentence", model="tone/plain"))
        other = samples(await spoken(speech, "A whole sentence", model="tone/plain", speed=speed))
    assert len(other) == pytest.approx(len(plain) / speed, abs=1500)


@pytest.mark.parametrize("model", ["tone/plain", "tone/sine"])
@pytest.mark.parametrize(("speed", "seconds"), [(4.0, 0.25), (0.25, 4.0)])
async def test_paces_that_add_up_stay_within_bounds(make_speech, model, speed, seconds):
    def prepare(request, model):
        return [Piece(text=request.text, speed=speed)]

    async with make_speech() as speech:
        stretches = await spoken(speech, "x" * 20, model=model, speed=speed, prepare=prepare)
    assert sum(audio.seconds for audio in stretches) == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("speed", [0.0, -1.0, 20.0, float("nan"), float("inf")])
async def test_a_pace_that_cannot_be_is_refused(make_speech, speed):
    async with make_speech() as speech:
        for model in ("tone/plain", "tone/sine"):
            with pytest.raises(InvalidRequest, match="speed") as caught:
                await spoken(speech, model=model, speed=speed)
            assert caught.value.param == "speed"


async def test_word_times_of_the_whole_are_those_of_the_engine(make_speech):
    def prepare(request, model):
        return [Piece(text="one two"), Pause(seconds=1.0), Piece(text="three", start=8)]

    async with make_speech() as speech:
        stretches = await spoken(speech, "one two three", prepare=prepare, word_timestamps=True)
    assert [(text, start) for text, start, _ in absolute(stretches)] == [
        ("one", 0.0),
        ("two", 0.2),
        ("three", 1.35),
    ]


async def test_without_a_model_that_aligns_there_are_no_times_and_no_guesses(make_speech):
    async with make_speech() as speech:
        with pytest.raises(UnsupportedCapability, match="no loaded speech-to-text model"):
            await spoken(speech, model="tone/plain", word_timestamps=True)
