"""What one published model says, another one understands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from real.repositories import BASE
from real.sentences import SENTENCES
from real.served import PIPER_MODEL, Served
from real.words import Heard, error_rate, table

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


def round_trip(served: Served, **voice: str) -> list[Heard]:
    """Twenty sentences, each spoken by itself and heard again."""
    return [Heard(text, served.hear(served.speak(text, **voice)).text) for text in SENTENCES]


def test_piper_is_understood(small: Served) -> None:
    found = round_trip(small)
    print(table("Piper joe, heard by Whisper tiny.en", found))  # noqa: T201
    # No two runs are the same, and this is the smallest model that hears: most errors are its own.
    assert error_rate(found) <= 0.08


@pytest.mark.deep
def test_piper_is_understood_by_a_larger_model(serve: Callable[[str, str], Served]) -> None:
    found = round_trip(serve(BASE, PIPER_MODEL))
    print(table("Piper joe, heard by Whisper base", found))  # noqa: T201
    assert error_rate(found) <= 0.04


@pytest.mark.deep
@pytest.mark.parametrize("voice", ["af_heart", "am_michael", "bf_emma"])
def test_kokoro_is_understood(large: Served, voice: str) -> None:
    found = round_trip(large, voice=voice)
    print(table(f"Kokoro {voice}, heard by Whisper base", found))  # noqa: T201
    assert error_rate(found) <= 0.01
