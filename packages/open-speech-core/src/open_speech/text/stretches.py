"""What markup divides a text into: stretches that are spoken one way, and pauses."""

from __future__ import annotations

from dataclasses import dataclass

from ._tracked import Tracked


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Text under one setting; None and 1 leave the request's as it is."""

    tracked: Tracked
    voice: str | None = None
    language: str | None = None
    speed: float = 1.0
    volume: float = 1.0
