"""Vectors are put together as people."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech_provider_campplus import clustering
from open_speech_provider_campplus.clustering import NOBODY, followed, people, pooled

SIZE = 192


def voices(count: int, each: int, seed: int, spread: float = 0.5):
    """Vectors around orthogonal voices, with how much speech each is made of."""
    random = np.random.default_rng(seed)
    centres = np.eye(SIZE)[random.permutation(SIZE)]
    who = np.repeat(np.arange(count), each)
    vectors = centres[who] + spread * random.normal(size=(len(who), SIZE)) / np.sqrt(SIZE)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), random.uniform(2.0, 8.0, len(who)).astype(np.float32), who


def sorted_into(vectors, seconds, centres):
    return np.array(
        [
            followed(vector[None], second[None], centres)[0]
            for vector, second in zip(vectors, seconds, strict=True)
        ]
    )


@given(count=st.integers(1, 8), each=st.integers(1, 12), seed=st.integers(0, 1_000))
@settings(max_examples=40, deadline=None)
def test_everybody_is_found(count, each, seed):
    vectors, seconds, who = voices(count, each, seed)
    centres = people(vectors, seconds)
    assert len(centres) == count
    found = sorted_into(vectors, seconds, centres)
    assert len({*zip(who, found, strict=True)}) == count


@given(
    count=st.integers(1, 6),
    each=st.integers(1, 6),
    least=st.none() | st.integers(1, 6),
    more=st.none() | st.integers(0, 4),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=60, deadline=None)
def test_as_many_are_found_as_are_asked_for(count, each, least, more, seed):
    vectors, seconds, _ = voices(count, each, seed)
    most = None if more is None else (least or 1) + more
    found = len(people(vectors, seconds, least, most))
    expected = max(count, least or 1)
    if most is not None:
        expected = min(expected, most)
    assert found == min(expected, len(vectors))


@given(seed=st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_order_makes_no_difference(seed):
    vectors, seconds, _ = voices(4, 6, seed)
    order = np.random.default_rng(seed).permutation(len(vectors))
    centres, others = people(vectors, seconds), people(vectors[order], seconds[order])
    alike = centres @ others.T
    assert sorted(alike.argmax(axis=1)) == [0, 1, 2, 3]
    assert alike.max(axis=1).min() > 0.999


def test_a_sound_is_no_person_but_a_word_is_where_nobody_says_more():
    vectors, seconds, _ = voices(3, 4, 1)
    seconds[8:] = 0.3
    assert len(people(vectors, seconds)) == 2
    assert len(people(vectors, np.full(12, 0.6, np.float32))) == 3


def test_nobody_speaks():
    assert people(np.zeros((6, SIZE), np.float32), np.zeros(6, np.float32)).shape == (0, SIZE)
    assert people(np.zeros((0, SIZE), np.float32), np.zeros(0, np.float32)).shape == (0, SIZE)


def test_a_voice_changes_hands_where_its_pieces_do():
    vectors, seconds, who = voices(2, 3, 3)
    centres = people(vectors, seconds)
    found = followed(vectors, seconds, centres)
    assert len({*zip(who, found, strict=True)}) == 2


def test_a_piece_too_short_to_tell_changes_nothing():
    vectors, seconds, _ = voices(2, 3, 3)
    centres = people(vectors, seconds)
    order = [0, 3, 1]
    seconds[3] = 0.4
    assert len(set(followed(vectors[order], seconds[order], centres))) == 1
    seconds[3] = 3.0
    assert len(set(followed(vectors[order], seconds[order], centres))) == 2


def test_a_piece_without_a_vector_goes_with_its_neighbours():
    vectors, seconds, _ = voices(2, 3, 4)
    centres = people(vectors, seconds)
    seconds[1], vectors[1] = 0.0, 0.0
    found = followed(vectors[:3], seconds[:3], centres)
    assert len(set(found)) == 1
    assert found[0] != NOBODY


def test_a_voice_without_a_vector_is_nobody():
    vectors, seconds, _ = voices(2, 2, 4)
    centres = people(vectors, seconds)
    assert followed(vectors[:1] * 0.0, seconds[:1] * 0.0, centres).tolist() == [NOBODY]
    assert followed(vectors[:1], seconds[:1], centres[:0]).tolist() == [NOBODY]


def test_pieces_of_a_voice_are_pooled_unless_they_are_of_several():
    vectors, seconds, _ = voices(2, 3, 5)
    one, spoken = pooled(vectors[:3], seconds[:3])
    assert one.shape == (1, SIZE)
    assert spoken[0] == pytest.approx(seconds[:3].sum())
    assert len(pooled(vectors, seconds)[0]) == 2
    assert pooled(vectors[:2] * 0.0, np.zeros(2, np.float32))[0].shape == (0, SIZE)


def test_a_long_meeting_is_clustered_in_two_stages(monkeypatch):
    vectors, seconds, who = voices(5, 60, 7)
    order = np.random.default_rng(7).permutation(len(vectors))
    monkeypatch.setattr(clustering, "TOGETHER", 64)
    centres = people(vectors[order], seconds[order])
    assert len(centres) == 5
    found = sorted_into(vectors, seconds, centres)
    assert len({*zip(who, found, strict=True)}) == 5


def test_four_hours_are_clustered_in_bounded_memory():
    vectors, seconds, _ = voices(6, 1_440, 8)
    order = np.random.default_rng(8).permutation(len(vectors))
    vectors, seconds = vectors[order], seconds[order]
    tracemalloc.start()
    try:
        centres = people(vectors, seconds)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(centres) == 6
    assert peak < 100e6
