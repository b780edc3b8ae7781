"""How certain words are to be spoken, from a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pronunciations:
    """Words and how they are spoken."""
