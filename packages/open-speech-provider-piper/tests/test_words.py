"""Words and where they lie: the text's own, all of them, in order, at the engine's own times."""

# ruff: noqa: RUF001 - phonemes look like letters

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from piper import PiperVoice, SynthesisConfig

from open_speech import Audio, SpeechRequest, Word
from open_speech_provider_piper._phonemes import Script
from open_speech_provider_piper._words import bare, places
from open_speech_provider_piper.model import PiperModel

STEADY = {"noise_scale": 0.0, "noise_w": 0.0}


def spoken(model: PiperModel, text: str, **more: Any) -> list[Audio]:
    request = SpeechRequest(text=text, voice="lessac", word_timestamps=True, options=STEADY, **more)
    return list(model.synthesize(request))


def words(model: PiperModel, text: str, **more: Any) -> list[Word]:
    return [word for audio in spoken(model, text, **more) for word in audio.words]


@pytest.fixture(scope="module")
def bare_voice(lessac: Path) -> PiperVoice:
    path = next(lessac.rglob("*.onnx"))
    return PiperVoice.load(path, include_alignments=True)


def groups(voice: PiperVoice, text: str, speed: float) -> Iterator[list[tuple[int, int]]]:
    """Samples of what lies between spaces, by the engine's own alignment; per sentence."""
    settings_ = SynthesisConfig(noise_scale=0, noise_w_scale=0, length_scale=1 / speed)
    for chunk in voice.synthesize(text, settings_, include_alignments=True):
        found, start, place = list[tuple[int, int]](), None, 0
        for each in chunk.phoneme_alignments or ():
            if each.phoneme in (" ", ",", ".", "!", "?", "$", "^"):
                if start is not None:
                    found.append((start, place))
                start = None
            elif start is None:
                start = place
            place += int(each.num_samples)
        assert place == len(chunk.audio_float_array)
        yield found


@pytest.mark.parametrize("speed", [0.7, 1.0, 2.0])
def test_times_are_those_of_the_engine(
    model: PiperModel, bare_voice: PiperVoice, speed: float
) -> None:
    text = "Hello everyone, welcome back. Nobody expected anything else today!"
    expected = list(groups(bare_voice, text, speed))
    chunks = spoken(model, text, speed=speed)
    assert [len(audio.words) for audio in chunks] == [4, 5]
    for audio, times in zip(chunks, expected, strict=True):
        got = [(word.start, word.end) for word in audio.words]
        rate = audio.sample_rate
        assert got == [(start / rate, end / rate) for start, end in times]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello of the world.", "Hello of the world"),
        ("It's 1999, isn't it? Dr. Smith!", "It's 1999 isn't it Dr Smith"),
        ("$5.20 & more at 5:30", "$5.20 & more at 5:30"),
        ('the 3rd "house" of (the) Rising-Sun', "the 3rd house of the Rising-Sun"),
        ("no - yes — well…", "no yes well"),
        ("Say [tomato](/təmɑːtoʊ/), please.", "Say tomato please"),
        ("U.S.A. is 1234567", "U.S.A is 1234567"),
        ("to to to of of the the", "to to to of of the the"),
        ("...", ""),
    ],
)
def test_words_are_those_of_the_text(model: PiperModel, text: str, expected: str) -> None:
    found = words(model, text)
    assert [word.text for word in found] == expected.split()
    for audio in spoken(model, text):
        for one, other in itertools.pairwise(audio.words):
            assert one.start < one.end <= other.start < other.end <= audio.seconds


def test_a_number_gets_the_time_of_all_its_words(model: PiperModel) -> None:
    (year,) = (word for word in words(model, "In 1999 it was.") if word.text == "1999")
    others = [word for word in words(model, "In 1999 it was.") if word is not year]
    assert year.end - year.start > 2 * max(word.end - word.start for word in others if word != year)


def test_words_that_are_run_together_are_told_apart(model: PiperModel) -> None:
    (_, of, the, _) = words(model, "Hello of the world")
    assert of.end == the.start


def test_none_without_being_asked(model: PiperModel) -> None:
    request = SpeechRequest(text="Hello.", voice="lessac")
    assert [audio.words for audio in model.synthesize(request)] == [()]


def test_too_much_text_has_no_times_rather_than_no_memory() -> None:
    phonemes = ["a"] * 5_000
    script = Script(sentences=[phonemes], words=[("a" * 5_000, phonemes)])
    assert places(script, lambda _: []) == []


def test_punctuation_around_a_word_is_left_out() -> None:
    assert [bare(each) for each in ("(the)", "don't", "'tis,", "—", "$5")] == [
        "the",
        "don't",
        "tis",
        "—",
        "$5",
    ]


_TEXTS = st.lists(
    st.sampled_from(["of", "the", "a", "1999", "x.", "Dr.", "it's", "—", "(b)", "&", "to,", "!"]),
    max_size=12,
).map(" ".join)


@settings(max_examples=60)
@given(_TEXTS)
def test_words_stay_in_order(model: PiperModel, text: str) -> None:
    wanted = iter(bare(each) for each in text.split())
    for audio in spoken(model, text):
        latest = 0.0
        for word in audio.words:
            assert word.text in wanted
            assert latest <= word.start <= word.end <= audio.seconds + 1e-9
            latest = word.end
