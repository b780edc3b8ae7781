"""Hears nothing but the version of pydantic that its worker runs with: ``pydantic==1.10.*``."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from open_speech import (
    Backend,
    Kind,
    LoadContext,
    ModelInfo,
    Segment,
    STTBackend,
    STTModel,
    TranscriptionEvent,
    TranscriptionRequest,
    hookimpl,
)

NAME = "oldpydantic"


class VersionModel(STTModel):
    """Answers each recording with one segment: ``pydantic`` and its version."""

    def __init__(self) -> None:
        self._version = str(import_module("pydantic").VERSION)

    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent]:
        """Tell the version, whatever was said."""
        yield Segment(text=f"pydantic {self._version}", start=0.0, end=request.audio.seconds)


class VersionBackend(STTBackend):
    """Offers one model, ``old-pydantic``."""

    name = NAME

    def list_available(self) -> list[ModelInfo]:
        """The catalogue."""
        return [ModelInfo(id="old-pydantic", kind=Kind.STT, languages=("en",))]

    def load(self, model: ModelInfo, context: LoadContext) -> VersionModel:
        """Import pydantic, here and not before."""
        return VersionModel()


@hookimpl
def open_speech_backends() -> list[Backend]:
    """The provider's one backend."""
    return [VersionBackend()]
