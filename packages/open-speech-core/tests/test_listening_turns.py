"""When somebody speaks, by probabilities."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from open_speech._listening.turns import ONSET_S, Change, SpeechTracker
from open_speech.service import TurnDetection

FRAME_S = 0.03


def changes(tracker: SpeechTracker, probabilities: list[float]) -> list[tuple[Change, float]]:
    found = []
    for index, probability in enumerate(probabilities):
        start = index * FRAME_S
        if moment := tracker.hear(start, start + FRAME_S, probability):
            found.append((moment.change, round(moment.at, 3)))
    return found


def test_speech_and_silence():
    tracker = SpeechTracker(TurnDetection(threshold=0.5), pause_s=0.06)
    found = changes(tracker, [0, 0, 0.9, 0.9, 0.9, 0, 0, 0, 0.9, 0.9])
    assert found == [
        (Change.STARTED, 0.06),
        (Change.PAUSED, 0.21),
        (Change.SILENT, 0.24),
        (Change.RESUMED, 0.24),
    ]


def test_a_click_is_no_speech():
    tracker = SpeechTracker(TurnDetection())
    assert changes(tracker, [0, 1, 0, 1, 0, 0, 1, 0]) == []


def test_speech_goes_on_a_little_below_the_threshold():
    tracker = SpeechTracker(TurnDetection(threshold=0.5), pause_s=FRAME_S)
    assert changes(tracker, [0.45, 0.45, 0.45]) == []
    assert changes(tracker, [0.6, 0.6, 0.4, 0.4, 0.3]) == [
        (Change.STARTED, 0.0),
        (Change.PAUSED, 0.15),
    ]


def test_where_speech_ended_is_the_end_of_its_last_frame():
    tracker = SpeechTracker(TurnDetection(), pause_s=0.1)
    changes(tracker, [1, 1, 1, 0, 0])
    assert round(tracker.speech_end, 3) == 0.09
    assert round(tracker.silence_s, 3) == 0.06


@given(
    probabilities=st.lists(st.floats(0, 1), max_size=60),
    threshold=st.floats(0.05, 0.95),
    pause_s=st.sampled_from([0.03, 0.1, 0.25]),
)
def test_changes_alternate_and_times_run_forward(probabilities, threshold, pause_s):
    tracker = SpeechTracker(TurnDetection(threshold=threshold), pause_s=pause_s)
    found = changes(tracker, probabilities)
    order = [change for change, _ in found if change is not Change.SILENT]
    if order:
        assert order[0] is Change.STARTED
        assert Change.STARTED not in order[1:]
    for before, after in pairwise(order):
        assert (before is Change.PAUSED) != (after is Change.PAUSED)
    assert tracker.speech_end <= tracker.position + 1e-9
    assert ONSET_S > 0
