"""Settings of the engine: taken within bounds, refused with a sentence."""

from __future__ import annotations

import pytest

from open_speech.errors import InvalidRequest
from open_speech_provider_piper._settings import Settings, Value, checked


def test_what_is_given_is_taken() -> None:
    assert checked({}) == Settings()
    given: dict[str, Value] = {"noise_scale": 0, "noise_w": 1.5, "normalize": True, "g2pw": "/x"}
    assert checked(given) == Settings(noise_scale=0, noise_w=1.5, normalize=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noise_scale", -0.1),
        ("noise_scale", float("nan")),
        ("noise_w", 2.1),
        ("noise_w", True),
        ("noise_w", "1"),
        ("normalize", 1),
        ("length_scale", 1.0),
    ],
)
def test_what_is_none_is_refused(name: str, value: Value) -> None:
    with pytest.raises(InvalidRequest, match=name) as caught:
        checked({name: value})
    assert caught.value.param == "options"
