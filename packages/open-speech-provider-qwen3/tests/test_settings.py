"""Settings of this engine alone."""

from __future__ import annotations

import pytest

from open_speech.errors import InvalidRequest
from open_speech_provider_qwen3._settings import checked, wants_graphs


def test_settings_become_the_engines() -> None:
    assert checked({"temperature": 1, "top_k": 5, "graphs": False}) == {
        "temperature": 1.0,
        "top_k": 5,
    }
    assert wants_graphs({})
    assert not wants_graphs({"graphs": False})


@pytest.mark.parametrize(
    "options",
    [{"temperature": 0.0}, {"top_k": 1.5}, {"do_sample": 1}, {"max_new_tokens": 9}, {"x" * 99: 1}],
)
def test_others_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(options)
    assert caught.value.param == "options"
    assert len(str(caught.value)) < 400


def test_graphs_are_a_yes_or_no() -> None:
    with pytest.raises(InvalidRequest, match="graphs"):
        wants_graphs({"graphs": "maybe"})
