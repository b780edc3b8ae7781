"""Texts are compared as they are heard, not as they are written."""

from __future__ import annotations

import pytest

from real.words import Heard, error_rate, normal, table


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("“Don\u2019t” — it\u2019s 7:30, ok?", "en", "don't it's seven thirty ok"),
        ("1, 2, 3", "es", "uno dos tres"),
        ("Pchnąć w tę ŁÓDŹ", "pl", "pchnąć w tę łódź"),
        ("你好\uff0c世界。", "zh", "你 好 世 界"),
        ("ऊँट के मुँह में।", "hi", "ऊँट के मुँह में"),
        (" 'quoted' ", "en", "quoted"),
        ("Mr. Dashwood", "en", "mister dashwood"),
        ("Mr. Dashwood", "fr", "mr dashwood"),
    ],
)
def test_texts_are_made_comparable(text: str, language: str, expected: str) -> None:
    assert normal(text, language) == expected


def test_errors_are_counted_over_all_texts() -> None:
    results = [Heard("One two three four.", "1, 2, 3, 4"), Heard("Good night", "good knight")]
    assert error_rate(results) == pytest.approx(1 / 6)
    assert table("Some", results).splitlines() == [
        "Some: 16.7% of 6",
        "  said  good night",
        "  heard good knight",
    ]
