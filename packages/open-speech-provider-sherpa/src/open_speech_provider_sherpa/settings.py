"""Settings of this engine alone, given at the start or with a request."""

from __future__ import annotations

from collections.abc import Mapping

from open_speech import FLAG, Bounds, OptionValue, checked_options

OFFLINE: Bounds = {
    "hotwords_score": (0.0, 20.0),
    "max_active_paths": (1, 32),
    "longest_stretch": (5.0, 120.0),
    "use_itn": FLAG,
}
"""``longest_stretch`` in seconds; ``use_itn`` makes SenseVoice write numbers and punctuation."""
STREAMING: Bounds = {
    "hotwords_score": (0.0, 20.0),
    "max_active_paths": (1, 32),
    "rule1_min_trailing_silence": (0.1, 60.0),
    "rule2_min_trailing_silence": (0.1, 60.0),
    "rule3_min_utterance_length": (1.0, 3_600.0),
}
"""The rules are the engine's, for the end of an utterance: silence without any text, silence after
text, and a length; in seconds."""
DIARIZATION: Bounds = {
    "threshold": (0.0, 2.0),
    "min_duration_on": (0.0, 10.0),
    "min_duration_off": (0.0, 10.0),
}
"""The cosine distance up to which two voices are one; the shortest turn, and the shortest pause
between two turns of a speaker, in seconds."""
OF_REQUESTS: Mapping[str, Bounds] = {
    "offline": {name: OFFLINE[name] for name in ("longest_stretch", "use_itn")},
    "streaming": {},
    "diarization": {"threshold": DIARIZATION["threshold"]},
}
"""Those of them that a request may change."""


def checked(options: Mapping[str, OptionValue], bounds: Bounds) -> dict[str, OptionValue]:
    """The settings with their types; raises InvalidRequest for what is none or out of bounds."""
    return checked_options(options, bounds)
