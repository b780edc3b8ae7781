"""Another pace at the same pitch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech import Audio
from open_speech.codecs.time_stretch import Stretcher, stretch
from open_speech.testing import sine


def dominant(samples, rate):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return spectrum.argmax() * rate / len(samples)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.3, 2.0, 4.0])
def test_length_changes_and_pitch_does_not(rate, speed):
    sound = sine(3.0, frequency=220.0, sample_rate=rate)
    changed = stretch(sound, speed)
    assert len(changed) == round(3.0 * rate / speed)
    middle = changed[len(changed) // 4 : -len(changed) // 4]
    assert dominant(middle, rate) == pytest.approx(220.0, rel=0.03)
    assert np.abs(changed).max() <= 1.0


@settings(max_examples=30)
@given(st.floats(0.1, 10.0), st.integers(1, 30_000))
def test_any_length_at_any_speed_is_right_to_the_sample(speed, count):
    sound = Audio(samples=sine(2.0).samples[:count], sample_rate=24_000)
    assert len(stretch(sound, speed)) == round(count / speed)


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.7, 1.4, 2.0, 4.0])
def test_the_end_of_a_sound_is_not_swallowed(speed):
    quiet, loud = sine(1.0, amplitude=0.05).samples, sine(0.2, amplitude=0.8).samples
    changed = stretch(Audio(samples=np.concatenate([quiet, loud]), sample_rate=16_000), speed)
    last = changed[-round(0.1 * 16_000 / speed) :]
    assert np.abs(last).max() > 0.5


@settings(max_examples=20)
@given(st.lists(st.integers(0, 9000), min_size=1, max_size=8))
def test_how_it_is_cut_makes_no_difference(cuts):
    sound = sine(1.0, frequency=330.0, sample_rate=24_000)
    whole = stretch(sound, 1.4)
    stretcher, parts, first = Stretcher(1.4), [], 0
    for cut in [*cuts, 24_000]:
        last = min(first + cut, 24_000)
        parts.append(stretcher.feed(Audio(samples=sound.samples[first:last], sample_rate=24_000)))
        first = last
    parts.append(stretcher.finish())
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_sound_comes_out_before_all_of_it_went_in():
    stretcher = Stretcher(2.0)
    assert len(stretcher.feed(sine(1.0, sample_rate=24_000)))


def test_nothing_in_is_nothing_out():
    stretcher = Stretcher(2.0)
    assert not len(stretcher.feed(Audio(samples=np.zeros(0, np.float32), sample_rate=24_000)))
    assert not len(stretcher.finish())


@pytest.mark.parametrize("speed", [0.0, -1.0, 0.05, 11.0, float("nan")])
def test_an_impossible_speed_is_a_value_error(speed):
    with pytest.raises(ValueError, match="speed"):
        Stretcher(speed)
