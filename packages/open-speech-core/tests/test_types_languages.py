"""What a language tag says."""

from __future__ import annotations

import pytest

from open_speech._types.languages import main_language


@pytest.mark.parametrize(
    ("tag", "main"),
    [
        ("en", "en"),
        ("pt-BR", "pt"),
        ("pt_BR", "pt"),
        ("ZH-Hant-TW", "zh"),
        ("yue", "yue"),
        ("", ""),
        (None, ""),
    ],
)
def test_main_language_is_the_part_before_region_and_script(tag, main):
    assert main_language(tag) == main
