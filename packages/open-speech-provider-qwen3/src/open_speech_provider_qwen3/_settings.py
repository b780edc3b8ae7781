"""Settings of this engine alone, given at the start or with a request."""

from __future__ import annotations

from collections.abc import Mapping

from open_speech import FLAG, Bounds, OptionValue, checked_options

SETTINGS: Bounds = {
    "do_sample": FLAG,
    "temperature": (0.01, 2.0),
    "top_k": (0, 4096),
    "top_p": (0.01, 1.0),
    "repetition_penalty": (0.5, 2.0),
    "subtalker_dosample": FLAG,
    "subtalker_temperature": (0.01, 2.0),
    "subtalker_top_k": (0, 4096),
    "subtalker_top_p": (0.01, 1.0),
}
"""From a name, that of ``generation_config.json``, to the lowest and the highest value."""
GRAPHS = "graphs"
"""A setting for the start alone: whether CUDA graphs are captured, true unless said otherwise."""


def checked(options: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """The settings for sampling; raises InvalidRequest for what is none or out of bounds."""
    asked = {name: value for name, value in options.items() if name != GRAPHS}
    return checked_options(asked, SETTINGS)


def wants_graphs(options: Mapping[str, OptionValue]) -> bool:
    """Whether CUDA graphs may be captured."""
    asked = {GRAPHS: options.get(GRAPHS, True)}
    return bool(checked_options(asked, {GRAPHS: FLAG})[GRAPHS])
