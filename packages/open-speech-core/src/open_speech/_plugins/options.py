"""Settings of one engine alone, as its provider checks them.

They are in ``LoadContext.options`` at the start and in ``options`` of a request later, and come as
people write them: each needs a name that is known and a value within bounds::

    from open_speech import FLAG, checked_options

    BOUNDS = {"beam_size": (1, 20), "threshold": (0.0, 1.0), "strict": FLAG}
    settings = checked_options({"beam_size": 5, "threshold": 1}, BOUNDS)
    assert settings == {"beam_size": 5, "threshold": 1.0}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidRequest

OptionValue = str | int | float | bool
"""What an option may be set to."""
Bounds = Mapping[str, tuple[Any, Any]]
"""From a name to the lowest and the highest value, whose type is that of the setting."""
FLAG = (False, True)
"""Bounds of what is either true or false."""


def checked_options(options: Mapping[str, OptionValue], bounds: Bounds) -> dict[str, OptionValue]:
    """The same settings; whole numbers have become floats where those are due.

    Raises InvalidRequest for a name that is none of ``bounds``, and for a value of another type or
    out of bounds.
    """
    return {name: _checked(name, value, bounds) for name, value in options.items()}


def _checked(name: str, value: OptionValue, bounds: Bounds) -> OptionValue:
    if name not in bounds:
        known = f"There are: {', '.join(bounds)}." if bounds else "There are none."
        raise _refusal(f"Unknown option {name[:64]!r}.", known)
    low, high = bounds[name]
    kind = type(low)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or not low <= value <= high:
        due = "true or false" if kind is bool else f"a {_KINDS[kind]} from {low} to {high}"
        raise _refusal(f"The setting {name!r} cannot be {str(value)[:64]!r}.", f"It is {due}.")
    return value


_KINDS = {int: "whole number", float: "number"}


def _refusal(message: str, hint: str) -> InvalidRequest:
    return InvalidRequest(message, param="options", hint=hint)
