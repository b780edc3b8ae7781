"""A provider that fails in the way it is asked to. For tests of whatever must survive that.

Models: ``faulty/<fault>`` for every name in ``SPEECH_FAULTS`` and ``LOAD_FAULTS`` (these speak),
``faulty/hear-<fault>`` for those in ``HEARING_FAULTS`` (these listen), and ``faulty/any`` and
``faulty/hear``, which behave until the option ``fault`` (or a text ``fault:<name>``) names one.
A fault strikes after ``after`` good results (an option, default 0). Listening models declare
alignment, so that their fault can strike there; a known text makes no difference to them.
``faulty/diarize-<fault>`` and ``faulty/embed-<fault>``, and ``faulty/diarize``, do so with
``DIARIZATION_FAULTS`` and ``EMBEDDING_FAULTS``.

Options come from the request, else from ``LoadContext.options``, else from the environment as
``OPEN_SPEECH_FAULTY_<NAME>``, so that a test can reach them through any number of layers:

- ``fault``, ``after``, ``megabytes`` (leak), ``times`` (fails-first);
- ``record``: a file to which each load, result and ``finally`` appends one line: ``load``,
  ``step <n>``, ``finally``, ``close``;
- ``gate``: a named pipe; every step first reads one byte from it, so a test decides when a step
  happens by writing bytes. With a named pipe as ``record`` it waits for one, and need not sleep.
  Open both for reading and writing (``"r+b"``, unbuffered) before the model is loaded.

Faults of the import itself are in ``hostile``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .._plugins.backends import (
    Backend,
    DiarizationBackend,
    DiarizationModel,
    LoadContext,
    STTBackend,
    STTModel,
    TTSBackend,
    TTSModel,
)
from .._plugins.hookspecs import hookimpl
from .._types.audio import Audio
from .._types.models import Capability, Kind, ModelInfo, Voice
from .._types.speakers import (
    DiarizationRequest,
    EmbeddingRequest,
    SpeakerEmbedding,
    SpeakerTurn,
)
from .._types.speech import SpeechRequest
from .._types.transcription import (
    AlignmentRequest,
    Segment,
    TranscriptionEvent,
    TranscriptionRequest,
)
from ._faults import DIARIZATION, EMBEDDING, HEARING, LOAD, SPEECH, Options, ask
from .sound import sine

__all__ = [
    "FaultyDiarization",
    "FaultyDiarizationBackend",
    "FaultyHearing",
    "FaultyHearingBackend",
    "FaultySpeech",
    "FaultySpeechBackend",
    "open_speech_backends",
    "record",
    "take_step",
]


SPEECH_FAULTS = tuple(SPEECH)
LOAD_FAULTS = tuple(LOAD)
HEARING_FAULTS = tuple(HEARING)
DIARIZATION_FAULTS = tuple(DIARIZATION)
EMBEDDING_FAULTS = tuple(EMBEDDING)
STEP_S = 0.1
"""Length of each good chunk."""
STEPS = 3
"""Good chunks of a request without a fault (option ``steps``)."""


class FaultySpeech(TTSModel):
    """Speaks until its fault strikes."""

    def __init__(self, fault: str, options: Options) -> None:
        self._fault = fault
        self._options = options

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Yield ``after`` good chunks, then do what the fault does."""
        options = {**self._options, **request.options}
        fault = _named(self._fault, request.text, options)
        if fault == "not-an-iterator":
            return 42  # type: ignore[return-value]
        return self._speak(fault, options)

    def _speak(self, fault: str, options: Options) -> Iterator[Audio]:
        steps = int(ask(options, "after", 0) if fault else ask(options, "steps", STEPS))
        try:
            for step in range(steps):
                take_step(options, step)
                yield sine(STEP_S)
            if fault:
                yield from SPEECH[fault](options)
        finally:
            record(options, "finally")

    def close(self) -> None:
        """Note it."""
        record(self._options, "close")


class FaultyHearing(STTModel):
    """Listens until its fault strikes."""

    def __init__(self, fault: str, options: Options) -> None:
        self._fault = fault
        self._options = options

    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent]:
        """Yield ``after`` good segments, then do what the fault does."""
        options = {**self._options, **request.options}
        fault = _named(self._fault, request.prompt or "", options)
        return self._hear(fault, options)

    def align(self, request: AlignmentRequest) -> Iterator[TranscriptionEvent]:
        """The same: a known text makes no difference."""
        options = {**self._options, **request.options}
        return self._hear(_named(self._fault, request.text, options), options)

    def _hear(self, fault: str, options: Options) -> Iterator[TranscriptionEvent]:
        steps = int(ask(options, "after", 0) if fault else ask(options, "steps", STEPS))
        try:
            for step in range(steps):
                take_step(options, step)
                yield Segment(text=f"step {step}", start=step * 0.01, end=step * 0.01 + 0.01)
            if fault:
                yield from HEARING[fault](options)
        finally:
            record(options, "finally")

    def close(self) -> None:
        """Note it."""
        record(self._options, "close")


