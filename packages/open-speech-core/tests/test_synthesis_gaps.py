"""How long it is silent between pieces of speech, before them and after them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech import Audio, Word
from open_speech._synthesis.gaps import LEAD_S, SILENT, TAIL_S, Gaps

RATE = 1000
"""A sample is a millisecond."""
GAP_S = 0.35


def piece(lead, speech, tail, *, amplitude=0.5, words=()):
    """One piece with silence around it, in milliseconds; the silence is not quite zero."""
    silence = SILENT * 0.9
    parts = [
        np.full(lead, silence),
        amplitude * np.resize([1.0, -1.0], speech),
        np.full(tail, silence),
    ]
    samples = np.concatenate(parts).astype(np.float32)
    return Audio(samples=samples, sample_rate=RATE, words=words)


def cut(audio, step):
    """The same in chunks; each word comes with the one in which it begins."""
    found = []
    for first in range(0, len(audio.samples), step):
        last, seconds = first + step, first / RATE
        words = (
            word.shifted(-seconds) for word in audio.words if first <= word.start * RATE < last
        )
        found.append(Audio(samples=audio.samples[first:last], sample_rate=RATE, words=tuple(words)))
    return found


def joined(script, *, step=10_000, gap_s=GAP_S):
    """Play pieces, and pauses in seconds between them; each piece in chunks."""
    gaps, out = Gaps(RATE), []
    for index, item in enumerate(script):
        if isinstance(item, float):
            gaps.pause(item)
            continue
        out += gaps.begin(gap_s)
        for chunk in cut(item, step):
            out += gaps.feed(chunk, last=index == len(script) - 1)
    return out + gaps.finish()


def samples(chunks):
    return np.concatenate([np.zeros(0, np.float32), *(audio.samples for audio in chunks)])


def silences(chunks):
    """Milliseconds of silence before the first sound, between sounds, after the last one."""
    loud = np.flatnonzero(np.abs(samples(chunks)) > SILENT)
    between = np.diff(loud) - 1
    last = len(samples(chunks)) - 1 - int(loud[-1])
    return [int(loud[0]), *(int(each) for each in between[between > 0]), last]


@pytest.mark.parametrize("step", [10_000, 50, 7])
def test_what_pieces_bring_beyond_the_engines_gap_is_cut(step):
    out = joined([piece(300, 1000, 450)] * 3, step=step)
    assert silences(out) == [LEAD_S * RATE, GAP_S * RATE, GAP_S * RATE, TAIL_S * RATE]


def test_a_gap_that_is_short_is_left_as_the_engine_made_it():
    assert silences(joined([piece(5, 1000, 100), piece(60, 1000, 20)])) == [5, 160, 20]


@pytest.mark.parametrize("step", [10_000, 50, 7])
@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1, 0.35, 1.5, 4.0])
@pytest.mark.parametrize(("lead", "tail"), [(300, 450), (0, 0), (10, 2000), (2000, 10)])
def test_a_pause_is_as_long_as_it_is_asked_for(step, seconds, lead, tail):
    spoken = piece(lead, 1000, tail)
    out = joined([seconds, spoken, seconds, spoken, seconds], step=step)
    expected = pytest.approx(seconds * RATE, abs=2)  # fades begin and end at zero
    assert [each for each in silences(out) if each > 2] == ([expected] * 3 if seconds else [])


def test_pauses_in_a_row_add_up():
    assert silences(joined([piece(300, 100, 450), 0.5, 1.0, piece(300, 100, 450)]))[1] == 1500


def test_a_piece_without_a_sound_changes_no_pause():
    out = joined([piece(300, 100, 450), 1.0, piece(500, 0, 0), 0.5, piece(300, 100, 450)])
    assert silences(out)[1] == 1500


def test_silence_within_a_piece_is_kept():
    whole = np.concatenate([piece(0, 500, 900).samples, piece(0, 500, 0).samples])
    for step in (10_000, 50, 7):
        assert silences(joined([Audio(samples=whole, sample_rate=RATE)], step=step)) == [0, 900, 0]


def test_what_is_soft_is_kept():
    """A final /s/ and an initial /h/ are some 45 dB below the loudest."""
    soft = Audio(samples=np.full(80, 0.003, np.float32), sample_rate=RATE)
    parts = [piece(300, 0, 0), soft, piece(0, 500, 0), soft, piece(0, 0, 450)]
    whole = Audio(samples=samples(parts), sample_rate=RATE)
    out = samples(joined([whole]))
    assert np.count_nonzero(np.abs(out) > SILENT) == 660


def test_softer_speech_has_a_softer_silence():
    gaps = Gaps(RATE)
    soft = Audio(samples=piece(300, 1000, 450).samples * np.float32(0.01), sample_rate=RATE)
    out = gaps.begin(GAP_S, 0.01) + gaps.feed(soft, last=True) + gaps.finish()
    assert len(samples(out)) == LEAD_S * RATE + 1000 + TAIL_S * RATE


def test_silence_around_all_of_it_follows_the_pace():
    gaps = Gaps(RATE)
    out = gaps.begin(GAP_S, speed=0.5) + gaps.feed(piece(300, 1000, 450), last=True)
    assert silences(out + gaps.finish()) == [2 * LEAD_S * RATE, 2 * TAIL_S * RATE]


def test_sound_is_passed_on_before_its_piece_ends():
    gaps = Gaps(RATE)
    gaps.begin(GAP_S)
    assert len(samples(gaps.feed(piece(300, 200, 100), last=False))) == LEAD_S * RATE + 195
    assert not len(samples(gaps.feed(piece(500, 0, 0), last=False)))
    assert len(samples(gaps.feed(piece(0, 10, 0), last=False))) == 5 + 600 + 10 - 5


def test_a_pause_is_passed_on_before_what_follows_it():
    gaps = Gaps(RATE)
    gaps.begin(GAP_S)
    gaps.feed(piece(300, 200, 100), last=False)
    gaps.pause(1.5)
    assert len(samples(gaps.begin(GAP_S))) == 5 + 1500 - LEAD_S * RATE - 5


def test_silence_alone_is_a_short_silence():
    assert len(samples(joined([piece(3000, 0, 0)]))) == TAIL_S * RATE
    assert len(samples(joined([1.5]))) == 1500


WORDS = (Word(text="one", start=0.1, end=0.6), Word(text="two", start=0.7, end=1.6))


@pytest.mark.parametrize("step", [10_000, 50, 7])
def test_words_follow_their_sound_and_hold_no_silence(step):
    out = joined([piece(300, 1000, 450, words=WORDS)] * 2, step=step)
    offset, times = 0.0, []
    for audio in out:
        times += [(word.text, round(offset + word.start, 3)) for word in audio.words]
        offset += audio.seconds
    start = LEAD_S + 1.0 + GAP_S
    expected = [("one", LEAD_S), ("two", 0.43), ("one", start), ("two", start + 0.4)]
    assert times == [(text, pytest.approx(time)) for text, time in expected]
    whole = joined([piece(300, 1000, 450, words=WORDS)])
    (one, two) = (word for audio in whole for word in audio.words)
    assert (one.start, one.end) == (pytest.approx(0.03), pytest.approx(0.33))
    assert (two.start, two.end) == (pytest.approx(0.43), pytest.approx(1.03))


def test_words_without_a_sound_are_not_lost():
    silent = piece(500, 0, 0, words=WORDS)
    for script in ([silent], [silent, piece(0, 500, 0)], [piece(0, 500, 0), 1.0, silent]):
        found = [word.text for audio in joined(script) for word in audio.words]
        assert found == ["one", "two"]


_PIECES = st.tuples(st.integers(0, 600), st.integers(0, 300), st.integers(0, 600))
_SCRIPTS = st.lists(st.one_of(_PIECES, st.floats(0.0, 2.0, width=16)), max_size=6)


@settings(max_examples=200)
@given(_SCRIPTS, st.integers(1, 700))
def test_how_it_is_cut_makes_no_difference_and_no_sound_is_lost(script, step):
    items = [item if isinstance(item, float) else piece(*item) for item in script]
    whole, parts = samples(joined(items)), samples(joined(items, step=step))
    np.testing.assert_array_equal(parts, whole)
    spoken = sum(item[1] for item in script if isinstance(item, tuple))
    faded = 10 * len(script)
    assert spoken - faded <= np.count_nonzero(np.abs(whole) > SILENT) <= spoken


def test_another_rate_goes_on():
    gaps = Gaps(RATE)
    out = gaps.begin(GAP_S) + gaps.feed(piece(300, 1000, 450), last=False)
    out += gaps.begin(GAP_S)
    other = Audio(samples=np.resize([0.5, -0.5], 4000).astype(np.float32), sample_rate=2 * RATE)
    out += gaps.feed(other, last=True) + gaps.finish()
    assert sum(audio.seconds for audio in out) == pytest.approx(LEAD_S + 1 + GAP_S - LEAD_S + 2)
