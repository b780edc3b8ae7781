"""The far side of a host: runs calls on one loaded model, each in a thread of its own.

Used by the worker process and, unchanged, by the in-process host. It answers through ``emit``,
which may block; that is what slows an engine down when nobody takes its results.
"""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from . import errors
from .backends import Model, STTModel, TTSModel
from .contract import checked_speech, checked_transcription, longest_speech
from .manifest import installed_versions
from .messages import (
    WINDOW,
    Call,
    End,
    Failed,
    FromWorker,
    Item,
    Load,
    Loaded,
    Measured,
    More,
    Started,
)
from .models import Kind, ModelInfo
from .plugins import installed_providers, load_backends
from .speech import SpeechRequest

Emit = Callable[[FromWorker], None]
_EXHAUSTED = re.compile(
    r"out of memory|can.?t allocate memory|cannot allocate memory|failed to allocate|bad_alloc"
    r"|could not create a primitive",  # oneDNN, for torch on a CPU
    re.IGNORECASE,
)
"""How engines say that memory is used up, where they raise no MemoryError."""
MAX_SAID = 2_000
"""Characters of what an exception says."""


@dataclass
class _Running:
    """A call under way: its credit, and whether anybody still wants it."""

    credit: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(WINDOW))
    cancelled: threading.Event = field(default_factory=threading.Event)
    turn: Future[None] | None = None
    """Set once it is queued for a thread."""


class Runner:
    """One loaded model at work. Thread-safe; ``emit`` is called from several threads."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._calls: dict[int, _Running] = {}
        self._model: Model | None = None
        self._info: ModelInfo | None = None
        self._threads: ThreadPoolExecutor | None = None

    def load(self, message: Load) -> None:
        """Load the model and answer ``Loaded`` or ``Failed``. Blocks."""
        try:
            provider = next(
                (found for found in installed_providers() if found.name == message.provider), None
            )
            if provider is None:
                raise errors.ProviderBroken(
                    f"The provider {message.provider!r} is not installed any more.",
                    provider=message.provider,
                    hint="Rescan the providers, or install it again.",
                )
            backend = next(
                backend for backend in load_backends(provider) if backend.name == message.backend
            )
            model = backend.load(message.model, message.context)
            info = _settled_info(message.model, model)
        except BaseException as error:  # engines raise anything, SystemExit included
            self._emit(failure(None, error, errors.ModelLoadFailed))
            return
        self._model, self._info = model, info
        self._threads = ThreadPoolExecutor(max(1, info.concurrency), "model")
        self._emit(Loaded(model=info, versions=installed_versions(provider)))

    def start(self, call: Call) -> None:
        """Begin a call when its turn comes; its results come through ``emit``."""
        running = self._calls[call.call] = _Running()
        assert self._threads is not None, "nothing is loaded"
        running.turn = self._threads.submit(self._run, call, running)

    def more(self, message: More) -> None:
        """Let a call send further items."""
        if running := self._calls.get(message.call):
            running.credit.release(message.items)

    def cancel(self, call: int) -> None:
        """Stop a call at its next result, or at once if its turn has not come."""
        if running := self._calls.get(call):
            running.cancelled.set()
            running.credit.release()  # it may be waiting for credit
            if running.turn and running.turn.cancel():
                del self._calls[call]
                self._emit(End(call=call))

    def measure(self) -> None:
        """Answer how much device memory the model holds."""
        try:
            held = int(self._model.device_memory_bytes()) if self._model else 0
        except Exception:  # a count that fails is no reason to lose the model
            held = 0
        self._emit(Measured(device_bytes=held))

    def close(self) -> None:
        """Stop every call and free the model. Blocks until running calls reach a result."""
        for call in list(self._calls):
            self.cancel(call)
        if self._threads:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
        if self._model:
            self._model.close()
            self._model = None

    def _run(self, call: Call, running: _Running) -> None:
        answer: FromWorker = End(call=call.call)
        try:
            if not running.cancelled.is_set():
                self._emit(Started(call=call.call))
                self._send_items(call, running)
        except BaseException as error:
            answer = failure(call.call, error, errors.ProviderError)
        finally:
            del self._calls[call.call]
            self._emit(answer)

    def _send_items(self, call: Call, running: _Running) -> None:
        # Closed on this thread: a generator cannot be closed while another thread is inside it.
        with closing(self._results(call)) as results:
            for value in results:
                running.credit.acquire()
                if running.cancelled.is_set():
                    return
                self._emit(Item(call=call.call, value=value))

    def _results(self, call: Call) -> Any:
        request = call.request
        if isinstance(request, SpeechRequest):
            speech = cast(TTSModel, self._model).synthesize(request)
            return checked_speech(speech, max_seconds=longest_speech(request))
        events = cast(STTModel, self._model).transcribe(request)
        return checked_transcription(events, request.audio.seconds)


def _settled_info(asked: ModelInfo, model: Model) -> ModelInfo:
    wanted = {Kind.STT: STTModel, Kind.TTS: TTSModel}[asked.kind]
    if not isinstance(model, wanted):
        raise errors.InvalidResult(
            f"The provider loaded a {type(model).__name__}, which is no {wanted.__name__}.",
            model=asked.id,
        )
    return model.info or asked


def failure(call: int | None, error: BaseException, otherwise: type[Exception]) -> Failed:
    """Write an exception down so that the near side can raise it again; raises none itself."""
    detail, said = _traced(error), _said(error)
    if isinstance(error, errors.OpenSpeechError):
        return Failed(
            call=call,
            error=type(error).__name__,
            message=error.message,
            param=error.param,
            hint=error.hint,
            detail=detail,
        )
    if isinstance(error, MemoryError) or _EXHAUSTED.search(said):
        message = f"The engine ran out of memory: {said or type(error).__name__}."
        return Failed(call=call, error="OutOfMemory", message=message, detail=detail)
    reason = f"{type(error).__name__}: {said}".rstrip(": ")
    return Failed(
        call=call,
        error=otherwise.__name__,
        message=f"The engine failed: {reason}.",
        detail=detail,
    )


def _said(error: BaseException) -> str:
    """What an exception says, if it can: some say a whole array."""
    try:
        return str(error)[:MAX_SAID]
    except Exception:
        return ""


def _traced(error: BaseException) -> str:
    """Where it was raised; writing that down takes memory, and reads the source."""
    try:
        return "".join(traceback.format_exception(error))[-20_000:]
    except Exception as another:
        return f"{type(error).__name__}; its traceback could not be written: {_said(another)}"


def raised(message: Failed, *, provider: str, model: str) -> errors.OpenSpeechError:
    """Make the exception again that ``failure`` wrote down."""
    kind = getattr(errors, message.error, errors.ProviderError)
    if not (isinstance(kind, type) and issubclass(kind, errors.OpenSpeechError)):
        kind = errors.ProviderError
    return kind(
        message.message,
        provider=provider,
        model=model,
        param=message.param,
        hint=message.hint,
        detail=message.detail,
    )
