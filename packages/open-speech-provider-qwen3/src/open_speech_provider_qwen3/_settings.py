"""Settings of this engine alone, given at the start or with a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from open_speech.errors import InvalidRequest

Value = str | int | float | bool

_FLAG = (False, True)
SETTINGS: Mapping[str, tuple[Any, Any]] = {
    "do_sample": _FLAG,
    "temperature": (0.01, 2.0),
    "top_k": (0, 4096),
    "top_p": (0.01, 1.0),
    "repetition_penalty": (0.5, 2.0),
    "subtalker_dosample": _FLAG,
    "subtalker_temperature": (0.01, 2.0),
    "subtalker_top_k": (0, 4096),
    "subtalker_top_p": (0.01, 1.0),
}
"""From a name, that of ``generation_config.json``, to the lowest and the highest value."""
GRAPHS = "graphs"
"""A setting for the start alone: whether CUDA graphs are captured, true unless said otherwise."""


def checked(options: Mapping[str, Value]) -> dict[str, Value]:
    """The settings for sampling; raises InvalidRequest for what is none or out of bounds."""
    return {name: _checked(name, value) for name, value in options.items() if name != GRAPHS}


def wants_graphs(options: Mapping[str, Value]) -> bool:
    """Whether CUDA graphs may be captured."""
    wanted = options.get(GRAPHS, True)
    if type(wanted) is not bool:
        raise _refusal(f"The setting {GRAPHS!r} cannot be {str(wanted)[:64]!r}.", "true or false.")
    return wanted


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
