"""Mixtures of voices, written as ``af_bella(2)+af_sky(1)-am_adam(0.5)``.

The grammar is Kokoro-FastAPI's: names joined by ``+`` or ``-``, each with a weight in parentheses
or 1; spaces are ignored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidRequest

MAX_SHARES = 16
"""The most voices in one blend."""
_SHARE = re.compile(r"([+-]?)([^\s+\-()]{1,64})(?:\(([^()]{1,24})\))?")


@dataclass(frozen=True, kw_only=True)
class VoiceShare:
    """One voice of a blend."""

    voice: str
    weight: float
    """Finite and not 0; negative where the voice is taken away."""


def read_mix(expression: str) -> tuple[VoiceShare, ...]:
    """Read a blend; a plain name is a blend of one.

    Raises:
        InvalidRequest: it is not of the form above.
    """
    text = "".join(expression.split())
    shares: list[VoiceShare] = []
    position = 0
    while position < len(text) or not shares:
        match = _SHARE.match(text, position)
        if match is None or bool(match[1]) != bool(shares) or len(shares) == MAX_SHARES:
            raise _invalid(expression)
        sign = -1.0 if match[1] == "-" else 1.0
        shares.append(VoiceShare(voice=match[2], weight=sign * _weight(match[3], expression)))
        position = match.end()
    return tuple(shares)


def write_mix(shares: Sequence[VoiceShare]) -> str:
    """Write a blend down again, in one form for every way to say the same."""
    parts = (
        f"{'-' if share.weight < 0 else '+'}{share.voice}({abs(share.weight):g})"
        for share in shares
    )
    return "".join(parts).removeprefix("+")


def _weight(text: str | None, expression: str) -> float:
    try:
        weight = 1.0 if text is None else float(text)
    except ValueError:
        raise _invalid(expression) from None
    if not math.isfinite(weight) or weight <= 0:
        raise _invalid(expression)
    return weight


def _invalid(expression: str) -> InvalidRequest:
    return InvalidRequest(
        f"{expression[:64]!r} is no blend of voices.",
        param="voice",
        hint=(
            f"Write names with weights above 0, at most {MAX_SHARES}: 'first(2)+second(1)-third'."
        ),
    )
