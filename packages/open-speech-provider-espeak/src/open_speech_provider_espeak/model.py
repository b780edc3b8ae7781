"""A voice of espeak-ng at work."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NoReturn

import numpy as np

from open_speech import Audio, ModelInfo, SpeechRequest, TTSModel
from open_speech.errors import InvalidRequest, UnknownVoice

from ._library import SAMPLE_RATE, Sentence, speak_sentence
from ._words import timed_words
from .voices import VARIANTS, VOICES, best_match

_MAX_TRIALS = 4
_RIGHT = 0.01
"""How far from the right length is near enough."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Not for the library, to which some are commands."""


class EspeakModel(TTSModel):
    """Speaks sentence by sentence; holds nothing in between, so there is nothing to close."""

    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        for _ in self.synthesize(SpeechRequest(text=".", voice=info.default_voice or "en-us")):
            pass  # what is wrong with the installation shows here and not at the first request

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Yield one chunk per sentence, as the library itself finds sentences."""
        voice = self._library_voice(request.voice, request.language)
        pitch = pitch_setting(request.pitch)
        text = _CONTROL.sub(" ", request.text)
        while text.strip():
            sentence = _at_speed(text, voice, request.speed, pitch)
            samples = sentence.pcm.astype(np.float32) / np.float32(32_768)
            said = text[: sentence.length]
            words = timed_words(said, sentence.events, samples) if request.word_timestamps else ()
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


def _at_speed(text: str, voice: str, speed: float, pitch: int) -> Sentence:
    """Speak the first sentence of a text so that it lasts what the speed makes of it.

    The library's words per minute are off by up to a sixth, differently from text to text. A
    sentence takes it some milliseconds, so it is tried: at the normal pace first.
    """
    rate = words_per_minute(1.0)
    sentence = speak_sentence(text, voice=voice, rate=rate, pitch=pitch)
    wanted = _spoken(sentence) / speed
    if speed == 1.0 or not wanted:
        return sentence
    rate = words_per_minute(speed)
    tried: dict[int, Sentence] = {}
    for _ in range(_MAX_TRIALS):
        if rate in tried:
            break
        tried[rate] = speak_sentence(text, voice=voice, rate=rate, pitch=pitch)
        ratio = _spoken(tried[rate]) / wanted
        if abs(ratio - 1.0) <= _RIGHT:
            break
        rate = words_per_minute(rate / words_per_minute(1.0) * ratio)
    return min(tried.values(), key=lambda each: abs(_spoken(each) - wanted))


def _spoken(sentence: Sentence) -> int:
    """Samples up to the pause at the end, which has a length of its own."""
    sounding = np.flatnonzero(sentence.pcm)
    return int(sounding[-1]) + 1 if len(sounding) else 0


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
