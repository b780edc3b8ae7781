"""Times of transcripts, with published weights of Whisper."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from open_speech import (
    Config,
    OpenSpeech,
    Policy,
    Transcription,
    TranscriptionRequest,
    VoiceActivity,
)
from open_speech._hosts import ThisProcess
from open_speech.codecs.decode import decode
from open_speech.transcripts.cues import Cue, cues_of_transcript
from real.repositories import BASE, TINY_EN

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
DATA = Path(__file__).with_name("data")
MODELS = (TINY_EN, pytest.param(BASE, marks=pytest.mark.deep))


@pytest.fixture(scope="module", params=MODELS)
def folder(request: pytest.FixtureRequest, weights: Callable[[str], Path]) -> Path:
    """Where the weights of a model lie."""
    return weights(request.param)


@pytest.fixture
async def speech(folder: Path) -> AsyncIterator[OpenSpeech]:
    local, patient = {"whisper:real": folder}, Policy(load_wait_s=300.0)
    config = Config(providers=("whisper",), local_models=local, home=ThisProcess(), policy=patient)
    async with OpenSpeech(config) as running:
        yield running


async def heard(speech: OpenSpeech, name: str, *, words: bool) -> Transcription:
    request = TranscriptionRequest(word_timestamps=words, voice_activity=VoiceActivity())
    sound = decode(DATA / f"{name}.flac", sample_rate=16_000)
    return await speech.transcribe(sound, request, model="whisper:real", pauses=True)


async def cues(speech: OpenSpeech, name: str, *, words: bool = True) -> list[Cue]:
    found = await heard(speech, name, words=words)
    return cues_of_transcript(found.segments, found.pauses)


@pytest.mark.parametrize("words", [True, False])
async def test_nothing_ends_after_a_recording_of_one_second(speech, words):
    found = await heard(speech, "one_s", words=words)
    assert found.duration == pytest.approx(1.0, abs=0.001)
    assert found.segments
    ends = [each.end for each in found.segments] + [each.end for each in found.words]
    assert max(ends) <= found.duration
    assert all(cue.end <= found.duration for cue in await cues(speech, "one_s", words=words))


@pytest.mark.parametrize("words", [True, False])
async def test_what_is_said_far_apart_is_shown_apart(speech, words):
    found = await cues(speech, "multi", words=words)
    assert [cue.text for cue in found] == ["Yes.", "Hello there.", "Stop now."]
    assert [cue.start for cue in found] == pytest.approx([0.0, 5.6, 12.4], abs=0.2)
    assert all(cue.end - cue.start < 1.5 for cue in found)


@pytest.mark.parametrize("words", [True, False])
async def test_a_sentence_of_twenty_seconds_can_be_read(speech, words):
    found = await cues(speech, "runon", words=words)
    assert len(found) >= 4
    for cue in found:
        assert len(cue.lines) <= 2
        assert all(len(line) <= 42 for line in cue.lines)
        assert cue.end - cue.start <= 7.0


async def test_a_recording_out_of_phase_is_understood(speech):
    found = await heard(speech, "antiphase", words=False)
    said = "the quick brown fox jumps over the lazy dog then it runs away into the forest"
    assert re.findall(r"\w+", found.text.lower()) == said.split()
