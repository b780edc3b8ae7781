"""Settings of this engine alone, given at the start or with a request."""

from __future__ import annotations

from collections.abc import Mapping

from open_speech import FLAG, Bounds, OptionValue, checked_options

SETTINGS: Bounds = {
    "beam_size": (1, 20),
    "best_of": (1, 20),
    "condition_on_previous_text": FLAG,
    "hallucination_silence_threshold": (0.0, 3_600.0),
    "no_speech_threshold": (0.0, 1.0),
    "without_timestamps": FLAG,
}
"""From a name to the lowest and the highest value, whose type is that of the setting."""
WORKERS = "workers"
"""A setting for the start alone: how many decoders work side by side."""


def checked(options: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """The settings by the engine's names; raises InvalidRequest for what is none or too large."""
    asked = {name: value for name, value in options.items() if name != WORKERS}
    return checked_options(asked, SETTINGS)
