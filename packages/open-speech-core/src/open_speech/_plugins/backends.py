"""What a provider implements: a backend that lists and loads, a model that works."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from .._operations import (
    ALIGN,
    DETECT,
    DIARIZE,
    EMBED,
    LISTEN,
    PHONEMIZE,
    PREDICT_TURN_END,
    SYNTHESIZE,
    TRANSCRIBE,
    Operation,
)
from .._types.audio import Audio
from .._types.listening import (
    DetectionRequest,
    Flush,
    ListeningEvent,
    SpeechActivity,
    TurnEnd,
    TurnRequest,
)
from .._types.models import Kind, ModelInfo, ModelPattern
from .._types.speakers import (
    DiarizationRequest,
    EmbeddingRequest,
    SpeakerEmbedding,
    SpeakerTurn,
)
from .._types.speech import Phonemes, PhonemesRequest, SpeechRequest
from .._types.transcription import AlignmentRequest, TranscriptionEvent, TranscriptionRequest


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


class Model(ABC):  # noqa: B024 - its kinds have the abstract methods
    """Loaded weights; called from ``ModelInfo.concurrency`` threads at a time, never more."""

    def __init__(self, info: ModelInfo | None = None, context: LoadContext | None = None) -> None:
        """Import the engine and read the weights here; ``Backend.load`` passes its arguments on."""

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
    def synthesize(self, request: SpeechRequest) -> Iterator[Audio | None]:
        """Speak: yield chunks of sound in order, as soon as each exists.

        A plain generator. Core stops it between two chunks when the caller has left, by
        closing it on the thread that runs it, so ``finally`` blocks run. It may yield None where
        it can be stopped while it has no chunk yet.
        """

    def phonemize(self, request: PhonemesRequest) -> Iterator[Phonemes | None]:
        """Spell a text as it would be pronounced (``Capability.PHONEMIZATION``).

        A plain generator like ``synthesize``, asked only of models that declare it.
        """
        raise NotImplementedError


class STTModel(Model):
    """A loaded speech-to-text model."""

    @abstractmethod
    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent | None]:
        """Understand: yield the language (at most once, first), then segments in order.

        A plain generator, stopped between two results as in ``TTSModel.synthesize``.
        """

    def align(self, request: AlignmentRequest) -> Iterator[TranscriptionEvent | None]:
        """Find when each word is said (``Capability.ALIGNMENT``): segments with all the words.

        A plain generator like ``transcribe``, asked only of models that declare it.
        """
        raise NotImplementedError

    def listen(
        self, request: TranscriptionRequest, sound: Iterator[Audio | Flush]
    ) -> Iterator[ListeningEvent | None]:
        """Understand sound while it comes in (``Capability.LISTENING``).

        ``sound`` waits for the next chunk. Yield ``Partial`` for the text of the utterance so far,
        ``Segment`` for what is final, with times from the start of all sound, and ``Flushed`` once
        an utterance is all there: after each ``Flush``, or unasked where the engine finds the end
        by itself. Core does this with ``transcribe`` for models that do not declare it.
        """
        raise NotImplementedError


class VADModel(Model):
    """A loaded model that detects voice activity."""

    @abstractmethod
    def detect(
        self, request: DetectionRequest, sound: Iterator[Audio]
    ) -> Iterator[SpeechActivity | None]:
        """Say how likely somebody speaks, frame by frame, as soon as each frame is there.

        ``sound`` waits for the next chunk, of any length. Frames follow one another without gaps;
        what is left at the end of the sound may be dropped. Called once per live session, and many
        of these run at a time (``ModelInfo.sessions``): keep what is its own in local variables.
        """


class TurnModel(Model):
    """A loaded model that tells whether a speaker has finished."""

    @abstractmethod
    def predict_turn_end(self, request: TurnRequest) -> Iterator[TurnEnd | None]:
        """Judge the pause at the end of the sound: yield one ``TurnEnd``."""


class DiarizationModel(Model):
    """A loaded model that tells who speaks."""

    @abstractmethod
    def diarize(
        self, request: DiarizationRequest, sound: Iterator[Audio]
    ) -> Iterator[SpeakerTurn | None]:
        """Tell the speakers of a recording apart: yield their turns, ordered by where they begin.

        ``sound`` waits for the next chunk, of any length, and ends with the recording. Hours may
        come: keep what the speakers are told apart by rather than the sound. Yield None now and
        then during long work. Turns may overlap, and a recording without speech has none. Called
        once per recording, and several of these run at a time (``ModelInfo.sessions``): keep what
        is its own in local variables.
        """

    def embed(self, request: EmbeddingRequest) -> Iterator[SpeakerEmbedding | None]:
        """Describe a voice (``Capability.EMBEDDING``): yield one vector of length 1.

        A plain generator, asked only of models that declare it.
        """
        raise NotImplementedError


class Backend(ABC):
    """What a provider registers: stateless, cheap to make, importing no engine."""

    name: ClassVar[str]
    """Unique among all providers; the part before the colon in ``name:model``."""
    kind: ClassVar[Kind]
    """Of all its models; they need not repeat it."""
    models: ClassVar[tuple[ModelInfo, ...]] = ()
    """The catalogue; a backend that has to compute it implements ``list_available`` instead."""
    model_class: ClassVar[type[Model]]
    """What ``load`` makes; a backend that has more to do there implements ``load`` instead."""
    operations: ClassVar[tuple[Operation[Any, Any], ...]] = ()
    """What its models can be asked to do; they have a method for each."""
    patterns: ClassVar[tuple[ModelPattern, ...]] = ()
    """Names that it serves beyond ``list_available()``."""
    api_version: ClassVar[int] = 1
    """The ``hookspecs.API_VERSION`` it is written for; raise it to what you need."""

    def list_available(self) -> list[ModelInfo]:
        """The catalogue: data only, no I/O, no engine import, the same at every call."""
        return list(self.models)

    def load(self, model: ModelInfo, context: LoadContext) -> Model:
        """Load one model. Runs in the worker; the place to import the engine."""
        return self.model_class(model, context)

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
    model_class: ClassVar[type[TTSModel]]
    operations: ClassVar[tuple[Operation[Any, Any], ...]] = (SYNTHESIZE, PHONEMIZE)

    def load(self, model: ModelInfo, context: LoadContext) -> TTSModel:
        """Load one model. Runs in the worker; the place to import the engine."""
        return self.model_class(model, context)


class STTBackend(Backend):
    """Understands."""

    kind: ClassVar[Kind] = Kind.STT
    model_class: ClassVar[type[STTModel]]
    operations: ClassVar[tuple[Operation[Any, Any], ...]] = (TRANSCRIBE, ALIGN, LISTEN)

    def load(self, model: ModelInfo, context: LoadContext) -> STTModel:
        """Load one model. Runs in the worker; the place to import the engine."""
        return self.model_class(model, context)


class VADBackend(Backend):
    """Detects voice activity."""

    kind: ClassVar[Kind] = Kind.VAD
    model_class: ClassVar[type[VADModel]]
    operations: ClassVar[tuple[Operation[Any, Any], ...]] = (DETECT,)

    def load(self, model: ModelInfo, context: LoadContext) -> VADModel:
        """Load one model. Runs in the worker; the place to import the engine."""
        return self.model_class(model, context)


class TurnBackend(Backend):
    """Tells whether a speaker has finished."""

    kind: ClassVar[Kind] = Kind.TURN
    model_class: ClassVar[type[TurnModel]]
    operations: ClassVar[tuple[Operation[Any, Any], ...]] = (PREDICT_TURN_END,)

    def load(self, model: ModelInfo, context: LoadContext) -> TurnModel:
        """Load one model. Runs in the worker; the place to import the engine."""
        return self.model_class(model, context)


class DiarizationBackend(Backend):
    """Tells who speaks."""

    kind: ClassVar[Kind] = Kind.DIARIZATION
    model_class: ClassVar[type[DiarizationModel]]
    operations: ClassVar[tuple[Operation[Any, Any], ...]] = (DIARIZE, EMBED)

    def load(self, model: ModelInfo, context: LoadContext) -> DiarizationModel:
        """Load one model. Runs in the worker; the place to import the engine."""
        return self.model_class(model, context)


def with_kind(backend: Backend, model: ModelInfo) -> ModelInfo:
    """What a backend says of a model, with the backend's kind where the model states none."""
    stated: Kind | None = model.kind
    return replace(model, kind=backend.kind) if stated is None else model
