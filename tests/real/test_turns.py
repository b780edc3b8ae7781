"""The published weights of the model for the end of a turn, on recordings of people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from open_speech import Audio, LoadContext, TurnModel, TurnRequest
from open_speech.codecs.decode import decode
from open_speech.testing import join, silence
from real.recordings import Recording

pytestmark = pytest.mark.real
RATE = 16_000
PAUSE_S = 0.2
"""What core hears of a pause before it asks."""


@pytest.fixture(scope="module")
def model(weights: Callable[[str], Path]) -> Iterator[TurnModel]:
    provider = pytest.importorskip("open_speech_provider_smart_turn")
    backend = provider.SmartTurnBackend()
    (info,) = backend.models
    folder = weights(info.sources[0].repo_id)
    loaded = backend.load(info, LoadContext(paths={"model": folder}))
    yield loaded
    loaded.close()


def spoken(recording: Recording) -> Audio:
    """A recording without the silence behind it."""
    audio = decode(recording.sound, sample_rate=RATE)
    last = int(np.flatnonzero(np.abs(audio.samples) > 0.02)[-1])
    return Audio(samples=audio.samples[:last], sample_rate=RATE)


def end_of_turn(model: TurnModel, audio: Audio) -> float:
    (found,) = model.predict_turn_end(TurnRequest(audio=join(audio, silence(PAUSE_S))))
    assert found is not None
    return found.probability


def test_a_whole_sentence_ends_a_turn_in_most_languages(model, short_ones):
    ends = {each.name: end_of_turn(model, spoken(each)) for each in short_ones}
    assert sum(probability > 0.5 for probability in ends.values()) >= 0.85 * len(ends), ends


@pytest.mark.parametrize("language", ["en", "es", "fr", "it", "pl", "pt"])
def test_half_a_sentence_does_not_end_a_turn(model, short_ones, language):
    name = "quick_brown_fox" if language == "en" else "pangrama"
    recording = next(each for each in short_ones if each.name == f"{language}/{name}")
    whole = spoken(recording)
    half = Audio(samples=whole.samples[: int(0.55 * len(whole.samples))], sample_rate=RATE)
    assert end_of_turn(model, half) < 0.3
    assert end_of_turn(model, whole) > 0.7
