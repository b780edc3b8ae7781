"""Silences of a recording."""

from __future__ import annotations

import numpy as np
import pytest

from open_speech._types.audio import Audio
from open_speech.testing import join, noise, silence
from open_speech.transcripts.pauses import find_pauses

RATE = 16_000


def scaled(audio: Audio, factor: float) -> Audio:
    return Audio(samples=audio.samples * np.float32(factor), sample_rate=audio.sample_rate)


@pytest.mark.parametrize("loud", [1.0, 0.05])
def test_silences_are_found_to_a_frame(loud: float) -> None:
    sound = scaled(join(noise(1), silence(2), noise(1), silence(0.5)), loud)
    found = find_pauses(sound)
    assert np.allclose(found, [(1.0, 3.0), (4.0, 4.5)], atol=0.021)
    assert found[-1][1] == sound.seconds


def test_a_silence_may_be_a_room_with_its_noise() -> None:
    said = join(noise(2), silence(1.5), noise(2))
    room = scaled(noise(5.5, seed=7), 0.02)
    found = find_pauses(Audio(samples=said.samples + room.samples, sample_rate=RATE))
    assert np.allclose(found, [(2.0, 3.5)], atol=0.021)


@pytest.mark.parametrize("sound", [noise(3), silence(0), noise(0.01)])
def test_steady_sound_has_none(sound: Audio) -> None:
    assert find_pauses(sound) == []


def test_a_breath_is_part_of_the_words() -> None:
    assert find_pauses(join(noise(1), silence(0.2), noise(1))) == []


def test_a_silent_recording_is_one() -> None:
    assert find_pauses(silence(3)) == [(0.0, 3.0)]
