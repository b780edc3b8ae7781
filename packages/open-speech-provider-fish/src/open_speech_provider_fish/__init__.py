"""Fish Speech for Open Speech: OpenAudio S1 mini in a worker, or a Fish Speech server over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import FishBackend

__all__ = ["FishBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [FishBackend()]
