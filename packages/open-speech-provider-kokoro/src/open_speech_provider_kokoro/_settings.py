"""Settings of this engine alone, given at the start."""

from __future__ import annotations

from collections.abc import Mapping

from open_speech.errors import InvalidRequest

ENGINE = "engine"
"""A setting for the start alone: what runs the network."""
ENGINES = ("auto", "onnx", "torch")


def engine(options: Mapping[str, str | int | float | bool]) -> str:
    """The engine that is asked for; raises InvalidRequest for what is none."""
    for name, value in options.items():
        if name != ENGINE:
            raise InvalidRequest(
                f"Unknown option {name[:64]!r}.",
                param="options",
                hint=f"There is {ENGINE!r}, at the start.",
            )
        if value not in ENGINES:
            raise InvalidRequest(
                f"The setting {name!r} cannot be {str(value)[:64]!r}.",
                param="options",
                hint=f"It is one of {', '.join(ENGINES)}.",
            )
    return str(options.get(ENGINE, ENGINES[0]))
