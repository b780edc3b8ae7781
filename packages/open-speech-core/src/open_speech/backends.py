"""What a provider implements: a backend that lists and loads, a model that works."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from .audio import Audio
from .models import Kind, ModelInfo, ModelPattern
from .speech import SpeechRequest
from .transcription import TranscriptionEvent, TranscriptionRequest


@dataclass(frozen=True, kw_only=True)
class LoadContext:
    """Where a model is to be loaded from and how; resolved by core."""

    paths: Mapping[str, Path] = field(default_factory=dict)
    """One folder (or file) per ``ModelSource.key``; empty for an embedded model."""
    device: str = "cpu"
    """``cpu``, ``cuda``, ``cuda:1``."""
    compute_type: str | None = None
    """One of ``ModelInfo.compute_types``, or None for the engine's choice."""
    threads: int = 0
    """How many CPU threads to use; 0 leaves it to the engine."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings of this provider alone."""

    @property
    def path(self) -> Path:
        """The folder of the source named ``model``; KeyError for an embedded model."""
        return self.paths["model"]


class Model(ABC):  # noqa: B024 - its two kinds have the abstract methods
    """Loaded weights; called from ``ModelInfo.concurrency`` threads at a time, never more."""

    @property
    def info(self) -> ModelInfo | None:
        """What is known better now that it is loaded (voices, languages, capabilities), or None."""
        return None

    def device_memory_bytes(self) -> int:
        """Bytes that it holds on an accelerator, by the engine's own count."""
        return 0

    def close(self) -> None:
        """Free everything. May be called twice."""


class TTSModel(Model):
    """A loaded text-to-speech model."""

    @abstractmethod
    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Speak: yield stretches of sound in order, as soon as each exists.

        A plain generator. Core stops it between two stretches when the caller has left, by
        closing it on the thread that runs it, so ``finally`` blocks run.
        """


class STTModel(Model):
    """A loaded speech-to-text model."""

    @abstractmethod
    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent]:
        """Understand: yield the language (at most once, first), then segments in order.

        A plain generator, stopped between two results as in ``TTSModel.synthesize``.
        """


class Backend(ABC):
    """What a provider registers: stateless, cheap to make, importing no engine."""

    name: ClassVar[str]
    """Unique among all providers; the part before the colon in ``name:model``."""
    kind: ClassVar[Kind]
    patterns: ClassVar[tuple[ModelPattern, ...]] = ()
    """Names that it serves beyond ``list_available()``."""
    api_version: ClassVar[int] = 1
    """The ``hookspecs.API_VERSION`` it is written for; raise it to what you need."""

    @abstractmethod
    def list_available(self) -> list[ModelInfo]:
        """The catalogue: data only, no I/O, no engine import, the same at every call."""

    @abstractmethod
    def load(self, model: ModelInfo, context: LoadContext) -> Model:
        """Load one model. Runs in the worker; the place to import the engine."""

    def inspect(self, path: Path) -> ModelInfo | None:
        """Say what a local folder or file holds, or None if it is not of a format known here.

        Asked for every path that the operator names, in a process of its own; importing the engine
        for it would take everybody's time. ``load`` gets the path as ``LoadContext.path``, and
        what is said here under the name that the operator gave it, without ``sources``.
        """
        return None


class TTSBackend(Backend):
    """Speaks."""

    kind: ClassVar[Kind] = Kind.TTS

    @abstractmethod
    def load(self, model: ModelInfo, context: LoadContext) -> TTSModel:
        """Load one model. Runs in the worker; the place to import the engine."""


class STTBackend(Backend):
    """Understands."""

    kind: ClassVar[Kind] = Kind.STT

    @abstractmethod
    def load(self, model: ModelInfo, context: LoadContext) -> STTModel:
        """Load one model. Runs in the worker; the place to import the engine."""
