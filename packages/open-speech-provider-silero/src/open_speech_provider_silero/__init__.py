"""Silero VAD for Open Speech: voice activity detection, nothing to download."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import SileroBackend

__all__ = ["SileroBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [SileroBackend()]
