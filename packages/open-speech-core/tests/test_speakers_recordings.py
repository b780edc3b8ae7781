"""Diarization through the service, with a provider that takes each pitch for a speaker."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from open_speech import (
    Audio,
    DiarizationRequest,
    Segment,
    TranscriptionRequest,
)
from open_speech.errors import (
    InvalidRequest,
    InvalidResult,
    OpenSpeechError,
    UnsupportedCapability,
    WorkerDied,
)
from open_speech.speakers.known import KnownSpeaker
from open_speech.testing import join, silence, sine
from open_speech.testing.faulty import DIARIZATION_FAULTS, EMBEDDING_FAULTS
from open_speech.transcripts.recordings import Sound, chunks_of

LOW, HIGH, OTHER = (sine(2.0, frequency=each) for each in (220.0, 880.0, 1760.0))
TALK = join(LOW, silence(0.5), HIGH, silence(0.5), LOW)


def spans(found) -> list[tuple[float, float, str]]:
    return [(round(each.start, 2), round(each.end, 2), each.speaker) for each in found.turns]


def again(sound: Audio) -> Callable[[int], Sound]:
    async def pieces(rate: int):
        assert rate == sound.sample_rate
        for first in range(0, len(sound.samples), rate // 3):
            yield Audio(samples=sound.samples[first : first + rate // 3], sample_rate=rate)

    return pieces


@pytest.mark.parametrize("recording", [TALK, again(TALK)], ids=["whole", "in pieces"])
@pytest.mark.parametrize("isolated", [True, False], ids=["worker", "in-process"])
async def test_speakers_are_told_apart(make_speech, recording, isolated):
    async with make_speech(install=("tone",), isolated=isolated) as speech:
        found = await speech.diarize(recording)
    assert spans(found) == [(0.0, 2.0, "A"), (2.5, 4.5, "B"), (5.0, 7.0, "A")]
    assert found.duration == pytest.approx(7.0)


async def test_those_who_speak_at_once_overlap(make_speech):
    both = Audio(samples=(LOW.samples + HIGH.samples) / 2, sample_rate=16_000)
    async with make_speech(install=("tone",)) as speech:
        found = await speech.diarize(join(LOW, both, HIGH))
    assert spans(found) == [(0.0, 4.0, "A"), (2.0, 6.0, "B")]


async def test_silence_has_no_speakers(make_speech):
    async with make_speech(install=("tone",)) as speech:
        found = await speech.diarize(silence(3.0))
    assert (found.turns, found.duration) == ((), 3.0)


async def test_no_more_speakers_are_found_than_asked_for(make_speech):
    async with make_speech(install=("tone",)) as speech:
        found = await speech.diarize(TALK, DiarizationRequest(max_speakers=1))
    assert found.speakers == ("A",)


async def test_a_model_is_told_where_somebody_speaks_if_it_asks(make_speech):
    """``tone/level`` takes for speech what is loud: the second tone is not."""
    quiet = Audio(samples=HIGH.samples * 0.01, sample_rate=16_000)
    async with make_speech(install=("tone",)) as speech:
        told = await speech.diarize(join(LOW, silence(0.5), quiet))
        own = await speech.diarize(
            join(LOW, silence(0.5), HIGH), DiarizationRequest(speech=((2.4, 9.0),))
        )
    assert spans(told) == [(0.0, 2.0, "A")]
    assert spans(own) == [(2.5, 4.5, "A")]


async def test_known_speakers_are_named_and_strangers_are_not(make_speech):
    known = [
        KnownSpeaker(name="Helen", audio=sine(3.0, frequency=880.0)),
        KnownSpeaker(name="Otto", audio=sine(3.0, frequency=1760.0)),
    ]
    async with make_speech(install=("tone",)) as speech:
        found = await speech.diarize(again(TALK), known=known)
        without = await speech.diarize(again(LOW), known=known)
    assert spans(found) == [(0.0, 2.0, "A"), (2.5, 4.5, "Helen"), (5.0, 7.0, "A")]
    assert spans(without) == [(0.0, 2.0, "A")]


async def test_a_known_voice_that_is_too_short_is_an_error(make_speech):
    async with make_speech(install=("tone",)) as speech:
        with pytest.raises(InvalidRequest, match="too short"):
            await speech.diarize(TALK, known=[KnownSpeaker(name="Ann", audio=sine(0.1))])


async def test_a_speaker_too_brief_to_be_recognized_is_a_stranger(make_speech):
    known = [KnownSpeaker(name="Ann", audio=LOW)]
    async with make_speech(install=("tone",)) as speech:
        request = DiarizationRequest(speech=((0.0, 1.0),))
        found = await speech.diarize(sine(0.2, frequency=220.0), request, known=known)
    assert found.speakers == ("A",)


async def test_voices_are_compared_by_their_vectors(make_speech):
    async with make_speech(install=("tone",)) as speech:
        low, high = [await speech.embed(each) for each in (LOW, HIGH)]
        again_low = await speech.embed(sine(1.0, frequency=220.0))
    assert np.linalg.norm(low.vector) == pytest.approx(1.0)
    assert low.similarity(again_low) > 0.9 > low.similarity(high)


async def test_a_model_that_speaks_does_not_diarize(make_speech):
    async with make_speech(install=("tone",)) as speech:
        with pytest.raises(InvalidRequest, match="text to speech, not diarization"):
            await speech.diarize(TALK, model="tone/sine")
        with pytest.raises(InvalidRequest, match="text to speech, not diarization"):
            await speech.embed(TALK, model="tone/sine")


async def test_a_model_without_vectors_cannot_know_anybody(make_speech, site):
    source = """
