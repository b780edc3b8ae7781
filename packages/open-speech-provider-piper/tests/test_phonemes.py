"""Texts with pronunciations in them, with espeak-ng itself making the phonemes."""

# ruff: noqa: RUF001 - phonemes look like letters

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech.errors import InvalidRequest
from open_speech_provider_piper._phonemes import read
from open_speech_provider_piper.model import PiperModel


def said(model: PiperModel, text: str) -> list[str]:
    engine = model._ready()
    script = read(text, engine.phonemes, engine.knows)
    return ["".join(sentence) for sentence in script.sentences]


def test_plain_text_is_what_the_engine_says(model: PiperModel) -> None:
    text = "Hello there, you. It is 7 o'clock! Shall we?"
    assert said(model, text) == ["".join(each) for each in model._ready().phonemes(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[hello](/xɛlo/)", ["xɛlo"]),
        ("Say [tomato](/təmɑːtoʊ/), please.", ["sˈeɪ təmɑːtoʊ, plˈiːz."]),
        ("[Bob](/bɒb/) and [Ann](/æn/).", ["bɒb ænd æn."]),
        ("Yes. [No](/nəʊ/)! Go.", ["jˈɛs. ", "nəʊ! ", "ɡˈoʊ."]),
        ("un[do](/duː/)ne", ["ˈʌnduːnˈiː"]),
        ("[ça](/\u00e7a/)", ["c\u0327a"]),  # decomposed, as the engine has it
    ],
)
def test_pronunciations_stand_where_they_are(
    model: PiperModel, text: str, expected: list[str]
) -> None:
    assert said(model, text) == expected


@pytest.mark.parametrize("text", ["[x](/a\u0301漢/)", "[x](/€/)"])
def test_a_symbol_without_sound_is_refused(model: PiperModel, text: str) -> None:
    with pytest.raises(InvalidRequest, match="no sound for") as caught:
        said(model, text)
    assert caught.value.param == "text"


def test_brackets_of_the_text_are_text(model: PiperModel) -> None:
    """The engine would take what is in double brackets for phonemes."""
    assert said(model, "[[cat]]") == said(model, "[ [cat] ]")
    assert "kˈæt" in said(model, "a [[cat]] b")[0]
    assert said(model, "[[[[cat]]]]") == said(model, "cat")


@settings(max_examples=60)
@given(st.text(alphabet="ab. ,![]()/ə\n\x00\x01[[]]", max_size=40))
def test_any_text_is_read(model: PiperModel, text: str) -> None:
    for sentence in said(model, text):
        assert sentence.strip()
