"""A recording is cut, heard and described window by window, in bounded memory."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech import Audio
from open_speech.testing import join, noise, read_wav, silence, sine
from open_speech_provider_campplus import recording
from open_speech_provider_campplus.recording import (
    FIRST_S,
    FRAME_S,
    RATE,
    STEP,
    WINDOW,
    Ears,
    _cut,
)

SOUND = read_wav(Path(__file__).parent / "data" / "two-speakers.wav")


@pytest.fixture(scope="module")
def ears() -> Ears:
    return Ears()


def pieces(audio: Audio, size: int) -> list[Audio]:
    return [
        Audio(samples=audio.samples[first : first + size], sample_rate=RATE)
        for first in range(0, len(audio.samples), size)
    ]


def windows(ears: Ears, audio: Audio, speech=None):
    return [each for each in ears.windows(iter([audio]), speech) if each]


@given(
    seconds=st.floats(0.0, 31.0),
    sizes=st.lists(st.integers(1, 500_000), min_size=1, max_size=20),
)
@settings(max_examples=40, deadline=None)
def test_windows_cover_everything_however_it_is_fed(seconds, sizes):
    samples = np.arange(int(seconds * RATE), dtype=np.float32)
    fed, first = [], 0
    while first < len(samples):
        size = sizes[len(fed) % len(sizes)]
        fed.append(Audio(samples=samples[first : first + size], sample_rate=RATE))
        first += size
        sizes = [*sizes[1:], 90_000]
    found = list(_cut(iter(fed)))
    end = 0
    for number, (start, window) in enumerate(found):
        assert start == number * STEP
        inside = samples[start : start + len(window)]
        np.testing.assert_array_equal(window[: len(inside)], inside)
        assert not window[len(inside) :].any()
        assert RATE <= len(window) <= WINDOW
        end = start + len(inside)
    assert end == len(samples)


def test_a_window_of_silence_is_not_kept(ears):
    assert not windows(ears, silence(25.0))
    assert not windows(ears, Audio(samples=np.zeros(0, np.float32), sample_rate=RATE))


@pytest.mark.parametrize(
    "sound",
    [
        noise(12.0),
        noise(12.0, amplitude=0.9),
        sine(12.0),
        join(*(sine(0.3, frequency=hertz) for hertz in (262, 330, 392, 523) * 10)),
    ],
    ids=["noise", "loud noise", "tone", "melody"],
)
def test_what_is_no_speech_is_not_taken_for_it(ears, sound):
    heard = sum(piece.after - piece.first for each in windows(ears, sound) for piece in each.pieces)
    assert heard * FRAME_S < 0.5


def spoken(window) -> tuple[float, float]:
    first = min(piece.first for piece in window.pieces)
    after = max(piece.after for piece in window.pieces)
    return first * FRAME_S + FIRST_S, after * FRAME_S + FIRST_S


def test_a_window_tells_two_voices_apart(ears):
    (window, *_) = windows(ears, SOUND)
    assert window.first == 0
    assert spoken(window)[0] == pytest.approx(0.4, abs=0.15)
    # From 0.4 s to 3.55 s one speaks, from 3.9 s to 6.75 s the other.
    known = [piece for piece in window.pieces if piece.seconds]
    one = [piece.vector for piece in known if piece.after * FRAME_S < 3.7]
    other = [piece.vector for piece in known if 3.7 < piece.first * FRAME_S < 6.0]
    assert one
    assert other
    np.testing.assert_allclose(np.linalg.norm([*one, *other], axis=1), 1.0, atol=1e-4)
    assert (np.array(one) @ np.array(other).T).max() < 0.45


def test_pieces_are_ordered_and_short(ears):
    for window in windows(ears, SOUND):
        order = [(piece.voice, piece.first) for piece in window.pieces]
        assert order == sorted(order)
        for piece in window.pieces:
            assert 0 <= piece.first < piece.after <= window.frames
            assert piece.after - piece.first <= recording._LONGEST
            assert piece.seconds <= (piece.after - piece.first + 2) * FRAME_S


@given(
    speaks=st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=12),
    seed=st.integers(0, 100),
)
@settings(max_examples=60, deadline=None)
def test_pieces_cover_what_is_spoken(speaks, seed):
    voice = np.repeat([each for each, _ in speaks], [count for _, count in speaks]).astype(bool)
    loudness = np.random.default_rng(seed).normal(size=len(voice)).astype(np.float32)
    covered = np.zeros(len(voice), bool)
    for start, after in recording._pieces(voice, loudness):
        assert not covered[start:after].any()
        assert 0 < after - start <= recording._LONGEST
        covered[start:after] = True
    assert covered[voice].all()
    assert (covered & ~voice).sum() <= 5 * len(speaks)


def test_a_voice_is_cut_where_it_is_faintest():
    loudness = np.ones(200, np.float32)
    loudness[80] = 0.0
    assert list(recording._pieces(np.ones(200, bool), loudness)) == [(0, 80), (80, 200)]


def test_nobody_is_heard_where_nobody_speaks_by_what_core_says(ears):
    (window, *_) = windows(ears, SOUND, ((4.0, 6.5),))
    first, last = spoken(window)
    assert first > 3.7
    assert last < 6.8
    assert not windows(ears, SOUND, ())


def test_sound_is_let_go_of(ears):
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def fed():
        nonlocal most
        for number in range(45):
            samples = SOUND.samples[number % 12 * RATE :][:RATE].copy()
            alive.append(weakref.ref(samples))
            yield Audio(samples=samples, sample_rate=RATE)
            del samples
            gc.collect()
            most = max(most, sum(each() is not None for each in alive))

    kept = list(filter(None, ears.windows(fed(), None)))
    assert len(kept) == 8
    assert most <= 2


def test_hours_take_megabytes(ears):
    (window, *_) = windows(ears, SOUND)
    assert max(piece.vector.nbytes for piece in window.pieces) == 192 * 4
    # A window that is as full as can be: three voices in pieces of the least length.
    most = 3 * WINDOW / recording.segmentation.STEP / recording._SHORTEST
    size = most * 192 * 4
    hours = 4
    assert size * hours * 3600 * RATE / STEP < 90e6


def test_hours_in_one_piece_are_cut_without_copies():
    day = np.broadcast_to(np.float32(0.0), (24 * 3600 * RATE,))  # takes no memory itself
    audio = Audio(samples=day, sample_rate=RATE)
    found = _cut(iter([audio]))
    count = 0
    for start, window in found:
        assert start == count * STEP
        assert len(window) <= WINDOW
        count += 1
        if count == 3_000:
            break
    assert count == 3_000


def test_a_voice_is_made_of_speech_alone(ears):
    plain, seconds = ears.voice(SOUND.samples[int(0.4 * RATE) : int(3.55 * RATE)])
    padded = join(
        silence(12.0),
        Audio(samples=SOUND.samples[int(0.4 * RATE) : int(3.55 * RATE)], sample_rate=RATE),
        silence(7.0),
    )
    found, again = ears.voice(padded.samples)
    assert 2.5 < seconds < 3.3
    assert abs(seconds - again) < 0.3
    assert plain @ found > 0.95


@pytest.mark.parametrize("sound", [silence(3.0), silence(0.0), noise(3.0), sine(3.0)])
def test_no_speech_has_no_voice(ears, sound):
    vector, seconds = ears.voice(sound.samples)
    assert not seconds
    assert not vector.any()


def test_windows_share_frames():
    assert STEP % recording.segmentation.STEP == 0
