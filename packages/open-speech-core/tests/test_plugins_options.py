"""Settings of a provider, checked by its bounds."""

from __future__ import annotations

import pytest

from open_speech._plugins.options import FLAG, checked_options
from open_speech.errors import InvalidRequest

BOUNDS = {"beams": (1, 20), "heat": (0.0, 1.0), "strict": FLAG}


def test_settings_within_bounds_become_the_engines():
    checked = checked_options({"beams": 20, "heat": 1, "strict": True}, BOUNDS)
    assert checked == {"beams": 20, "heat": 1.0, "strict": True}
    assert type(checked["heat"]) is float
    assert checked_options({}, BOUNDS) == {}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("beams", 0, "It is a whole number from 1 to 20."),
        ("beams", 21, "from 1 to 20"),
        ("beams", 2.0, "a whole number"),
        ("beams", True, "a whole number"),
        ("beams", "2", "a whole number"),
        ("heat", 1.1, "It is a number from 0.0 to 1.0."),
        ("heat", float("nan"), "cannot be 'nan'"),
        ("heat", False, "a number"),
        ("strict", 1, "It is true or false."),
        ("strict", "x" * 9_999, "cannot be 'xx"),
        ("x" * 9_999, 1, "There are: beams, heat, strict."),
    ],
)
def test_others_are_refused_in_a_sentence(name, value, said):
    with pytest.raises(InvalidRequest) as caught:
        checked_options({name: value}, BOUNDS)
    assert caught.value.param == "options"
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_provider_without_settings_says_so():
    with pytest.raises(InvalidRequest, match="There are none"):
        checked_options({"heat": 1.0}, {})