class FaultyDiarization(DiarizationModel):
    """Tells speakers apart until its fault strikes."""

    def __init__(self, diarizing: str, embedding: str, options: Options) -> None:
        self._diarizing = diarizing
        self._embedding = embedding
        self._options = options

    def diarize(
        self, request: DiarizationRequest, sound: Iterator[Audio]
    ) -> Iterator[SpeakerTurn | None]:
        """Take the sound, yield ``after`` good turns, then do what the fault does."""
        options = {**self._options, **request.options}
        fault = str(ask(options, "fault", self._diarizing))
        steps = int(ask(options, "after", 0) if fault else ask(options, "steps", STEPS))
        try:
            for _ in sound:
                yield None
            for step in range(steps):
                take_step(options, step)
                yield SpeakerTurn(start=step * 0.01, end=step * 0.01 + 0.01, speaker=step % 2)
            if fault:
                yield from DIARIZATION[fault](options)
        finally:
            record(options, "finally")

    def embed(self, request: EmbeddingRequest) -> Iterator[SpeakerEmbedding]:
        """Yield a vector, or do what the fault does."""
        options = {**self._options, **request.options}
        fault = str(ask(options, "fault", self._embedding))
        if fault:
            yield from EMBEDDING[fault](options)
        else:
            yield SpeakerEmbedding(vector=(0.6, 0.8))

    def close(self) -> None:
        """Note it."""
        record(self._options, "close")


class FaultySpeechBackend(TTSBackend):
    """The speaking half."""

    name = "faulty"

    def list_available(self) -> list[ModelInfo]:
        """One model per fault, and ``faulty/any``."""
        return [_speech(f"faulty/{fault}") for fault in ("any", *SPEECH, *LOAD)]

    def load(self, model: ModelInfo, context: LoadContext) -> FaultySpeech:
        """Fail if the model's fault is one of loading (or the option ``load_fault`` says so)."""
        fault = model.id.removeprefix("faulty/")
        record(context.options, "load")
        load_fault = str(ask(context.options, "load_fault", fault if fault in LOAD else ""))
        if load_fault:
            instead = LOAD[load_fault](context.options)
            if instead is not None:
                return instead  # type: ignore[return-value]
        return FaultySpeech(fault if fault in SPEECH else "", context.options)


class FaultyHearingBackend(STTBackend):
    """The listening half."""

    name = "faulty-hear"

    def list_available(self) -> list[ModelInfo]:
        """One model per fault, and ``faulty/hear``."""
        return [_hearing("faulty/hear"), *(_hearing(f"faulty/hear-{fault}") for fault in HEARING)]

    def load(self, model: ModelInfo, context: LoadContext) -> FaultyHearing:
        """Load; listening models fail only at work."""
        record(context.options, "load")
        fault = model.id.removeprefix("faulty/hear").removeprefix("-")
        return FaultyHearing(fault, context.options)


class FaultyDiarizationBackend(DiarizationBackend):
    """The one that tells speakers apart."""

    name = "faulty-diarize"

    def list_available(self) -> list[ModelInfo]:
        """One model per fault, and ``faulty/diarize``."""
        faults = [f"-{fault}" for fault in DIARIZATION]
        ids = [f"faulty/diarize{fault}" for fault in ("", *faults)]
        return [_diarization(each) for each in (*ids, *(f"faulty/embed-{e}" for e in EMBEDDING))]

    def load(self, model: ModelInfo, context: LoadContext) -> FaultyDiarization:
        """Load; these models fail only at work."""
        record(context.options, "load")
        operation, _, fault = model.id.removeprefix("faulty/").partition("-")
        diarizing, embedding = (fault, "") if operation == "diarize" else ("", fault)
        return FaultyDiarization(diarizing, embedding, context.options)


@hookimpl
def open_speech_backends() -> list[Backend]:
    """One backend of each kind."""
    return [FaultySpeechBackend(), FaultyHearingBackend(), FaultyDiarizationBackend()]


def take_step(options: Options, step: int) -> None:
    """Wait at the gate, then record the step."""
    gate = str(ask(options, "gate", ""))
    if gate:
        with Path(gate).open("rb", buffering=0) as pipe:
            pipe.read(1)
    record(options, f"step {step}")


def record(options: Options, what: str) -> None:
    """Append a line to the record, in one write, so that processes do not mix."""
    path = str(ask(options, "record", ""))
    if path:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{what}\n".encode())
        finally:
            os.close(file)


def _named(fault: str, text: str, options: Options) -> str:
    if text.startswith("fault:"):
        return text.removeprefix("fault:").strip()
    return str(ask(options, "fault", fault))


def _speech(model: str) -> ModelInfo:
    return ModelInfo(
        id=model,
        kind=Kind.TTS,
        languages=("en",),
        capabilities=frozenset({Capability.WORD_TIMESTAMPS}),
        voices=(Voice(id="any"),),
        license="CC0-1.0",
    )


def _hearing(model: str) -> ModelInfo:
    return ModelInfo(
        id=model,
        kind=Kind.STT,
        languages=("en",),
        capabilities=frozenset(
            {Capability.ALIGNMENT, Capability.PROMPT, Capability.WORD_TIMESTAMPS}
        ),
        license="CC0-1.0",
    )


def _diarization(model: str) -> ModelInfo:
    return ModelInfo(
        id=model,
        kind=Kind.DIARIZATION,
        capabilities=frozenset({Capability.EMBEDDING}),
        license="CC0-1.0",
    )
