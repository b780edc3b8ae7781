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
from open_speech._synthesis.gaps import SILENT
from open_speech._synthesis.utterances import Pause, Utterance, whole
from open_speech.errors import (
    InvalidAudio,
    InvalidRequest,
    ModelNotFound,
    UnknownVoice,
    UnsupportedCapability,
)
from open_speech.testing import sine
from open_speech.testing.tone import AMPLITUDE, GAINS_DB
from open_speech.text.prepare import prepare


def test_public_names_are_those_that_all_lists():
    for name in open_speech.__all__:
        assert getattr(open_speech, name) is not None
    assert len(set(open_speech.__all__)) == len(open_speech.__all__)
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
        print(sum(len(audio.samples) for audio in portal.iterate(speech.synthesize(request))))
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
        chunks = [audio async for audio in speech.synthesize(SpeechRequest(text="Hello", voice=""))]
    assert chunks


async def test_with_no_provider_at_all_it_says_so(make_speech):
    async with make_speech(install=()) as speech:
        with pytest.raises(ModelNotFound, match="No installed provider does text to speech"):
            await anext(speech.synthesize(SpeechRequest(text="Hello", voice="")))


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
            await anext(speech.synthesize(SpeechRequest(text="Hello", voice=""), model="tone/echo"))


async def test_only_a_voice_that_the_request_names_is_an_error(make_speech):
    async with make_speech(tts=Defaults(models=("tone/sine",), voice="af_heart")) as speech:
        assert await anext(speech.synthesize(SpeechRequest(text="Hello", voice="")))
        with pytest.raises(UnknownVoice):
            await anext(speech.synthesize(SpeechRequest(text="Hello", voice="af_heart")))


async def test_a_device_that_the_model_lacks_falls_back_with_a_line(make_speech, caplog):
    async with make_speech(tts=Defaults(models=("tone/sine",), device="cuda")) as speech:
        assert await anext(speech.synthesize(SpeechRequest(text="Hello", voice="")))
        with pytest.raises(InvalidRequest, match="device"):
            await speech.load("tone/sine", device="cuda")
    assert "does not run on cuda" in caplog.text


async def test_stretches_are_heard_as_one_recording(make_speech):
    async def sound():
        for seconds in (1.0, 2.0, 1.5):
            yield sine(seconds)

    async with make_speech() as speech:
        request = TranscriptionRequest(word_timestamps=True)
        hearing = speech.transcribe_stream(sound(), request, model="tone/echo")
        events = [event async for event in hearing]
        whole = await speech.transcribe(sound(), request, model="tone/echo")
    assert [type(event) for event in events] == [DetectedLanguage] + [Segment] * 5
    spans = [(event.start, event.end) for event in events if isinstance(event, Segment)]
    assert spans == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 4.5)]
    assert [event.seek for event in events if isinstance(event, Segment)] == [0, 100, 200, 300, 400]
    assert whole.duration == 4.5
    assert whole.words[-1].end == 4.5


async def test_sound_that_cannot_be_decoded_loads_no_model_and_is_closed(make_speech):
    closed = []

    async def broken():
        try:
            raise InvalidAudio("That is no sound.")
            yield sine(1.0)
        finally:
            closed.append(True)

    async with make_speech() as speech:
        with pytest.raises(InvalidAudio, match="no sound"):
            await speech.transcribe(broken(), model="tone/echo")
        assert closed
        assert not [each for each in await speech.models() if each.loaded_at]
        for hear in (speech.transcribe_stream, speech.transcribe):
            refused = broken()
            hearing = hear(refused, model="tone/sine")
            with pytest.raises(InvalidRequest, match="does text to speech"):
                await (anext(hearing) if hear == speech.transcribe_stream else hearing)
            assert refused.ag_frame is None, "it is closed without having been begun"


async def test_seconds_of_audio_come_from_its_samples():
    assert Audio(samples=np.zeros(8000, np.float32), sample_rate=16_000).seconds == 0.5


async def test_a_text_is_split_off_the_event_loop(make_speech):
    import threading

    threads = []

    def prepare(request, model):
        threads.append(threading.current_thread())
        return whole(request, model)

    async with make_speech(prepare=prepare) as speech:
        await anext(speech.synthesize(SpeechRequest(text="Hello", voice=""), model="tone/sine"))
    assert threads
    assert threading.main_thread() not in threads


async def spoken(speech, text="Hello", *, model="tone/sine", **more):
    names = ("prepare", "volume", "even_loudness")
    options = {name: more.pop(name) for name in names if name in more}
    request = SpeechRequest(text=text, **{"voice": "", **more})
    return [audio async for audio in speech.synthesize(request, model=model, **options)]


