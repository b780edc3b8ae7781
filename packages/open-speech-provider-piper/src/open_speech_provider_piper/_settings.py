"""Settings of this engine alone, given at the start or with a request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from open_speech.errors import InvalidRequest

Value = str | int | float | bool

CHINESE = "g2pw"
"""A setting for the start alone: the folder with what Chinese needs."""
_MOST = 2.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to speak; None leaves it to the voice."""

    noise_scale: float | None = None
    """How much the sound varies, 0 to 2."""
    noise_w: float | None = None
    """How much the lengths of sounds vary, 0 to 2."""
    normalize: bool = False
    """Scale each sentence to full loudness, as the bare engine does unless told not to.

    Off, because every sentence is scaled on its own: a short one, or a quiet one, then jumps out
    between its neighbours. How loud all of it is can be asked of core.
    """


def checked(options: Mapping[str, Value]) -> Settings:
    """The settings of a request; raises InvalidRequest for what is none or out of bounds."""
    given = {name: value for name, value in options.items() if name != CHINESE}
    for name, value in given.items():
        if name == "normalize":
            fits = isinstance(value, bool)
        elif name in ("noise_scale", "noise_w"):
            fits = _is_number(value) and 0 <= float(value) <= _MOST
        else:
            raise _refusal(
                f"Unknown option {name[:64]!r}.", "There are noise_scale, noise_w, normalize."
            )
        if not fits:
            raise _refusal(
                f"The setting {name!r} cannot be {str(value)[:64]!r}.",
                "It is true or false." if name == "normalize" else f"It is 0 to {_MOST:g}.",
            )
    return Settings(**given)  # type: ignore[arg-type]


def _is_number(value: Value) -> bool:
    return type(value) in (int, float) and math.isfinite(float(value))


def _refusal(message: str, hint: str) -> InvalidRequest:
    return InvalidRequest(message, param="options", hint=hint)
