"""The model's answers to requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from open_speech import Audio, DiarizationRequest, EmbeddingRequest, LoadContext
from open_speech.errors import InvalidRequest
from open_speech.testing import join, noise, read_wav, silence
from open_speech_provider_campplus import CampplusBackend

SOUND = read_wav(Path(__file__).parent / "data" / "two-speakers.wav")
TURNS = ((0.40, 3.55, 0), (3.90, 6.75, 1), (7.10, 9.99, 0), (10.34, 13.24, 1))


@pytest.fixture(scope="module")
def model():
    backend = CampplusBackend()
    return backend.load(backend.list_available()[0], LoadContext())


def turns(model, sound: Audio, **request):
    asked = DiarizationRequest(**request)
    return [turn for turn in model.diarize(asked, iter([sound])) if turn]


@pytest.mark.parametrize("speech", [None, tuple((start, end) for start, end, _ in TURNS)])
def test_turns_are_where_they_are(model, speech):
    found = turns(model, SOUND, speech=speech)
    assert [turn.speaker for turn in found] == [speaker for _, _, speaker in TURNS]
    for turn, (start, end, _) in zip(found, TURNS, strict=True):
        assert turn.start == pytest.approx(start, abs=0.2)
        assert turn.end == pytest.approx(end, abs=0.2)


def test_voices_are_known_again_after_a_long_time(model):
    found = turns(model, join(SOUND, silence(20.0), SOUND))
    assert [turn.speaker for turn in found] == [0, 1, 0, 1] * 2


@pytest.mark.parametrize(
    ("asked", "speakers"),
    [
        ({"max_speakers": 1}, 1),
        ({"min_speakers": 2, "max_speakers": 2}, 2),
        ({"max_speakers": 5}, 2),
        ({"min_speakers": 1}, 2),
    ],
)
def test_as_many_speakers_as_are_asked_for(model, asked, speakers):
    assert len({turn.speaker for turn in turns(model, SOUND, **asked)}) == speakers


def test_noise_does_not_change_who_speaks(model):
    hiss = noise(SOUND.seconds, amplitude=0.01)
    found = turns(
        model, Audio(samples=SOUND.samples + hiss.samples[: len(SOUND.samples)], sample_rate=16_000)
    )
    assert [turn.speaker for turn in found] == [0, 1, 0, 1]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.3, 3.0])
def test_a_voice_needs_speech(model, seconds):
    request = EmbeddingRequest(audio=silence(seconds))
    with pytest.raises(InvalidRequest, match=r"0\.5 s of speech") as caught:
        list(model.embed(request))
    assert caught.value.hint


def test_loudness_does_not_change_a_voice(model):
    def vector(factor: float):
        audio = Audio(samples=SOUND.samples[:56_000] * factor, sample_rate=16_000)
        return next(iter(model.embed(EmbeddingRequest(audio=audio))))

    assert vector(1.0).similarity(vector(0.1)) > 0.99
