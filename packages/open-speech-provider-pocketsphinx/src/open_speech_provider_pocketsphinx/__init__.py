"""PocketSphinx for Open Speech: American English on any board, nothing to download."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import PocketsphinxBackend

__all__ = ["PocketsphinxBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [PocketsphinxBackend()]
