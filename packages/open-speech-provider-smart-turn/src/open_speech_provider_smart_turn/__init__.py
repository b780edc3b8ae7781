"""Smart Turn for Open Speech: the end of a turn, by how it sounds."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import SmartTurnBackend

__all__ = ["SmartTurnBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [SmartTurnBackend()]
