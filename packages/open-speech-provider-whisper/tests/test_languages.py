"""Whisper's codes and BCP-47 say the same thing in both directions."""

from __future__ import annotations

import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES
from hypothesis import given
from hypothesis import strategies as st

from open_speech_provider_whisper import languages


def test_they_are_those_of_the_library() -> None:
    assert [languages.code(tag) for tag in languages.ALL] == [
        languages.code(languages.tag(code)) for code in languages.ALL
    ]
    assert {languages.code(tag) for tag in languages.ALL} == set(_LANGUAGE_CODES)


@pytest.mark.parametrize("tag", languages.ALL)
def test_there_and_back(tag: str) -> None:
    code = languages.code(tag)
    assert code is not None
    assert languages.tag(code) == tag


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("pt-BR", "pt"),
        ("EN_us", "en"),
        ("zh-Hant-TW", "zh"),
        ("zh-yue", "yue"),
        ("cmn-Hans", "zh"),
        ("nb-NO", "no"),
        ("fil", "tl"),
        ("jw", "jw"),
        ("tlh", None),
        ("english", None),
        ("", None),
        ("-", None),
    ],
)
def test_a_tag_s_code(tag: str, code: str | None) -> None:
    assert languages.code(tag) == code


@given(st.text(max_size=40))
def test_any_text_is_a_known_code_or_none(text: str) -> None:
    assert languages.code(text) in {None, *_LANGUAGE_CODES}
