"""Languages of requests against those of a model."""

from __future__ import annotations

import pytest

from open_speech import ModelInfo
from open_speech.errors import InvalidRequest
from open_speech_provider_sherpa.languages import SENSE_VOICE, chosen, told

SENSE = ModelInfo(id="org/sense", languages=SENSE_VOICE)
ANY = ModelInfo(id="org/any")


@pytest.mark.parametrize(
    ("tag", "known"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("zh-Hant-TW", "zh"),
        ("cmn", "zh"),
        ("zh-yue", "yue"),
        (None,) * 2,
    ],
)
def test_a_tag_is_found(tag: str | None, known: str | None) -> None:
    assert chosen(SENSE, tag) == known


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="does not understand 'de'") as caught:
        chosen(SENSE, "de", "languages")
    assert caught.value.param == "languages"
    assert "zh, en" in str(caught.value)


def test_a_model_of_unknown_languages_takes_any() -> None:
    assert chosen(ANY, "pt-BR") == "pt"


@pytest.mark.parametrize(
    ("mark", "tag"), [("<|en|>", "en"), ("<|yue|>", "yue"), ("<|nospeech|>", None), ("", None)]
)
def test_marks_of_the_engine(mark: str, tag: str | None) -> None:
    assert told(mark) == tag
