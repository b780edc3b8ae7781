"""Names of languages, theirs and ours."""

from __future__ import annotations

import pytest

from open_speech_provider_qwen3 import languages


@pytest.mark.parametrize(
    ("tag", "name"),
    [("en", "english"), ("pt-BR", "portuguese"), ("zh_Hant", "chinese"), ("cmn", "chinese")],
)
def test_tags_have_names(tag: str, name: str) -> None:
    assert languages.name(tag) == name


@pytest.mark.parametrize("tag", ["nl", "", "english", "x"])
def test_other_tags_have_none(tag: str) -> None:
    assert languages.name(tag) is None


def test_dialects_are_no_languages() -> None:
    assert languages.tags(["english", "beijing_dialect", "chinese"]) == ("zh", "en")
