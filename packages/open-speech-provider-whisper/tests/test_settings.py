"""Settings of the engine: known ones within bounds pass, everything else is refused by name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from faster_whisper import WhisperModel as BareModel

from open_speech.errors import InvalidRequest
from open_speech_provider_whisper._settings import SETTINGS, checked


def test_the_library_knows_them() -> None:
    assert set(SETTINGS) <= set(inspect.signature(BareModel.transcribe).parameters)


@pytest.mark.parametrize("name", SETTINGS)
def test_both_ends_are_taken(name: str) -> None:
    for value in SETTINGS[name]:
        assert checked({name: value}) == {name: value}


def test_a_whole_number_is_a_number() -> None:
    (value,) = checked({"no_speech_threshold": 1}).values()
    assert value == 1.0
    assert type(value) is float


def test_what_is_for_the_start_alone_is_left_out() -> None:
    assert checked({"workers": 2}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beam_size", 0),
        ("beam_size", 10_000),
        ("beam_size", "5"),
        ("beam_size", 5.0),
        ("beam_size", True),
        ("condition_on_previous_text", 1),
        ("no_speech_threshold", float("nan")),
        ("no_speech_threshold", True),
        ("vad_filter", True),
        ("", 1),
    ],
)
def test_others_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked({name: value})
    assert caught.value.param == "options"
