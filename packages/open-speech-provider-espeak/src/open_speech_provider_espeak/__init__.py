"""espeak-ng for Open Speech: speech in 140 languages and accents, nothing to download."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import EspeakBackend

__all__ = ["EspeakBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [EspeakBackend()]
