"""How long a model stays loaded, written as Ollama has it."""

from __future__ import annotations

import math
import re

from open_speech.errors import InvalidRequest

KEEP_ALIVE = "How long the model stays loaded unused: seconds, `5m`, 0 for not at all, -1 for ever."
"""Description of the field that requests have."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)")
_WHOLE = re.compile(rf"-?(?:{_PART.pattern})+")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")


def keep_alive_seconds(value: float | str | None) -> float | None:
    """Seconds to stay loaded unused: 0 is not at all, negative is for ever, None leaves it open.

    Takes a number of seconds, or a text of numbers with units such as ``5m``, ``1h30m`` or ``-1``.
    Raises InvalidRequest.
    """
    if value is None:
        return None
    seconds = _read(value.strip()) if isinstance(value, str) else float(value)
    if seconds is None or not math.isfinite(seconds):
        raise InvalidRequest(
            "'keep_alive' is not a valid duration.",
            param="keep_alive",
            hint="Send seconds, or a string such as '5m' or '1h30m'; 0 "
            "unloads at once, -1 never unloads.",
        )
    return -1.0 if seconds < 0 else seconds


def _read(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _WHOLE.fullmatch(text):
        return None
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return -1.0 if text.startswith("-") else seconds
