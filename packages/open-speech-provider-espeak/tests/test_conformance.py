"""The suite that every provider runs."""

from __future__ import annotations

from open_speech.testing import TTSConformance
from open_speech_provider_espeak import EspeakBackend


class TestEspeak(TTSConformance):
    """The default model, and one named by its language."""

    backend = EspeakBackend
    models = ("espeak/en-us", "espeak/fr-fr")
    engine_modules = ("espeakng_loader",)
    streams = True
