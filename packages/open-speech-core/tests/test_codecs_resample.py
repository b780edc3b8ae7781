"""Resampling whole and piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech._types.audio import Audio, Word
from open_speech.codecs.resample import Resampler, resample

RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]


def tone(rate: int, seconds: float = 0.5) -> Audio:
    at = np.arange(round(seconds * rate)) / rate
    return Audio(samples=(0.5 * np.sin(2 * np.pi * 440 * at)).astype(np.float32), sample_rate=rate)


@pytest.mark.parametrize("target", RATES)
@pytest.mark.parametrize("source", RATES)
def test_a_tone_stays_the_same_tone(source: int, target: int) -> None:
    out = resample(tone(source), target)
    assert out.sample_rate == target
    assert out.samples.dtype == np.float32
    assert out.seconds == pytest.approx(0.5, abs=2 / target)
    middle = slice(len(out.samples) // 5, -len(out.samples) // 5)
    expected = tone(target).samples[: len(out.samples)]
    assert np.abs(out.samples[middle] - expected[middle]).max() < 1e-3


def test_words_keep_their_times() -> None:
    words = (Word(text="a", start=0.1, end=0.2),)
    source = Audio(samples=tone(8_000).samples, sample_rate=8_000, words=words)
    assert resample(source, 16_000).words == words
    assert resample(source, 8_000) is source


@settings(max_examples=60)
@given(
    source=st.sampled_from(RATES),
    target=st.sampled_from(RATES),
    cuts=st.lists(st.integers(0, 4_000), max_size=8),
)
def test_cuts_are_not_heard(source: int, target: int, cuts: list[int]) -> None:
    audio = tone(source)
    resampler = Resampler(target)
    ends = sorted(min(one, len(audio.samples)) for one in cuts)
    pieces = [Audio(samples=piece, sample_rate=source) for piece in np.split(audio.samples, ends)]
    out = [*map(resampler.feed, pieces), resampler.finish()]
    assert np.array_equal(np.concatenate(out), resample(audio, target).samples)


def test_a_change_of_rate_loses_nothing() -> None:
    resampler = Resampler(24_000)
    parts = [resampler.feed(tone(rate)) for rate in (16_000, 24_000, 48_000, 16_000)]
    parts.append(resampler.finish())
    assert sum(map(len, parts)) == pytest.approx(2.0 * 24_000, abs=8)


def test_finishing_twice_or_with_nothing_is_fine() -> None:
    resampler = Resampler(24_000)
    assert len(resampler.finish()) == 0
    resampler.feed(tone(16_000))
    resampler.finish()
    assert len(resampler.finish()) == 0
