"""The suite that every provider runs."""

from __future__ import annotations

from pathlib import Path

from open_speech.testing import STTConformance, read_wav
from open_speech_provider_pocketsphinx import PocketsphinxBackend

DATA = Path(__file__).parent / "data"


class TestPocketsphinx(STTConformance):
    """The embedded model."""

    backend = PocketsphinxBackend
    engine_modules = ("pocketsphinx",)
    audio = read_wav(DATA / "late.wav")
    other_audio = read_wav(DATA / "open.wav")
    expected_words = ("late", "friend")
    grammar = "digits"
    known_text = "It is late, my friend."
