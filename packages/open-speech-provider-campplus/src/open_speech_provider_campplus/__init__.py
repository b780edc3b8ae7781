"""CAM++ for Open Speech: who speaks when, and voices as vectors, nothing to download."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import CampplusBackend

__all__ = ["CampplusBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [CampplusBackend()]
