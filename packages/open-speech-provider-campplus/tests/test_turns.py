"""Turns are what windows say together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech_provider_campplus.clustering import NOBODY
from open_speech_provider_campplus.recording import FIRST_S, FRAME_S, STEP, Piece, Window
from open_speech_provider_campplus.segmentation import STEP as FRAME
from open_speech_provider_campplus.turns import PAUSE_S, turns

FRAMES = 589
APART = STEP // FRAME


def window(first: int, *pieces: tuple[int, int]) -> Window:
    """A window in which voices speak from one of its frames to another."""
    nothing = np.zeros(192, np.float32)
    return Window(
        first=first,
        frames=FRAMES,
        pieces=tuple(
            Piece(voice=voice, first=start, after=after, vector=nothing, seconds=0.0)
            for voice, (start, after) in enumerate(pieces)
        ),
    )


def who(*people: int) -> np.ndarray:
    return np.array(people, np.intp)


def seconds(frame: float) -> float:
    return FIRST_S + (frame - 0.5) * FRAME_S


def test_a_stretch_becomes_a_turn():
    (turn,) = turns([window(0, (100, 300))], [who(0)])
    assert turn.speaker == 0
    assert turn.start == pytest.approx(seconds(100))
    assert turn.end == pytest.approx(seconds(300))


def test_a_voice_goes_by_different_numbers_in_two_windows():
    first = window(0, (100, 500), (500, FRAMES))
    second = window(APART, (500 - APART, 400), (0, 500 - APART))
    found = turns([first, second], [who(0, 1), who(1, 0)])
    assert [turn.speaker for turn in found] == [0, 1]
    assert found[0].end == pytest.approx(found[1].start)


def test_people_who_speak_at_the_same_time_have_turns_that_overlap():
    first, second = turns([window(0, (100, 300), (250, 400))], [who(0, 1)])
    assert first.end == pytest.approx(seconds(300))
    assert second.start == pytest.approx(seconds(250))


def test_turns_are_ordered_by_where_they_begin():
    found = turns([window(0, (300, 400), (100, 200))], [who(0, 1)])
    assert [turn.speaker for turn in found] == [1, 0]
    assert found[0].start < found[1].start


def test_the_window_whose_middle_is_nearer_wins():
    # The first window hears somebody at its end, the second nobody in its middle.
    frame = FRAMES - 30
    heard = turns([window(0, (frame, FRAMES)), window(APART, (0, 20))], [who(0), who(0)])
    assert all(turn.end < seconds(frame) for turn in heard)


def test_a_pause_is_bridged_and_a_blip_dropped():
    gap = int(PAUSE_S / FRAME_S)
    joined = window(0, (100, 200), (200 + gap - 1, 400))
    assert len(turns([joined], [who(0, 0)])) == 1
    parted = window(0, (100, 200), (200 + gap + 2, 400))
    assert len(turns([parted], [who(0, 0)])) == 2
    assert not turns([window(0, (100, 104))], [who(0)])


def test_somebody_speaks_on_where_core_says_that_somebody_does():
    sound = [window(0, (100, 200), (230, 400))]
    spans = ((seconds(80), seconds(420)),)
    first, second = turns(sound, [who(0, 1)], spans)
    assert first.start == pytest.approx(seconds(80), abs=0.03)
    assert first.end == pytest.approx(second.start)
    assert seconds(200) < first.end < seconds(230)
    assert second.end == pytest.approx(seconds(420), abs=0.03)


def test_nobody_speaks_on_for_long():
    spans = ((0.0, 9.9),)
    (turn,) = turns([window(0, (250, 300))], [who(0)], spans)
    assert turn.start == pytest.approx(seconds(250) - 1.0, abs=0.03)
    assert turn.end == pytest.approx(seconds(300) + 1.0, abs=0.03)


def test_nobody_has_no_turns():
    assert turns([], []) == []
    assert turns([window(0, (100, 300))], [who(NOBODY)]) == []


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 588), st.integers(1, 400)), max_size=3),
            st.permutations([0, 1, 2]),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_turns_keep_the_contract(table):
    sound, labels = [], []
    for number, (voices, people) in enumerate(table):
        stretches = [(start, min(FRAMES, start + length)) for start, length in voices]
        sound.append(window(number * APART, *stretches))
        labels.append(who(*people[: len(voices)]))
    found = turns(sound, labels)
    assert all(before.start <= after.start for before, after in pairwise(found))
    end = seconds((len(table) - 1) * APART + FRAMES)
    for turn in found:
        assert 0.0 <= turn.start < turn.end <= end + 1e-6
    for speaker in range(3):
        own = [turn for turn in found if turn.speaker == speaker]
        assert all(before.end < after.start for before, after in pairwise(own))
