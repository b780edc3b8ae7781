from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from open_speech import Audio, LoadContext
from open_speech.testing import read_wav
from open_speech_provider_pocketsphinx import PocketsphinxBackend
from open_speech_provider_pocketsphinx.model import PocketsphinxModel


@pytest.fixture(scope="session")
def recording() -> Callable[[str], Audio]:
    """Read one of the recordings by its name."""
    return lambda name: read_wav(Path(__file__).parent / "data" / f"{name}.wav")


@pytest.fixture(scope="session")
def model() -> PocketsphinxModel:
    """The loaded model; every request starts afresh, so tests may share it."""
    backend = PocketsphinxBackend()
    return backend.load(backend.list_available()[0], LoadContext())
