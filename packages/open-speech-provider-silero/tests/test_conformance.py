"""The suite that every provider runs."""

from __future__ import annotations

from pathlib import Path

from open_speech.testing import VADConformance, read_wav
from open_speech_provider_silero import SileroBackend

DATA = Path(__file__).parent / "data"


class TestSilero(VADConformance):
    """The embedded model."""

    backend = SileroBackend
    audio = read_wav(DATA / "two-phrases.wav")
