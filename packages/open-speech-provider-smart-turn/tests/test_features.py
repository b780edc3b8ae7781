"""The spectrogram is Whisper's own, by faster-whisper's extractor where that is installed."""

from __future__ import annotations

import numpy as np
import pytest

from open_speech.testing import join, noise, silence, sine
from open_speech_provider_smart_turn.features import RATE, SECONDS, log_mel

SOUNDS = {
    "tone": sine(8.0),
    "noise": noise(8.0),
    "mixed": join(silence(3.0), sine(2.0, frequency=1234.0), noise(3.0)),
}


@pytest.mark.parametrize("name", sorted(SOUNDS))
def test_it_is_that_of_whisper(name):
    extractor = pytest.importorskip("faster_whisper.feature_extractor")
    samples = SOUNDS[name].samples
    normal = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    expected = extractor.FeatureExtractor()(normal.astype(np.float32), padding=0)
    np.testing.assert_allclose(log_mel(samples), expected[:, : SECONDS * 100], atol=5e-3)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 7.9, 8.0, 30.0])
def test_any_length_becomes_eight_seconds(seconds):
    found = log_mel(noise(seconds).samples)
    assert found.shape == (80, 800)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_only_the_end_counts():
    end = noise(8.0)
    np.testing.assert_array_equal(log_mel(join(sine(5.0), end).samples), log_mel(end.samples))


def test_sound_stands_at_the_end():
    found = log_mel(join(sine(1.0, sample_rate=RATE)).samples)
    assert found[:, :650].max() < found[:, 720:790].max()
