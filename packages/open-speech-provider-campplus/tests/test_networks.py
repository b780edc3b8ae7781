"""The networks are their authors' own, number by number."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from open_speech.testing import read_wav
from open_speech_provider_campplus import encoder, segmentation
from open_speech_provider_campplus.encoder import MOST_FRAMES, Encoder
from open_speech_provider_campplus.features import STEP, WINDOW, log_mel
from open_speech_provider_campplus.recording import DATA as WEIGHTS
from open_speech_provider_campplus.segmentation import Segmentation, frame_count
from open_speech_provider_campplus.weights import read_weights

DATA = Path(__file__).parent / "data"
CAMPPLUS, SEGMENTATION = WEIGHTS / "campplus.safetensors", WEIGHTS / "segmentation.safetensors"
REFERENCE = json.loads((DATA / "reference.json").read_text())
SOUND = read_wav(DATA / "two-speakers.wav").samples


@pytest.fixture(scope="module")
def network() -> Encoder:
    return Encoder(CAMPPLUS)


def test_energies_are_those_of_kaldi():
    found = log_mel(SOUND[:16_000])[::10]
    np.testing.assert_allclose(found, REFERENCE["energies"], atol=2e-3)


@pytest.mark.parametrize("samples", [0, WINDOW - 1, WINDOW, WINDOW + STEP - 1, WINDOW + STEP])
def test_only_whole_frames_count(samples):
    frames = 0 if samples < WINDOW else 1 + (samples - WINDOW) // STEP
    assert log_mel(SOUND[:samples]).shape == (frames, 80)


@pytest.mark.parametrize(
    ("stretch", "expected"),
    list(zip(REFERENCE["stretches"], REFERENCE["vectors"], strict=True)),
)
def test_vectors_are_those_of_the_original(network, stretch, expected):
    start, end = (int(seconds * 16_000) for seconds in stretch)
    features = log_mel(SOUND[start:end])
    raw = network.raw(features)
    found = raw / np.linalg.norm(raw)
    # The matrices are kept with 16 bits.
    assert 1.0 - float(found @ np.array(expected)) < 1e-5
    np.testing.assert_allclose(found, expected, atol=1e-3)
    if len(features) <= MOST_FRAMES:
        np.testing.assert_allclose(network.vector(features), found, atol=1e-6)


def test_long_sound_is_described_piece_by_piece(network):
    features = np.tile(log_mel(SOUND[6_400:56_000]), (8, 1))
    alike = network.vector(features) @ network.vector(features[:310])
    assert len(features) > 2 * MOST_FRAMES
    assert alike > 0.95


def test_voices_are_those_of_the_original():
    network = Segmentation(SEGMENTATION)
    scores = network.scores(SOUND[None, :160_000])[0]
    assert scores.argmax(axis=-1).tolist() == REFERENCE["sets"]
    likely = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(likely[::40], REFERENCE["scores"], atol=1e-3)


def test_sounds_together_have_the_voices_of_each_alone():
    network = Segmentation(SEGMENTATION)
    sounds = np.stack([SOUND[first : first + 32_000] for first in (6_400, 70_000, 120_000)])
    together = network.scores(sounds)
    assert together.shape == (3, frame_count(32_000), 7)
    for found, sound in zip(together, sounds, strict=True):
        np.testing.assert_allclose(found, network.scores(sound[None])[0], atol=1e-3)


@pytest.mark.parametrize("name", sorted(read_weights(SEGMENTATION)))
def test_every_tensor_of_the_segmentation_counts(name, monkeypatch):
    sound = SOUND[None, 50_000:70_000]
    before = Segmentation(SEGMENTATION).scores(sound)
    tensors = read_weights(SEGMENTATION)
    tensors[name] = tensors[name] * np.float32(0.9) + np.float32(0.01)
    monkeypatch.setattr(segmentation, "read_weights", lambda _: tensors)
    assert np.abs(Segmentation(SEGMENTATION).scores(sound) - before).max() > 1e-4


class Watched(dict[str, np.ndarray]):
    """Tensors that remember which of them were asked for."""

    def __init__(self, tensors):
        super().__init__(tensors)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.read.add(name)
        return super().get(name, default)


def test_every_tensor_of_the_encoder_is_read(monkeypatch):
    tensors = Watched(read_weights(CAMPPLUS))
    monkeypatch.setattr(encoder, "read_weights", lambda _: tensors)
    Encoder(CAMPPLUS)
    assert tensors.read >= set(tensors)


ONE_LAYER = [
    name
    for name in sorted(read_weights(CAMPPLUS))
    if "tdnnd" not in name or "block2.tdnnd7." in name
]


@pytest.mark.parametrize("name", ONE_LAYER)
def test_every_tensor_of_the_encoder_counts(name, network, monkeypatch):
    features = log_mel(SOUND[6_400:22_400])
    tensors = read_weights(CAMPPLUS)
    tensors[name] = tensors[name] * np.float32(0.9) + np.float32(0.01)
    monkeypatch.setattr(encoder, "read_weights", lambda _: tensors)
    assert np.abs(Encoder(CAMPPLUS).raw(features) - network.raw(features)).max() > 1e-4