def samples(chunks):
    return np.concatenate([audio.samples for audio in chunks])


def absolute(chunks):
    """Words with times from the start of the whole."""
    words, offset = [], 0.0
    for audio in chunks:
        words += [(word.text, round(offset + word.start, 3), word.span) for word in audio.words]
        offset += audio.seconds
    return words


async def test_pieces_and_pauses_are_spoken_in_order(make_speech):
    def prepare(request, model):
        return [Utterance(text="Hello"), Pause(seconds=0.5), Utterance(text="world", volume=0.5)]

    async with make_speech() as speech:
        sound = samples(await spoken(speech, prepare=prepare))
    assert len(sound) == pytest.approx(6000 + 12_000 + 6000, abs=2)  # a tone begins at zero
    assert np.abs(sound[:5800]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(sound[6001:17_999]).max() < SILENT
    assert np.abs(sound[18_200:]).max() == pytest.approx(0.25, abs=0.01)


async def test_a_piece_may_have_a_voice_and_a_pace_of_its_own(make_speech):
    def prepare(request, model):
        return [Utterance(text="Hello", voice="nova", speed=2.0)]

    async with make_speech() as speech:
        fast = samples(await spoken(speech, prepare=prepare))
        high = samples(await spoken(speech, voice="high", speed=2.0))
        with pytest.raises(UnknownVoice):
            await spoken(speech, prepare=lambda *_: [Utterance(text="Hello", voice="nobody")])
    np.testing.assert_array_equal(fast, high)


async def test_what_is_wrong_with_a_later_piece_is_told_before_the_first_sound(make_speech):
    def another_voice(request, model):
        return [
            Pause(seconds=0.1),
            Utterance(text="Hello"),
            Utterance(text="Hello", voice="nobody"),
        ]

    def another_language(request, model):
        return [Utterance(text="Hello"), Utterance(text="Bonjour", language="fr")]

    async with make_speech() as speech:
        request = SpeechRequest(text="Hello", voice="", word_timestamps=True)
        with pytest.raises(UnknownVoice):
            await anext(speech.synthesize(request, model="tone/sine", prepare=another_voice))
        assert await anext(speech.synthesize(request, model="tone/sine", prepare=another_language))
        await speech.load("tone/echo")  # aligns English and German
        with pytest.raises(UnsupportedCapability, match="find them in fr"):
            await anext(speech.synthesize(request, model="tone/plain", prepare=another_language))


async def test_volume_is_a_factor_on_the_samples_and_never_beyond_full_scale(make_speech):
    async with make_speech() as speech:
        plain = samples(await spoken(speech))
        soft = samples(await spoken(speech, volume=0.5))
        loud = samples(await spoken(speech, volume=10.0))
    np.testing.assert_allclose(soft, plain * 0.5)
    assert np.abs(loud).max() <= 1.0
    assert np.sqrt(np.mean(loud**2)) > 1.5 * np.sqrt(np.mean(plain**2))


@pytest.mark.parametrize("voice", ["low", "middle", "high"])
async def test_voices_are_brought_to_one_loudness_unless_it_is_not_wanted(make_speech, voice):
    async def peak(speech, **more):
        return np.abs(samples(await spoken(speech, model="tone/chorus", voice=voice, **more))).max()

    even = pytest.approx(AMPLITUDE * 10 ** (GAINS_DB[voice] / 20), rel=0.01)
    own = pytest.approx(AMPLITUDE, rel=0.01)
    async with make_speech() as speech:
        assert await peak(speech) == even
        assert await peak(speech, even_loudness=False) == own
    async with make_speech(even_loudness=False) as speech:
        assert await peak(speech) == own
        assert await peak(speech, even_loudness=True) == even


async def test_each_piece_has_the_gain_of_its_own_voice(make_speech):
    def prepare(request, model):
        return [Utterance(text="Hello", voice="low"), Pause(seconds=0.5), Utterance(text="Hello")]

    async with make_speech() as speech:
        sound = samples(await spoken(speech, model="tone/chorus", voice="high", prepare=prepare))
    assert np.abs(sound[:5000]).max() == pytest.approx(AMPLITUDE * 10**-0.3, rel=0.01)
    assert np.abs(sound[-5000:]).max() == pytest.approx(AMPLITUDE * 10**0.2, rel=0.01)


NOTHING_TO_SAY = ["...", ".", "!", "\N{GRINNING FACE}", "***", "# ", "[pause:0s]", "<br>", "\0"]


@pytest.mark.parametrize("text", NOTHING_TO_SAY)
async def test_a_text_with_nothing_to_say_is_a_short_silence(make_speech, text):
    async with make_speech(prepare=prepare) as speech:
        for model in ("tone/sine", "tone/plain"):
            sound = samples(await spoken(speech, text, model=model))
            assert len(sound) == 0.3 * 24_000
            assert not sound.any()


async def test_a_pause_alone_lasts_as_long_as_it_says(make_speech):
    async with make_speech(prepare=prepare) as speech:
        sound = samples(await spoken(speech, "[pause:1s]"))
    assert len(sound) == 24_000
    assert not sound.any()


async def test_pieces_that_an_engine_has_no_sound_for_are_a_short_silence(make_speech):
    async with make_speech(prepare=lambda *_: [Utterance(text="")]) as speech:
        assert len(samples(await spoken(speech, "x"))) == 0.3 * 24_000


@pytest.mark.parametrize("text", ["", " ", "\n\t \u2003"])
async def test_an_empty_text_is_refused_before_a_model_is_loaded(make_speech, text):
    async with make_speech(prepare=prepare) as speech:
        with pytest.raises(InvalidRequest, match="is empty"):
            await spoken(speech, text)
        assert not [each for each in await speech.models() if each.loaded_at]


@pytest.mark.parametrize("speed", [0.5, 2.0])
async def test_an_engine_without_a_pace_is_sped_up_here(make_speech, speed):
    async with make_speech() as speech:
        plain = samples(await spoken(speech, "A whole sentence", model="tone/plain"))
        other = samples(await spoken(speech, "A whole sentence", model="tone/plain", speed=speed))
    assert len(other) == pytest.approx(len(plain) / speed, abs=1500)


@pytest.mark.parametrize("speed", [0.25, 0.6, 1.3, 3.0])
async def test_a_speed_makes_speech_and_gaps_shorter_but_no_pause(make_speech, speed):
    def prepare(request, model):
        return [
            Utterance(text="x" * 20),
            Utterance(text="x" * 20),
            Pause(seconds=1.0),
            Utterance(text="x" * 20),
        ]

    async with make_speech() as speech:
        for model in ("tone/plain", "tone/sine"):
            chunks = await spoken(speech, model=model, speed=speed, prepare=prepare)
            seconds = sum(audio.seconds for audio in chunks)
            assert seconds == pytest.approx(1.0 + 3.0 / speed, rel=0.01)


@pytest.mark.parametrize("model", ["tone/plain", "tone/sine"])
@pytest.mark.parametrize(("speed", "seconds"), [(4.0, 0.25), (0.25, 4.0)])
async def test_paces_that_add_up_stay_within_bounds(make_speech, model, speed, seconds):
    def prepare(request, model):
        return [Utterance(text=request.text, speed=speed)]

    async with make_speech() as speech:
        chunks = await spoken(speech, "x" * 20, model=model, speed=speed, prepare=prepare)
    assert sum(audio.seconds for audio in chunks) == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("speed", [0.0, -1.0, 20.0, float("nan"), float("inf")])
async def test_a_pace_that_cannot_be_is_refused(make_speech, speed):
    async with make_speech() as speech:
        for model in ("tone/plain", "tone/sine"):
            with pytest.raises(InvalidRequest, match="speed") as caught:
                await spoken(speech, model=model, speed=speed)
            assert caught.value.param == "speed"


async def test_word_times_of_the_whole_are_those_of_the_engine(make_speech):
    def prepare(request, model):
        return [Utterance(text="one two"), Pause(seconds=1.0), Utterance(text="three", start=8)]

    async with make_speech() as speech:
        chunks = await spoken(speech, "one two three", prepare=prepare, word_timestamps=True)
    assert [(text, start) for text, start, _ in absolute(chunks)] == [
        ("one", 0.0),
        ("two", 0.2),
        ("three", 1.35),
    ]


async def test_without_a_model_that_aligns_there_are_no_times_and_no_guesses(make_speech):
    async with make_speech() as speech:
        with pytest.raises(UnsupportedCapability, match="no loaded speech-to-text model"):
            await spoken(speech, model="tone/plain", word_timestamps=True)


async def test_a_pattern_of_names_means_the_default(make_speech):
    config = {
        "tts": Defaults(models=("tone/sine",)),
        "alias_patterns": {"tts-9-*": open_speech.Kind.TTS},
    }
    async with make_speech(install=("tone",), **config) as speech:
        assert speech.resolve("tts-9-hd").model.id == "tone/sine"
        with pytest.raises(ModelNotFound):
            speech.resolve("tts-8-hd")
