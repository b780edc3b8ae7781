"""Pieces of speech joined without clicks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech import Audio, Word
from open_speech._synthesis.crossfade import EDGE_S, STEP, Crossfade

RATE = 24_000
EDGE = round(EDGE_S * RATE)


def sound(value, seconds=0.1, words=()):
    return Audio(
        samples=np.full(round(seconds * RATE), value, np.float32), sample_rate=RATE, words=words
    )


def joined(pieces):
    joiner, out = Crossfade(), []
    for index, piece in enumerate(pieces):
        joiner.begin()
        for audio in piece:
            out += joiner.feed(audio, last=index == len(pieces) - 1)
    return out + joiner.finish()


def samples(chunks):
    return np.concatenate([audio.samples for audio in chunks])


def test_a_jump_between_pieces_becomes_a_fade():
    result = samples(joined([[sound(0.5)], [sound(-0.5)]]))
    assert len(result) == 2 * round(0.1 * RATE)
    seam = round(0.1 * RATE)
    assert np.abs(np.diff(result)).max() < STEP * 2
    np.testing.assert_array_equal(result[: seam - EDGE], np.float32(0.5))
    np.testing.assert_array_equal(result[seam + EDGE :], np.float32(-0.5))


def test_pieces_that_meet_smoothly_stay_as_they_are():
    pieces = [[sound(0.2)], [sound(0.2 + STEP / 2)]]
    expected = np.concatenate([piece[0].samples for piece in pieces])
    np.testing.assert_array_equal(samples(joined(pieces)), expected)


def test_chunks_of_one_piece_are_never_touched():
    chunks = [sound(0.5), sound(-0.5), sound(0.5)]
    result = samples(joined([chunks]))
    np.testing.assert_array_equal(result, np.concatenate([one.samples for one in chunks]))


def test_the_last_piece_is_not_held_back():
    joiner = Crossfade()
    joiner.begin()
    (out,) = joiner.feed(sound(0.5), last=True)
    assert len(out.samples) == round(0.1 * RATE)
    assert joiner.finish() == []


def test_words_keep_their_place_in_the_whole():
    word = Word(text="here", start=0.02, end=0.05)
    out = joined([[sound(0.1, words=(word,))], [sound(0.1, words=(word,))]])
    offset, starts = 0.0, []
    for audio in out:
        starts += [round(offset + one.start, 6) for one in audio.words]
        offset += audio.seconds
    assert starts == [0.02, 0.12]


def test_another_rate_begins_anew():
    other = Audio(samples=np.full(4410, -0.5, np.float32), sample_rate=44_100)
    out = joined([[sound(0.5)], [other]])
    assert sum(audio.seconds for audio in out) == 0.2
    assert [audio.sample_rate for audio in out] == [RATE, RATE, 44_100]


@settings(max_examples=50)
@given(
    st.lists(
        st.lists(st.tuples(st.floats(-1, 1, width=32), st.integers(0, 400)), max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_no_sample_is_lost_and_how_pieces_are_cut_makes_no_difference(pieces):
    chunks = [
        [
            Audio(samples=np.full(count, value, np.float32), sample_rate=RATE)
            for value, count in piece
        ]
        for piece in pieces
    ]
    whole = [
        [Audio(samples=np.concatenate([a.samples for a in piece]), sample_rate=RATE)]
        for piece in chunks
        if piece
    ]
    out, expected = joined(chunks), joined(whole)
    total = sum(count for piece in pieces for _, count in piece)
    assert sum(len(audio.samples) for audio in out) == total
    if total and len(whole) == len(chunks):
        np.testing.assert_array_equal(samples(out), samples(expected))
