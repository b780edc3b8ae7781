"""The suite that every provider runs."""

from __future__ import annotations

from pathlib import Path

from open_speech import LoadContext
from open_speech.testing import STTConformance, read_wav
from open_speech_provider_whisper import WhisperBackend

DATA = Path(__file__).parent / "data"


class TestWhisper(STTConformance):
    """The digits model in place of a published one and of one that only a pattern knows."""

    backend = WhisperBackend
    models = ("Systran/faster-whisper-tiny", "somebody/faster-whisper-digits")
    context = LoadContext(paths={"model": DATA / "whisper-digits"})
    engine_modules = ("faster_whisper", "ctranslate2", "onnxruntime", "tokenizers", "av")
    # The repositories belong to others and seldom move; which commit is loaded is fixed by the
    # store at the first download.
    allow_unpinned = True
    audio = read_wav(DATA / "audio" / "digits_us_m4.wav")
    other_audio = read_wav(DATA / "audio" / "command_lights_gb_edward.wav")
    expected_words = ("one", "two", "three", "four", "five")
    known_text = "one two three four five"
