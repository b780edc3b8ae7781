"""The latest sound of a session."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from open_speech._listening.tape import Tape

RATE = 1000


@given(
    sizes=st.lists(st.integers(0, 300), max_size=20),
    start=st.integers(0, 3000),
    length=st.integers(0, 3000),
    dropped=st.integers(0, 2000),
)
def test_a_cut_is_what_came_in_there(sizes, start, length, dropped):
    whole = np.arange(sum(sizes), dtype=np.float32)
    tape, position = Tape(RATE), 0
    for size in sizes:
        tape.append(whole[position : position + size])
        position += size
    tape.drop_before(dropped / RATE)
    got = tape.cut(start / RATE, (start + length) / RATE).samples
    expected = whole[start : start + length]
    assert tape.end == len(whole) / RATE
    # Whole chunks are dropped, and only what lies before.
    kept = expected[expected >= dropped] if start < dropped else expected
    assert len(got) >= len(kept)
    assert np.array_equal(got[len(got) - len(kept) :], kept)


def test_the_quietest_place_is_found():
    tape = Tape(RATE)
    sound = np.full(2000, 0.5, np.float32)
    sound[1200:1300] = 0.0
    tape.append(sound)
    assert 1.2 <= tape.quietest(0.5, 2.0) <= 1.3
