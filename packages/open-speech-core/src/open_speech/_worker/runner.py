"""The worker's side of a host: runs calls on one loaded model, each in a thread.

Used by the worker process and, unchanged, by the in-process host. It answers through ``emit``,
which may block; that is what slows an engine down when nobody takes its results.
"""

from __future__ import annotations

import re
import threading
import time
import traceback
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from .. import errors
from .._operations import Operation
from .._plugins.backends import Backend, Model, with_kind
from .._plugins.discovery import installed_providers, load_backends
from .._plugins.manifest import installed_versions
from .._types.models import ModelInfo
from .calls import Emit, FairSemaphore, RunningCall
from .heap import Idle
from .protocol import (
    PROTOCOL,
    Call,
    End,
    Failed,
    Feed,
    FeedEnd,
    FromWorker,
    Item,
    Load,
    Loaded,
    Measured,
    More,
    Started,
)
from .serialization import Payload, UnknownValue

_EXHAUSTED = re.compile(
    r"out of memory|can.?t allocate memory|cannot allocate memory|failed to allocate|bad_alloc"
    r"|could not create a primitive",  # oneDNN, for torch on a CPU
    re.IGNORECASE,
)
"""How engines say that memory is used up, where they raise no MemoryError."""
TELL_S = 1.0
"""How often a model that yields None lets the server know that it works."""
MAX_SAID = 2_000
"""Characters of what an exception says."""


class Runner:
    """One loaded model at work. Thread-safe; ``emit`` is called from several threads.

    The model's code runs in ``ModelInfo.concurrency`` threads at a time. Calls that are fed have
    threads of their own, and take turns with the others between two items.

    Once nothing has been asked for a while, memory that the work took is given back (``Idle``).
    """

    def __init__(self, emit: Emit, idle: Idle | None = None) -> None:
        self._emit = emit
        self._idle = idle or Idle()
        self._calls: dict[int, RunningCall] = {}
        self._model: Model | None = None
        self._operations: dict[str, Operation[Any, Any]] = {}
        self._slots = FairSemaphore(1)
        self._threads: ThreadPoolExecutor | None = None
        self._sessions: set[threading.Thread] = set()

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
            info = _settled_info(message.model, model, backend)
        except BaseException as error:  # engines raise anything, SystemExit included
            self._emit(failure(None, error, errors.ModelLoadFailed))
            return
        self._model = model
        self._operations = {
            each.name: each for each in backend.operations if each.is_done_by(model, info)
        }
        self._slots = FairSemaphore(max(1, info.concurrency))
        self._threads = ThreadPoolExecutor(max(1, info.concurrency), "model")
        self._emit(
            Loaded(
                model=info,
                protocol=min(message.protocol, PROTOCOL),
                operations=tuple(self._operations),
                versions=installed_versions(provider),
            )
        )

    def start(self, message: Call) -> None:
        """Begin a call when its turn comes; its results come through ``emit``."""
        call = self._calls[message.call] = RunningCall(message, self._emit, self._slots)
        self._idle.ends()
        assert self._threads is not None, "nothing is loaded"
        operation = self._operations.get(message.operation)
        if operation and operation.feeds:
            call.feeds = operation.feeds
            session = threading.Thread(target=self._run, args=(call,), name="session", daemon=True)
            self._sessions.add(session)
            session.start()
        else:
            call.future = self._threads.submit(self._run, call)

    def feed(self, message: Feed | FeedEnd) -> None:
        """Hand on what is fed to a call."""
        if call := self._calls.get(message.call):
            call.feed(message.value if isinstance(message, Feed) else None)

    def more(self, message: More) -> None:
        """Let a call send further items."""
        if call := self._calls.get(message.call):
            call.more(message.items)

    def cancel(self, number: int) -> None:
        """Stop a call at its next result, or at once if its turn has not come."""
        if call := self._calls.get(number):
            call.cancel()
            if call.future and call.future.cancel():
                del self._calls[number]
                self._emit(End(call=number))

    def measure(self) -> None:
        """Answer how much device memory the model holds."""
        try:
            held = int(self._model.device_memory_bytes()) if self._model else 0
        except Exception:  # a count that fails is no reason to lose the model
            held = 0
        self._emit(Measured(device_bytes=held))

    def close(self) -> None:
        """Stop every call and free the model. Blocks until running calls reach a result."""
        for number in list(self._calls):
            self.cancel(number)
        if self._threads:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
        for session in list(self._sessions):
            session.join()
        self._idle.ends()
        if self._model:
            self._model.close()
            self._model = None

    def _run(self, call: RunningCall) -> None:
        number = call.message.call
        answer: FromWorker = End(call=number)
        try:
            with self._slots:
                if not call.cancelled.is_set():
                    self._emit(Started(call=number))
                    self._send_items(call)
        except BaseException as error:
            if not (call.cancelled.is_set() and isinstance(error, GeneratorExit)):
                answer = failure(number, error, errors.ProviderError)
        finally:
            del self._calls[number]
            self._sessions.discard(threading.current_thread())
            self._emit(answer)
            if not self._calls:
                self._idle.begins()

    def _send_items(self, call: RunningCall) -> None:
        # Closed on this thread: a generator cannot be closed while another thread is inside it.
        with closing(self._results(call)) as results:
            for value in results:
                call.wait_for_credit()
                if call.cancelled.is_set():
                    return
                self._emit(Item(call=call.message.call, value=Payload(value)))

    def _results(self, call: RunningCall) -> Generator[Any, None, None]:
        message = call.message
        operation = self._operations.get(message.operation)
        if operation is None:
            raise errors.UnsupportedCapability(f"The model does not do {message.operation!r}.")
        try:
            request = message.request.read((operation.request,))
        except UnknownValue as error:
            raise errors.UnsupportedCapability(
                f"The worker's release of open-speech-core does not know {error}.",
                hint="Install the same release in the provider's environment.",
            ) from error
        told = time.monotonic()

        def goes_on() -> bool:
            nonlocal told
            if time.monotonic() - told > TELL_S:
                told = time.monotonic()
                self._emit(Started(call=message.call))  # tells the server that the engine works
            return not call.cancelled.is_set()

        return operation.carry_out(self._model, request, call, goes_on)


def _settled_info(asked: ModelInfo, model: object, backend: Backend) -> ModelInfo:
    kind = type(model).__name__
    if not isinstance(model, Model):
        raise errors.InvalidResult(
            f"The provider loaded a {kind}, which is not a Model.", model=asked.id
        )
    info = with_kind(backend, model.info or asked)
    for operation in backend.operations:
        if operation.capability is None and not operation.is_done_by(model, info):
            raise errors.InvalidResult(
                f"The provider loaded a {kind}, which cannot {operation.name}.", model=asked.id
            )
    return info


def failure(call: int | None, error: BaseException, otherwise: type[Exception]) -> Failed:
    """Write an exception down so that the server can raise it again; raises none itself."""
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
        _naming(message.message, provider, model),
        provider=provider,
        model=model,
        param=message.param,
        hint=message.hint,
        detail=message.detail,
    )


_ANONYMOUS = re.compile(r"^The (engine|model) (?=failed|ran out|returned|loaded|stops)")


def _naming(said: str, provider: str, model: str) -> str:
    """What was said in the worker, with the names of those it is about."""
    names = {
        "engine": f"The engine of {model!r} (provider {provider}) ",
        "model": f"The model {model!r} (provider {provider}) ",
    }
    return _ANONYMOUS.sub(lambda match: names[match[1]], said, count=1)
