"""Where speech is: pauses cut, silence gives nothing, the bounds hold for any sound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from open_speech import Audio, VoiceActivity
from open_speech_provider_pocketsphinx import regions as module
from open_speech_provider_pocketsphinx.regions import regions

RATE = 16_000


def silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(round(seconds * RATE), np.int16)


def pcm(audio: Audio) -> NDArray[np.int16]:
    return np.rint(audio.samples * 32_767).astype(np.int16)


@pytest.mark.parametrize("seconds", [0, 0.01, 1, 3])
def test_silence_has_none(seconds: float) -> None:
    assert list(regions(silence(seconds))) == []


def test_a_sentence_is_one(recording: Callable[[str], Audio]) -> None:
    sound = pcm(recording("late"))
    ((start, end),) = regions(sound)
    assert start == 0
    assert end > 0.9 * len(sound)


@pytest.mark.parametrize(("pause", "count"), [(0.3, 1), (2.0, 2), (5.0, 2)])
def test_pauses_cut(recording: Callable[[str], Audio], pause: float, count: int) -> None:
    first, second = pcm(recording("open")), pcm(recording("close"))
    sound = np.concatenate([silence(1), first, silence(pause), second, silence(1)])
    found = list(regions(sound))
    assert len(found) == count
    assert abs(found[0][0] - 0.6 * RATE) < 0.15 * RATE  # the padding of 0.4 s before it
    if count == 2:
        assert found[0][1] < RATE + len(first) + 0.5 * RATE
        assert abs(found[1][0] - (len(sound) - RATE - len(second) - 0.4 * RATE)) < 0.15 * RATE


def test_a_request_says_what_a_pause_is(recording: Callable[[str], Audio]) -> None:
    word = pcm(recording("open"))
    sound = np.concatenate([word, silence(1.5), word])
    assert len(list(regions(sound, VoiceActivity(min_silence_s=0.5)))) == 2
    assert len(list(regions(sound, VoiceActivity(min_silence_s=5)))) == 1


def test_what_has_no_pause_is_cut_all_the_same() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 50 * RATE).astype(np.int16)
    found = list(regions(noise))
    assert [start // RATE for start, _ in found] == [0, 20, 40]
    assert found[-1][1] == len(noise)


def test_they_are_found_as_one_goes_along(recording: Callable[[str], Audio]) -> None:
    word = pcm(recording("open"))
    sound = np.concatenate([word, silence(2)] * 5)
    found = regions(sound)
    assert next(found)[1] < len(word) + RATE
    assert len(list(found)) == 4


@given(
    st.lists(st.tuples(st.integers(0, 8000), st.floats(0, 4)), max_size=6),
    st.builds(
        VoiceActivity,
        threshold=st.floats(0, 1),
        min_silence_s=st.floats(0, 3),
        padding_s=st.floats(0, 3),
    ),
)
def test_they_are_in_order_apart_and_short_enough(
    loudness: list[tuple[int, float]], activity: VoiceActivity
) -> None:
    noise = np.random.default_rng(2)
    parts = [noise.normal(0, level, round(seconds * RATE)) for level, seconds in loudness]
    sound = np.concatenate([np.zeros(0), *parts]).clip(-32_768, 32_767).astype(np.int16)
    end_before = 0
    for start, end in regions(sound, activity):
        assert 0 <= start < end <= len(sound)
        assert end - start <= (module.MAX_SECONDS + 2 * activity.padding_s) * RATE
        assert end > end_before
        end_before = end
