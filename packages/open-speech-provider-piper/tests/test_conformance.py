"""The suite that every provider runs."""

# ruff: noqa: RUF001 - phonemes look like letters

from __future__ import annotations

from pathlib import Path

import pytest

from open_speech import LoadContext
from open_speech.testing import TTSConformance
from open_speech_provider_piper import PiperBackend


class TestPiper(TTSConformance):
    """A voice of the catalogue, and one of somebody's own repository."""

    backend = PiperBackend
    models = ("piper/en_US-lessac-medium", "somebody/vits-piper-en_US-bob-medium")
    engine_modules = ("onnxruntime", "piper")
    streams = True
    # The length of what is said varies, as Piper's does; so these voices keep it.
    context = LoadContext(options={"noise_w": 0.0})
    # The repository grows by voices; which commit is loaded is fixed by the store at the first
    # download.
    allow_unpinned = True
    phoneme_text = "Say [tomato](/təmˈɑːtoʊ/), please."

    @pytest.fixture(autouse=True)
    def _weights(self, lessac: Path) -> None:
        type(self).context = LoadContext(paths={"model": lessac}, options={"noise_w": 0.0})
