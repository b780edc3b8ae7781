"""Where somebody speaks, by the rules, on probabilities that are made up."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._listening.spans import SpanOptions, SpeechSpan, speech_spans
from open_speech._types.listening import SpeechActivity

FRAME_S = 0.1


def spans(pattern: str, **options: float) -> list[tuple[float, float]]:
    """``#`` is speech, ``-`` may go on, a space is silence: a tenth of a second each."""
    probabilities = tuple({"#": 0.9, "-": 0.4, " ": 0.1}[mark] for mark in pattern)
    activity = [SpeechActivity(start=0.0, frame_s=FRAME_S, probabilities=probabilities)]
    bare = {"min_speech_s": 0.0, "min_silence_s": 0.3, "padding_s": 0.0, **options}
    found = speech_spans(activity, len(pattern) * FRAME_S, SpanOptions(**bare))
    return [(round(each.start, 3), round(each.end, 3)) for each in found]


@pytest.mark.parametrize(
    ("pattern", "options", "expected"),
    [
        ("   ", {}, []),
        ("  ###    ##   ", {}, [(0.2, 0.5), (0.9, 1.1)]),
        ("  ###  ##   ", {}, [(0.2, 0.9)]),  # too short a silence
        ("  ##--##   ", {}, [(0.2, 0.8)]),
        ("  --##   ", {}, [(0.4, 0.6)]),  # what may go on does not begin
        ("  ##---", {"release": 0.5}, [(0.2, 0.4)]),
        ("##", {}, [(0.0, 0.2)]),
        (" #   ###   ", {"min_speech_s": 0.2}, [(0.5, 0.8)]),
        ("  ###    ##   ", {"padding_s": 0.1}, [(0.1, 0.6), (0.8, 1.2)]),
        ("  ##    ##   ", {"padding_s": 1.0}, [(0.0, 0.6), (0.6, 1.3)]),
        ("##########", {"max_speech_s": 0.4}, [(0.0, 0.5), (0.5, 1.0)]),
        ("##  ######", {"max_speech_s": 0.6}, [(0.0, 0.2), (0.4, 1.0)]),
    ],
)
def test_speech_is_found(pattern, options, expected):
    assert spans(pattern, **options) == expected


@given(
    st.lists(st.floats(0, 1), max_size=80),
    st.builds(
        SpanOptions,
        threshold=st.floats(0, 1),
        release=st.none() | st.floats(0, 1),
        min_speech_s=st.floats(0, 1),
        max_speech_s=st.floats(0.05, 3) | st.just(math.inf),
        min_silence_s=st.floats(0, 1),
        padding_s=st.floats(0, 2),
    ),
)
def test_spans_follow_one_another_within_the_recording(probabilities, options):
    seconds = len(probabilities) * FRAME_S
    activity = [SpeechActivity(start=0.0, frame_s=FRAME_S, probabilities=tuple(probabilities))]
    found = list(speech_spans(activity, seconds, options))
    assert all(each.start < each.end for each in found)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(found))
    if found:
        assert found[0].start >= -1e-9
        assert found[-1].end <= seconds + 1e-9


def test_a_span_has_both_times():
    assert SpeechSpan(start=0.5, end=1.0).end == 1.0
