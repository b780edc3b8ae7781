"""Word times: the text's own words, where they sound."""

from __future__ import annotations

import numpy as np
import pytest

from open_speech import Audio, SpeechRequest
from open_speech_provider_espeak import EspeakBackend
from open_speech_provider_espeak.model import EspeakModel


def spoken(text: str, voice: str = "en-us", speed: float = 1.0) -> list[Audio]:
    model = EspeakModel(EspeakBackend().list_available()[0])
    request = SpeechRequest(text=text, voice=voice, speed=speed, word_timestamps=True)
    return list(model.synthesize(request))


@pytest.mark.parametrize(
    ("text", "voice", "words"),
    [
        ("Hello, world!", "en-us", "Hello world"),
        ("It's what they don't say.", "en-us", "It's what they don't say"),
        ("In 1999 it cost 1,234.5 at 12:30.", "en-us", "In 1999 it cost 1,234.5 at 12:30"),
        ("An mp3 of COVID-19", "en-us", "An mp3 of COVID-19"),
        ("Naïve café, über", "en-us", "Naïve café über"),
        ("(Well-known) 'quotes' cost $5...", "en-us", "Well-known quotes cost $5"),
        ("50% of 8 & 9", "en-us", "50 of 8 & 9"),
        ("Über Straßen läuft's.", "de", "Über Straßen läuft's"),
        ("नमस्ते। आप कैसे हैं", "hi", "नमस्ते आप कैसे हैं"),
        ("我是学生", "cmn", "我 是 学生"),
    ],
)
def test_words_are_the_text_s_own(text: str, voice: str, words: str) -> None:
    found = [word.text for chunk in spoken(text, voice) for word in chunk.words]
    assert found == words.split()


@pytest.mark.parametrize(
    ("text", "voice", "words"),
    [
        ("NASA's team won the prize.", "en-us", ["NASA's team", "won", "the", "prize"]),
        ("Vitamin C. helps you.", "en-us", ["Vitamin", "C", "helps", "you"]),
        ("Das ist z. B. gut so.", "de", ["Das", "ist", "z", "B", "gut", "so"]),
        ("We met J. Smith and the NBA's best.", "en-us", None),
        ("See 😀 and U.S. vs. U.K.'s, e.g. here", "en-us", None),
    ],
)
def test_no_word_is_lost(text: str, voice: str, words: list[str] | None) -> None:
    found = [word for chunk in spoken(text, voice) for word in chunk.words]
    assert letters("".join(word.text for word in found)) == letters(text)
    assert words is None or [word.text for word in found] == words
    for chunk in spoken(text, voice):
        for word, following in zip(chunk.words, chunk.words[1:], strict=False):
            assert word.start <= word.end <= following.start


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def test_times_are_relative_to_each_stretch() -> None:
    first, second = spoken("One two three. Four five six.")
    for chunk in (first, second):
        assert chunk.words[0].start == 0
        assert chunk.words[-1].end <= chunk.seconds


@pytest.mark.parametrize("speed", [0.5, 1.0, 3.0])
def test_a_word_ends_where_its_sound_ends(speed: float) -> None:
    (chunk,) = spoken("Stop, wait, listen.", speed=speed)
    for word, following in zip(chunk.words, [*chunk.words[1:], None], strict=True):
        begin, end = (round(time * chunk.sample_rate) for time in (word.start, word.end))
        limit = round(following.start * chunk.sample_rate) if following else None
        assert np.abs(chunk.samples[begin:end]).max() > 0.05
        assert np.abs(chunk.samples[end:limit]).max(initial=0) < 0.01
        assert word.end < (following.start if following else chunk.seconds)  # a pause follows


def test_words_are_given_only_when_asked_for() -> None:
    model = EspeakModel(EspeakBackend().list_available()[0])
    (chunk,) = model.synthesize(SpeechRequest(text="Hello there.", voice="en-us"))
    assert chunk.words == ()