from open_speech import DiarizationBackend, DiarizationModel, ModelInfo, SpeakerTurn, hookimpl

class Model(DiarizationModel):
    def diarize(self, request, sound):
        seconds = sum(each.seconds for each in sound)
        yield SpeakerTurn(start=0.0, end=seconds, speaker=0)

class Backend(DiarizationBackend):
    name = "plain"
    models = (ModelInfo(id="plain"),)
    model_class = Model

@hookimpl
def open_speech_backends():
    return [Backend()]
"""
    from open_speech.testing import install_provider

    install_provider(site, "plain", source)
    async with make_speech(install=("tone",), providers=["plain", "tone"]) as speech:
        assert (await speech.diarize(TALK, model="plain")).speakers == ("A",)
        known = [KnownSpeaker(name="Ann", audio=LOW)]
        with pytest.raises(UnsupportedCapability, match="embedding"):
            await speech.diarize(TALK, model="plain", known=known)
        with pytest.raises(UnsupportedCapability, match="embedding"):
            await speech.embed(TALK, model="plain")


async def test_words_are_given_to_their_speakers(make_speech):
    """``tone/echo`` hears one segment of five words in each second."""
    async with make_speech(install=("tone",)) as speech:
        sound = join(sine(1.5, frequency=220.0), sine(1.5, frequency=880.0))
        speakers = await speech.diarize(sound)
        whole = await speech.transcribe(sound, model="tone/echo")
        told = await speech.transcribe(sound, model="tone/echo", speakers=speakers)
        events = speech.transcribe_stream(
            chunks_of(sound), TranscriptionRequest(), model="tone/echo", speakers=speakers
        )
        live = [event async for event in events if isinstance(event, Segment)]
    assert told.text == whole.text
    first, second, third, fourth = told.segments
    assert [each.speaker for each in told.segments] == ["A", "A", "B", "B"]
    assert (second.end, third.start) == (pytest.approx(1.6), pytest.approx(1.6))
    assert live == [first, second, third, fourth]


FATAL = {"segfault", "exit", "kill", "abort"}
SLOW = {"hang", "hang-native", "hang-gil", "spin"}
HARMLESS = {"leak", "shout", "fork", "disturb", "close-files"}


@pytest.mark.parametrize("fault", sorted({*DIARIZATION_FAULTS} - FATAL - SLOW - HARMLESS), ids=str)
async def test_turns_that_break_the_contract_are_one_clear_error(make_speech, fault):
    async with make_speech(install=("faulty",)) as speech:
        with pytest.raises(OpenSpeechError) as caught:
            await speech.diarize(TALK, model=f"faulty/diarize-{fault}")
        assert caught.value.model == f"faulty/diarize-{fault}"
        if fault not in {"raise", "memory-error", "system-exit"}:
            assert isinstance(caught.value, InvalidResult)
        found = await speech.diarize(TALK, model="faulty/diarize")
    assert found.speakers == ("A", "B")


@pytest.mark.parametrize("fault", sorted({*EMBEDDING_FAULTS} - FATAL - SLOW - HARMLESS), ids=str)
async def test_vectors_that_break_the_contract_are_one_clear_error(make_speech, fault):
    async with make_speech(install=("faulty",)) as speech:
        with pytest.raises(OpenSpeechError) as caught:
            await speech.embed(TALK, model=f"faulty/embed-{fault}")
        assert caught.value.model == f"faulty/embed-{fault}"
        if fault not in {"raise", "memory-error", "system-exit"}:
            assert isinstance(caught.value, InvalidResult)
        assert (await speech.embed(TALK, model="faulty/diarize")).vector == (0.6, 0.8)


@pytest.mark.parametrize("fault", sorted(FATAL))
async def test_a_crash_in_the_middle_fails_that_call_alone(make_speech, fault):
    options = {"faulty": {"after": 2}}
    async with make_speech(options=options) as speech:
        with pytest.raises(WorkerDied):
            await speech.diarize(TALK, model=f"faulty/diarize-{fault}")
        with pytest.raises(WorkerDied):
            await speech.embed(TALK, model=f"faulty/embed-{fault}")
        assert (await speech.diarize(TALK, model="tone/pitch")).speakers == ("A", "B")
