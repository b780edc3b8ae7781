"""Speakers are recognized by their voice, or not at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Audio, SpeakerEmbedding, SpeakerTurn
from open_speech.speakers.known import ENOUGH_S, recognized, voices_of
from open_speech.testing import join, silence, sine
from open_speech.transcripts.recordings import chunks_of

RATE = 16_000


def at(degrees: float) -> SpeakerEmbedding:
    return SpeakerEmbedding(
        vector=(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    )


def turn(start: float, end: float, speaker: int) -> SpeakerTurn:
    return SpeakerTurn(start=start, end=end, speaker=speaker)


async def pieces(sound: Audio, size: int):
    for first in range(0, len(sound.samples), size):
        yield Audio(samples=sound.samples[first : first + size], sample_rate=RATE)


@pytest.mark.parametrize(
    ("voices", "names"),
    [
        ({0: 1, 1: 91}, {0: "Ann", 1: "Bob"}),
        ({0: 91, 1: 1}, {0: "Bob", 1: "Ann"}),
        ({0: 45}, {}),  # like neither
        ({0: 200}, {}),
        ({0: 5, 1: 3}, {1: "Ann"}),  # the more alike; the other is somebody else
        ({}, {}),
    ],
)
def test_whoever_is_most_alike_has_the_name(voices, names):
    vectors = {speaker: at(degrees) for speaker, degrees in voices.items()}
    assert recognized(vectors, [("Ann", at(0)), ("Bob", at(90))], 0.9) == names


@given(
    st.dictionaries(st.integers(0, 5), st.floats(0, 360)), st.lists(st.floats(0, 360), max_size=4)
)
def test_a_stranger_is_never_named_and_no_name_is_given_twice(voices, known):
    vectors = {speaker: at(degrees) for speaker, degrees in voices.items()}
    references = [(str(number), at(degrees)) for number, degrees in enumerate(known)]
    names = recognized(vectors, references, 0.8)
    assert len(set(names.values())) == len(names)
    for speaker, name in names.items():
        assert vectors[speaker].similarity(dict(references)[name]) >= 0.8


@pytest.mark.parametrize("size", [RATE // 3, 7_777, 10 * RATE])
async def test_a_voice_is_what_is_said_while_nobody_else_speaks(size):
    low, high = sine(2.0, frequency=220.0), sine(2.0, frequency=880.0)
    both = Audio(samples=(low.samples + high.samples) / 2, sample_rate=RATE)
    sound = join(low, silence(0.5), high, both)
    turns = [turn(0.0, 2.0, 0), turn(2.5, 6.5, 1), turn(4.5, 6.5, 0)]
    voices = await voices_of(turns, pieces(sound, size))
    assert set(voices) == {0, 1}
    for speaker, hertz in ((0, 220.0), (1, 880.0)):
        samples = voices[speaker].samples
        assert 1.7 * RATE < len(samples) <= 2.0 * RATE
        spectrum = np.abs(np.fft.rfft(samples))
        found = np.argmax(spectrum) * RATE / len(samples)
        assert found == pytest.approx(hertz, abs=1.0)


async def test_no_more_is_kept_than_is_enough():
    turns = [turn(number * 7.0, number * 7.0 + 6.0, 0) for number in range(20)]
    voices = await voices_of(turns, pieces(sine(140.0), RATE))
    assert voices[0].seconds == pytest.approx(ENOUGH_S, abs=0.01)


async def test_somebody_who_is_never_heard_alone_has_no_voice():
    turns = [turn(0.0, 4.0, 0), turn(1.0, 2.0, 1)]
    assert set(await voices_of(turns, chunks_of(sine(4.0)))) == {0}
