"""Recordings heard with published weights: as well as by the library, and how well that is."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from real.recordings import Recording
from real.repositories import BASE, TINY_EN
from real.served import Served, Transcript, Word
from real.words import Heard, error_rate, table

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

WELL_KNOWN = {
    "en": 0.0, "es": 0.1, "fr": 0.1, "it": 0.1, "pt": 0.1,
    "pl": 0.3, "hi": 0.6, "ja": 0.5, "zh": 0.5,
}  # fmt: skip
"""The share of words, or of characters in Japanese and Chinese, that may be wrong."""
TIMES_S = 0.011
"""The answer's times are rounded to hundredths."""


def library(folder: Path) -> Callable[[bytes], Transcript]:
    """The bare library with the same weights; silence is left out, as the server does."""
    from faster_whisper import WhisperModel

    model: Any = WhisperModel(str(folder), device="cpu", compute_type="int8")

    def hear(sound: bytes) -> Transcript:
        found, info = model.transcribe(BytesIO(sound), vad_filter=True, word_timestamps=True)
        segments = list(found)
        words = [word for segment in segments for word in segment.words]
        times = tuple(Word(word.word.strip(), word.start, word.end) for word in words)
        text = "".join(segment.text for segment in segments).strip()
        return Transcript(text, info.language, times)

    return hear


def equal_to_the_library(ours: Transcript, bare: Transcript) -> None:
    assert ours.text == bare.text
    assert [word.text for word in ours.words] == [word.text for word in bare.words]
    for one, other in zip(ours.words, bare.words, strict=True):
        assert one.start == pytest.approx(other.start, abs=TIMES_S), one
        assert one.end == pytest.approx(other.end, abs=TIMES_S), one


def heard(
    served: Served, recordings: list[Recording], bare: Callable[[bytes], Transcript]
) -> list[Heard]:
    """Hear them all, each as the library does."""
    found = []
    for each in recordings:
        ours = served.hear(each.sound)
        equal_to_the_library(ours, bare(each.sound))
        found.append(Heard(each.text, ours.text, each.language))
    return found


def test_english_is_heard_as_by_the_library(
    small: Served, weights: Callable[[str], Path], short_ones: list[Recording]
) -> None:
    english = [each for each in short_ones if each.language == "en"]
    found = heard(small, english, library(weights(TINY_EN)))
    print(table("Whisper tiny.en, short recordings", found))  # noqa: T201
    assert error_rate(found) == 0


def test_a_novel_read_aloud_is_heard_as_by_the_library(
    small: Served, weights: Callable[[str], Path], read_aloud: list[Recording]
) -> None:
    found = heard(small, read_aloud, library(weights(TINY_EN)))
    print(table("Whisper tiny.en, a novel read aloud", found))  # noqa: T201
    assert error_rate(found) <= 0.05


@pytest.fixture(scope="module")
def heard_in_nine_languages(
    large: Served, weights: Callable[[str], Path], short_ones: list[Recording]
) -> list[tuple[Recording, Transcript, Transcript]]:
    """Each recording, with no word about its language: by the server, and by the library."""
    bare = library(weights(BASE))
    return [(each, large.hear(each.sound), bare(each.sound)) for each in short_ones]


NineLanguages = list[tuple[Recording, Transcript, Transcript]]


@pytest.mark.deep
def test_nine_languages_are_heard_as_by_the_library(heard_in_nine_languages: NineLanguages) -> None:
    for _, ours, bare in heard_in_nine_languages:
        equal_to_the_library(ours, bare)


@pytest.mark.deep
@pytest.mark.parametrize(("language", "bound"), WELL_KNOWN.items())
def test_languages_are_understood(
    heard_in_nine_languages: NineLanguages, language: str, bound: float
) -> None:
    found = [
        Heard(each.text, ours.text, language)
        for each, ours, _ in heard_in_nine_languages
        if each.language == language
    ]
    print(table(f"Whisper base, {language}", found))  # noqa: T201
    assert error_rate(found) <= bound


@pytest.mark.deep
def test_the_language_is_found(heard_in_nine_languages: NineLanguages) -> None:
    wrong = [
        f"{each.name}: {ours.language}"
        for each, ours, _ in heard_in_nine_languages
        if ours.language != each.language
    ]
    print("languages not found:", wrong or "none")  # noqa: T201
    assert len(wrong) <= 1, wrong


@pytest.mark.deep
def test_a_novel_read_aloud_is_heard_as_by_the_library_with_base(
    large: Served, weights: Callable[[str], Path], read_aloud: list[Recording]
) -> None:
    found = heard(large, read_aloud, library(weights(BASE)))
    print(table("Whisper base, a novel read aloud", found))  # noqa: T201
    assert error_rate(found) <= 0.05
