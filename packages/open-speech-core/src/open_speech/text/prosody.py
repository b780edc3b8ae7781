"""What the values of SSML's attributes come to."""

from __future__ import annotations

import re
from collections.abc import Mapping

BREAKS = {"none": 0.0, "x-weak": 0.0, "weak": 0.25, "medium": 0.5, "strong": 1.0, "x-strong": 1.5}
"""Seconds of silence."""
RATES = {
    "x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5,
}  # fmt: skip
"""Factors on the pace."""
VOLUMES = {
    "silent": 0.0, "x-soft": 0.25, "soft": 0.5, "medium": 1.0, "default": 1.0, "loud": 1.4,
    "x-loud": 2.0,
}  # fmt: skip
"""Factors on the samples."""
MAX_VOLUME = 4.0

_NUMBER = r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})"
_TIME = re.compile(rf"\+?{_NUMBER}\s{{0,8}}(ms|s)", re.IGNORECASE)
_RATE = re.compile(rf"([+-]?){_NUMBER}(%?)")
_DECIBELS = re.compile(rf"([+-]?){_NUMBER}\s{{0,8}}dB", re.IGNORECASE)
_LOUDNESS = re.compile(_NUMBER)


def break_seconds(attributes: Mapping[str, str]) -> float:
    """How long a ``break`` is: by its time, else by its strength, else half a second."""
    if match := _TIME.fullmatch(attributes.get("time", "").strip()):
        return float(match[1]) / (1000 if match[2].lower() == "ms" else 1)
    return BREAKS.get(attributes.get("strength", "medium").strip().lower(), BREAKS["medium"])


def rate_factor(value: str) -> float:
    """How much faster: a word, ``120%``, ``1.2``, or a change such as ``+20%``; else not at all."""
    value = value.strip().lower()
    if value in RATES:
        return RATES[value]
    match = _RATE.fullmatch(value)
    if not match:
        return 1.0
    number = float(match[2]) / (100 if match[3] else 1)
    if match[1] and match[3]:
        return 1 + number if match[1] == "+" else 1 - number
    return 1.0 if match[1] == "-" else number


def volume_factor(value: str) -> float:
    """How much louder: a word, ``+6dB``, or 0 to 100 of full loudness; else not at all."""
    value = value.strip().lower()
    if value in VOLUMES:
        return VOLUMES[value]
    if match := _DECIBELS.fullmatch(value):
        decibels = float(match[2]) * (-1 if match[1] == "-" else 1)
        return float(min(10 ** (min(decibels, 40.0) / 20), MAX_VOLUME))
    if match := _LOUDNESS.fullmatch(value):
        return min(float(match[1]), 100.0) / 100
    return 1.0
