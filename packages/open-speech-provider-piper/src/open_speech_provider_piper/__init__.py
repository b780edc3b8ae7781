"""Piper for Open Speech: quick voices in dozens of languages, on any CPU."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import PiperBackend

__all__ = ["PiperBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [PiperBackend()]
