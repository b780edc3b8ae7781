"""Whisper for Open Speech, by faster-whisper: a hundred languages, translation, word times."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import WhisperBackend

__all__ = ["WhisperBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [WhisperBackend()]
