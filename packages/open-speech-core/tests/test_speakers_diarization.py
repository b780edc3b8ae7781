"""Turns in order, speakers by letters, a recording cut where somebody begins or ends."""

from __future__ import annotations

from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from open_speech import SpeakerTurn
from open_speech.speakers.diarization import (
    in_order_of_speaking,
    letters,
    named,
    stretches,
)


def turn(start: float, end: float, speaker: int = 0) -> SpeakerTurn:
    return SpeakerTurn(start=start, end=end, speaker=speaker)


TURNS = st.lists(
    st.builds(
        lambda start, length, speaker: turn(start / 10, (start + length) / 10, speaker),
        st.integers(0, 200),
        st.integers(1, 80),
        st.integers(0, 4),
    ),
    max_size=12,
)


def test_letters_go_on_like_the_columns_of_a_spreadsheet():
    found = list(islice(letters(), 26 * 27 + 1))
    assert found[:3] == ["A", "B", "C"]
    assert found[25:28] == ["Z", "AA", "AB"]
    assert found[26 * 27 - 1 :] == ["ZZ", "AAA"]
    assert len(set(found)) == len(found)


def test_speakers_are_numbered_in_the_order_of_speaking():
    found = in_order_of_speaking([turn(3, 4, 7), turn(0, 1, 9), turn(1, 2, 7)])
    assert [(each.start, each.speaker) for each in found] == [(0, 0), (1, 1), (3, 1)]


def test_a_known_speaker_takes_no_letter():
    turns = in_order_of_speaking([turn(0, 1, 0), turn(1, 2, 1), turn(2, 3, 2)])
    found = named(turns, 3.0, {0: "Agnes", 2: "A"})
    assert [each.speaker for each in found.turns] == ["Agnes", "B", "A"]
    assert found.speakers == ("Agnes", "B", "A")
    assert found.duration == 3.0


@given(TURNS)
def test_every_moment_belongs_to_the_turns_that_go_on_then(turns):
    found = stretches(turns)
    for one, other in pairwise(found):
        assert one.end <= other.start
    for tenth in range(290):
        at = tenth / 10 + 0.05
        speaking = [each for each in turns if each.start < at < each.end]
        cut = [stretch for stretch in found if stretch.start < at < stretch.end]
        assert len(cut) == bool(speaking)
        if cut:
            assert sorted(map(str, cut[0].turns)) == sorted(map(str, speaking))
