# ruff: noqa: RUF001 - phonetic letters
"""The suite that every provider runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from open_speech import LoadContext
from open_speech.testing import TTSConformance
from open_speech_provider_kokoro import KokoroBackend


class TestKokoro(TTSConformance):
    """Random weights of full size; texts of a few symbols, for they take half their time."""

    backend = KokoroBackend
    models = ("kokoro",)
    engine_modules = ("onnxruntime", "torch", "kokoro", "misaki", "spacy", "phonemizer")
    # The repositories belong to others and seldom move; which commit is loaded is fixed by the
    # store at the first download.
    allow_unpinned = True
    text = "Hi, you."
    other_text = "Oh."
    phoneme_text = "[Hi](/hˈI/)"
    blend = "af_heart(2)+bf_emma-am_adam(0.5)"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def weights(cls, folder: Path, tagger: Path) -> None:
        """Both sources, as they are downloaded."""
        cls.context = LoadContext(paths={"model": folder, "tagger": tagger}, threads=2)
