"""Qwen3-TTS for Open Speech: streamed speech in ten languages, voice design and cloning."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import Qwen3Backend

__all__ = ["Qwen3Backend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [Qwen3Backend()]
