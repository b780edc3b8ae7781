"""Long sound is cut where it is quiet, and together the stretches are the sound."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech_provider_sherpa.stretches import quiet_cut, stretches

RATE = 16_000


@settings(deadline=None)
@given(
    loudness=st.lists(st.tuples(st.floats(0.0, 0.5), st.floats(0.01, 4.0)), max_size=12),
    longest=st.floats(0.3, 6.0),
)
def test_nothing_is_lost_or_heard_twice(
    loudness: list[tuple[float, float]], longest: float
) -> None:
    random = np.random.default_rng(1)
    parts = [random.uniform(-level, level, round(s * 4_000)) for level, s in loudness]
    sound = np.concatenate([np.zeros(0), *parts]).astype(np.float32)
    found = list(stretches(sound, 4_000, longest))
    assert [0, *(end for _, end in found)] == [*(first for first, _ in found), len(sound)]
    assert all(0 < end - first <= round(longest * 4_000) for first, end in found)
    assert all(end - first >= longest * 4_000 * 0.4 for first, end in found[:-1])
    for before, after in pairwise(found):
        assert before[1] == after[0]


def test_short_sound_is_one_stretch() -> None:
    assert list(stretches(np.zeros(10 * RATE, np.float32), RATE, 10.0)) == [(0, 10 * RATE)]
    assert list(stretches(np.zeros(0, np.float32), RATE, 10.0)) == []


@pytest.mark.parametrize("pause", [6.0, 7.5, 9.5])
def test_the_cut_is_in_the_pause(pause: float) -> None:
    sound = np.random.default_rng(2).uniform(-0.3, 0.3, 14 * RATE).astype(np.float32)
    sound[round(pause * RATE) : round((pause + 0.4) * RATE)] *= 0.01
    (_, cut), *_ = stretches(sound, RATE, 10.0)
    assert pause < cut / RATE < pause + 0.4


def test_of_equally_quiet_places_the_last_counts() -> None:
    assert quiet_cut(np.zeros(10 * RATE, np.float32), RATE) > 9.8 * RATE
