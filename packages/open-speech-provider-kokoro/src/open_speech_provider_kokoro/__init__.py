"""Kokoro for Open Speech: 82 million parameters, 54 voices, nine languages."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import KokoroBackend

__all__ = ["KokoroBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [KokoroBackend()]
