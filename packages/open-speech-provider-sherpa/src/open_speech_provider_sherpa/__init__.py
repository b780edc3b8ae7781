"""sherpa-onnx for Open Speech: recognition, recognition while the sound comes in, diarization."""

from __future__ import annotations

from collections.abc import Sequence

from open_speech import Backend, hookimpl

from .backend import SherpaBackend, SherpaDiarizationBackend

__all__ = ["SherpaBackend", "SherpaDiarizationBackend", "open_speech_backends"]


@hookimpl
def open_speech_backends() -> Sequence[Backend]:
    """The backends of this provider."""
    return [SherpaBackend(), SherpaDiarizationBackend()]
