"""Speakers of stretches are linked by their voices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech_provider_sherpa.linking import Voice, link


def at(degrees: float) -> np.ndarray:
    """A voice on a circle: the cosine distance of two grows with the angle between them."""
    angle = np.deg2rad(degrees)
    return np.array([np.cos(angle), np.sin(angle)])


def voices(*places: tuple[int, float | None]) -> list[Voice]:
    return [
        Voice(stretch=stretch, vector=None if angle is None else at(angle), weight=1.0)
        for stretch, angle in places
    ]


TABLE = [
    ((), 1, None, []),
    (((0, 0.0),), 1, None, [0]),
    (((0, 0.0), (0, 90.0)), 1, None, [0, 1]),
    (((0, 0.0), (0, 90.0), (1, 85.0), (1, 5.0)), 1, None, [0, 1, 1, 0]),
    (((0, 0.0), (1, 10.0), (2, 20.0)), 1, None, [0, 0, 0]),
    (((0, 0.0), (1, 90.0), (2, 180.0)), 1, None, [0, 1, 2]),
    # Of one stretch, alike as they are, the engine told them apart.
    (((0, 0.0), (0, 3.0)), 1, None, [0, 1]),
    (((0, 0.0), (0, 3.0)), 1, 1, [0, 0]),
    (((0, 0.0), (1, 10.0)), 2, None, [0, 1]),
    (((0, 0.0), (1, 90.0), (2, 180.0)), 1, 2, [0, 0, 1]),
    (((0, 0.0), (1, 90.0), (2, 95.0), (3, 4.0)), 1, 1, [0, 0, 0, 0]),
    # Too little was heard to tell: a speaker of its own if there is room.
    (((0, 0.0), (1, None)), 1, None, [0, 1]),
    (((0, 0.0), (1, None)), 1, 1, [0, 0]),
    (((0, None), (1, None)), 1, 1, [0, 0]),
    (((0, None), (1, 5.0), (2, 6.0)), 1, 1, [0, 0, 0]),
    (((0, 90.0), (1, None), (2, 0.0)), 1, 2, [0, 0, 1]),
]


@pytest.mark.parametrize(("places", "fewest", "most", "expected"), TABLE)
def test_alike_voices_are_one_speaker(places, fewest, most, expected) -> None:
    assert link(voices(*places), 0.4, fewest, most) == expected


@pytest.mark.parametrize(("weight", "expected"), [(100.0, [0, 0, 1]), (1.0, [0, 0, 0])])
def test_what_was_heard_longer_counts_more(weight: float, expected: list[int]) -> None:
    heard = [
        Voice(stretch=0, vector=at(0.0), weight=weight),
        Voice(stretch=1, vector=at(30.0), weight=1.0),
        Voice(stretch=2, vector=at(62.0), weight=1.0),
    ]
    assert link(heard, 0.4) == expected


@given(
    places=st.lists(st.tuples(st.integers(0, 5), st.none() | st.floats(0.0, 360.0)), max_size=14),
    threshold=st.floats(0.0, 2.0),
    fewest=st.integers(1, 4),
    most=st.none() | st.integers(1, 4),
)
def test_bounds_hold_and_numbers_are_in_order(places, threshold, fewest, most) -> None:
    found = link(voices(*places), threshold, fewest, most)
    assert len(found) == len(places)
    seen = list(dict.fromkeys(found))
    assert seen == list(range(len(seen)))
    if most is not None:
        assert len(seen) <= most
    assert len(seen) >= min(fewest, most or fewest, len(places))
    if most is None:
        told_apart = [
            (stretch, speaker) for (stretch, _), speaker in zip(places, found, strict=True)
        ]
        assert len(set(told_apart)) == len(told_apart)


def test_many_voices_are_linked() -> None:
    random = np.random.default_rng(3)
    centres = random.normal(size=(5, 64))
    heard = []
    for stretch in range(60):
        for speaker in random.permutation(5)[:4]:
            vector = centres[speaker] + random.normal(scale=0.3, size=64)
            vector /= np.linalg.norm(vector)
            heard.append((speaker, Voice(stretch=stretch, vector=vector, weight=10.0)))
    found = link([voice for _, voice in heard], 0.5)
    pairs = {(truth, speaker) for (truth, _), speaker in zip(heard, found, strict=True)}
    assert len(pairs) == 5
