"""The network is Silero's own, number by number."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from open_speech import Audio, DetectionRequest
from open_speech.testing import join, noise, read_wav, silence, sine
from open_speech_provider_silero import SileroBackend, network
from open_speech_provider_silero.model import WEIGHTS, SileroModel
from open_speech_provider_silero.network import FRAME, Memory, Network, read_safetensors

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def model() -> SileroModel:
    from open_speech import LoadContext

    backend = SileroBackend()
    return backend.load(backend.list_available()[0], LoadContext())


def frames(audio: Audio) -> np.ndarray:
    return audio.samples[: len(audio.samples) // FRAME * FRAME].reshape(-1, FRAME)


def test_its_probabilities_are_those_of_the_original():
    expected = json.loads((DATA / "probabilities.json").read_text())
    found = Network(WEIGHTS).probabilities(frames(read_wav(DATA / "two-phrases.wav")), Memory())
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", sorted(read_safetensors(WEIGHTS)))
def test_every_tensor_counts(name, monkeypatch):
    sound = frames(read_wav(DATA / "two-phrases.wav"))[:20]
    before = Network(WEIGHTS).probabilities(sound, Memory())
    tensors = read_safetensors(WEIGHTS)
    tensors[name] = tensors[name] + np.float32(0.01)
    monkeypatch.setattr(network, "read_safetensors", lambda _: tensors)
    after = Network(WEIGHTS).probabilities(sound, Memory())
    assert np.abs(np.subtract(before, after)).max() > 1e-4


def detected(model: SileroModel, audio: Audio) -> list[float]:
    events = model.detect(DetectionRequest(), iter([audio]))
    return [value for event in events if event for value in event.probabilities]


@pytest.mark.parametrize(
    "sound",
    [
        silence(3.0),
        noise(3.0),
        noise(3.0, amplitude=0.9),
        sine(3.0),
        join(*(sine(0.3, frequency=hertz) for hertz in (262, 330, 392, 523) * 3)),
    ],
    ids=["silence", "noise", "loud noise", "tone", "melody"],
)
def test_what_is_no_speech_is_not_taken_for_it(model, sound):
    assert max(detected(model, sound)) < 0.5


def test_speech_is_found_where_it_is(model):
    found = detected(model, read_wav(DATA / "two-phrases.wav"))
    speech = [index * FRAME / 16_000 for index, value in enumerate(found) if value >= 0.5]
    assert not [time for time in speech if 2.1 < time < 3.6]
    assert [time for time in speech if time < 1.9]
    assert [time for time in speech if time > 3.8]
