"""A voice of espeak-ng at work."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NoReturn

import numpy as np

from open_speech import Audio, ModelInfo, SpeechRequest, TTSModel
from open_speech.errors import InvalidRequest, UnknownVoice

from ._library import SAMPLE_RATE, speak_sentence
from ._words import timed_words
from .voices import VARIANTS, VOICES, best_match

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Not for the library, to which some are commands."""


class EspeakModel(TTSModel):
    """Speaks sentence by sentence; holds nothing in between, so there is nothing to close."""

    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        for _ in self.synthesize(SpeechRequest(text=".", voice=info.default_voice or "en-us")):
            pass  # what is wrong with the installation shows here and not at the first request

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Yield one stretch per sentence, as the library itself finds sentences."""
        voice = self._library_voice(request.voice, request.language)
        rate, pitch = words_per_minute(request.speed), pitch_setting(request.pitch)
        text = _CONTROL.sub(" ", request.text)
        while text.strip():
            sentence = speak_sentence(text, voice=voice, rate=rate, pitch=pitch)
            samples = sentence.pcm.astype(np.float32) / np.float32(32_768)
            words = timed_words(text, sentence.events, samples) if request.word_timestamps else ()
            if len(samples):
                yield Audio(samples=samples, sample_rate=SAMPLE_RATE, words=words)
            text = text[sentence.length :]

    def _library_voice(self, voice: str, language: str | None) -> str:
        """Name the voice as the library does; its timbre can speak another language too."""
        base, plus, variant = voice.partition("+")
        if base not in VOICES or bool(plus) != (variant in VARIANTS):
            raise UnknownVoice(
                f"The model {self._info.id} has no voice {voice!r}.",
                model=self._info.id,
                param="voice",
                hint="GET /v1/audio/voices lists them.",
            )
        speaker = VOICES[base]
        if language and not speaker.speaks(language):
            speaker = best_match(language) or self._no_language(language)
        return f"{speaker.identifier}{plus}{variant}"

    def _no_language(self, language: str) -> NoReturn:
        raise InvalidRequest(
            f"The model {self._info.id} does not speak {language!r}.",
            model=self._info.id,
            param="language",
            hint="It takes the tags that its voices are listed with.",
        )


def words_per_minute(speed: float) -> int:
    """Speed as the library's pace: 175 is normal, 80 to 700 is what it keeps."""
    return round(min(max(175 * speed, 80), 700))


def pitch_setting(pitch: float) -> int:
    """Pitch as the library's setting, 50 being the voice's own.

    The setting moves a voice's base note by an octave in 50 (``pitch_adjust_tab`` of its
    wavegen.c); intonation, about a third of the note one hears, stays where it is. So 0.67 to
    1.67 is what can be had, and anything beyond becomes the nearest of these.
    """
    base_note = max(1 + (pitch - 1) * 3 / 2, 0.5)
    return round(min(50 + 50 * math.log2(base_note), 100))
