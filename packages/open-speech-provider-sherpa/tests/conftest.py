from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from open_speech import Audio, LoadContext, ModelInfo, STTModel
from open_speech_provider_sherpa import SherpaBackend

RATE = 16_000


def _module(name: str) -> Any:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


GRAPHS = _module("sherpa_graphs")
MODELS = _module("sherpa_models")
STREAMS = _module("sherpa_streams")
SPEAKERS = _module("sherpa_speakers")


@pytest.fixture(scope="session")
def graphs() -> Any:
    """The module that writes graphs."""
    return GRAPHS


@pytest.fixture(scope="session")
def tiny_speakers() -> Any:
    """The module that makes models for speakers, with random weights."""
    return SPEAKERS


@pytest.fixture(scope="session")
def offline_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model for whole recordings, by its family."""
    root = tmp_path_factory.mktemp("offline")
    made: dict[str, Path] = {}
    return lambda name: made.get(name) or made.setdefault(name, MODELS.OFFLINE[name](root / name))


@pytest.fixture(scope="session")
def streaming_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model for sound that comes in, by its family."""
    root = tmp_path_factory.mktemp("streaming")
    made: dict[str, Path] = {}
    return lambda name: (
        made.get(name) or made.setdefault(name, STREAMS.STREAMING[name](root / f"{name}-streaming"))
    )


@pytest.fixture(scope="session")
def speaker_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The two folders of a tiny diarization model."""
    root = tmp_path_factory.mktemp("speakers")
    return {
        "segmentation": SPEAKERS.segmentation(root / "segmentation"),
        "embedding": SPEAKERS.embedding(root / "embedding"),
    }


@pytest.fixture(scope="session")
def load() -> Callable[..., STTModel]:
    """Load a folder as a local one: under what ``inspect`` says of it."""

    def load(folder: Path, **options: Any) -> STTModel:
        info = SherpaBackend().inspect(folder)
        assert isinstance(info, ModelInfo)
        context = LoadContext(paths={"model": folder}, threads=1, options=options)
        return SherpaBackend().load(info, context)

    return load


@pytest.fixture(scope="session")
def sounds() -> dict[str, Audio]:
    """Sounds that tiny models hear differently: noise, tones with pauses, silence."""
    random = np.random.default_rng(5)
    noise = random.uniform(-0.1, 0.1, 3 * RATE)
    pause = np.zeros(RATE // 2)
    made = {
        "noise": noise,
        "mixed": np.concatenate(
            [pause, tone(300, 0.6), pause, noise[:RATE], tone(900, 0.4), 3 * noise[:8_000], pause]
        ),
        "short": noise[: RATE // 4],
        "silence": np.zeros(2 * RATE),
    }
    return {name: audio(samples) for name, samples in made.items()}


def tone(hertz: float, seconds: float) -> np.ndarray:
    """A pure tone that swells and fades four times a second, as syllables do."""
    time = np.arange(round(seconds * RATE)) / RATE
    return 0.5 * np.sin(2 * np.pi * hertz * time) * (0.6 + 0.4 * np.sin(8 * np.pi * time))


def audio(samples: np.ndarray) -> Audio:
    return Audio(samples=samples.astype(np.float32), sample_rate=RATE)
