"""Settings of this engine alone, given at the start or with a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from open_speech.errors import InvalidRequest

Value = str | int | float | bool

_FLAG = (False, True)
SETTINGS: Mapping[str, tuple[Any, Any]] = {
    "beam_size": (1, 20),
    "best_of": (1, 20),
    "condition_on_previous_text": _FLAG,
    "hallucination_silence_threshold": (0.0, 3_600.0),
    "no_speech_threshold": (0.0, 1.0),
    "without_timestamps": _FLAG,
}
"""From a name to the lowest and the highest value, whose type is that of the setting."""
WORKERS = "workers"
"""A setting for the start alone: how many decoders work side by side."""


def checked(options: Mapping[str, Value]) -> dict[str, Value]:
    """The settings by the engine's names; raises InvalidRequest for what is none or too large."""
    return {name: _checked(name, value) for name, value in options.items() if name != WORKERS}


def _checked(name: str, value: Value) -> Value:
    if name not in SETTINGS:
        raise _refusal(f"There is no setting {name[:64]!r}.", f"There are: {', '.join(SETTINGS)}.")
    low, high = SETTINGS[name]
    kind = type(low)
    if isinstance(value, int) and kind is float and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind or not low <= value <= high:
        raise _refusal(
            f"The setting {name!r} cannot be {str(value)[:64]!r}.",
            f"It is a value of type {kind.__name__} from {low} to {high}.",
        )
    return value


def _refusal(message: str, hint: str) -> InvalidRequest:
    return InvalidRequest(message, param="options", hint=hint)
