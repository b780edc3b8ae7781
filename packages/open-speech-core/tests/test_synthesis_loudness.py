"""How loud speech is: even voices, and no sample beyond full scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech import Audio, Capability, Kind, ModelInfo, SpeechRequest, Voice, Word
from open_speech._synthesis.loudness import CEILING, Limiter, voice_gain
from open_speech.testing import sine

RATE = 8_000
MODEL = ModelInfo(
    id="m",
    kind=Kind.TTS,
    capabilities=frozenset({Capability.VOICE_BLEND}),
    voices=(Voice(id="soft", gain_db=6.0), Voice(id="loud", gain_db=-4.0), Voice(id="plain")),
)


def gain(voice, **more):
    factor = voice_gain(SpeechRequest(text="a", voice=voice, **more), MODEL)
    return 20 * np.log10(factor)


@pytest.mark.parametrize(
    ("voice", "decibels"),
    [
        ("soft", 6.0),
        ("loud", -4.0),
        ("plain", 0.0),
        ("elsewhere", 0.0),
        ("soft+loud", 1.0),
        ("soft(3)+loud(1)", 3.5),
        ("soft(1)+plain(1)", 3.0),
    ],
)
def test_a_voice_has_the_gain_that_was_measured_and_a_blend_the_mean(voice, decibels):
    assert gain(voice) == pytest.approx(decibels)


def test_a_cloned_voice_stays_as_it_is():
    assert gain("soft", reference=sine(1.0)) == 0.0


def limited(samples, step=10**6):
    limiter, out = Limiter(), []
    for first in range(0, len(samples), step):
        out += limiter.feed(Audio(samples=samples[first : first + step], sample_rate=RATE))
    out += limiter.finish()
    return np.concatenate([np.zeros(0, np.float32), *(audio.samples for audio in out)])


def test_what_stays_below_full_scale_is_not_changed():
    samples = sine(0.5, sample_rate=RATE, amplitude=CEILING).samples
    np.testing.assert_array_equal(limited(samples), samples)


def test_only_the_surroundings_of_a_peak_are_turned_down():
    samples = sine(1.0, sample_rate=RATE, amplitude=0.5).samples
    samples[4000:4010] *= 4
    result = limited(samples)
    assert np.abs(result).max() <= CEILING + 1e-6
    np.testing.assert_array_equal(result[:3900], samples[:3900])
    np.testing.assert_array_equal(result[4100:], samples[4100:])
    gains = result[samples != 0] / samples[samples != 0]
    assert np.abs(np.diff(gains)).max() < 0.1  # a gain that jumps would be a click


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 12.0), st.integers(0, 700), st.integers(1, 400))
def test_nothing_is_beyond_full_scale_however_it_comes(seed, level, count, step):
    noise = np.random.default_rng(seed).uniform(-1, 1, count) * level
    samples = (noise * np.linspace(0, 1, count)).astype(np.float32)
    whole = limited(samples)
    assert len(whole) == count
    assert np.abs(whole).max(initial=0) <= min(CEILING, np.abs(samples).max(initial=0)) + 1e-6
    np.testing.assert_allclose(limited(samples, step), whole, atol=1e-6)


def test_words_keep_their_place():
    limiter, word = Limiter(), Word(text="a", start=0.01, end=0.02)
    chunk = Audio(samples=sine(0.1, sample_rate=RATE).samples, sample_rate=RATE, words=(word,))
    offset, starts = 0.0, []
    for audio in [*limiter.feed(chunk), *limiter.feed(chunk), *limiter.finish()]:
        starts += [offset + each.start for each in audio.words]
        offset += audio.seconds
    assert starts == pytest.approx([0.01, 0.11])
    assert offset == pytest.approx(0.2)
