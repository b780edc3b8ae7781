"""The server's side of a host: one loaded model, called from an event loop.

A kind of ``MessageHost`` only carries messages: ``_open``, ``_send`` and ``_end``. Everything here
runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from .. import errors
from .._lifecycle.weights import Weights
from .._operations import Operation
from .._plugins.backends import LoadContext
from .._types.models import ModelInfo
from .._worker.protocol import (
    STEP,
    Call,
    Cancel,
    Close,
    End,
    Failed,
    FromWorker,
    Item,
    Load,
    Loaded,
    Measure,
    Measured,
    More,
    Started,
    ToWorker,
)
from .._worker.runner import raised
from .._worker.serialization import Payload, UnknownValue
from .calling import Answer, Calling, FeedFailed, HostFailure

CLOSE_GRACE_S = 2.0
"""How long a model may take to free itself before its worker is killed."""
MEASURE_TIMEOUT_S = 1.0
"""How long measuring waits for an engine that may be holding the GIL."""
STATUS_TIMEOUT_S = 0.2
"""The same for lists, whose readers wait: what an engine said before will do."""
_log = logging.getLogger(__name__)
R = TypeVar("R")
E = TypeVar("E")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a loaded model holds."""

    resident_bytes: int
    """Of the worker and its children; 0 where it shares a process with others."""
    device_bytes: int
    """On an accelerator, by the engine's own count."""


class Host(ABC):
    """Where one loaded model lives. ``load`` once, then any number of calls, then ``close``.

    It answers for its own side: which files are there, what is held there. One event loop only.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self.draining = asyncio.Event()
        """Set once sessions should come to an end; what is fed to them ends a while later."""
        self.operations: tuple[str, ...] = ()
        """Names of what the loaded model can be asked to do."""
        self.versions: Mapping[str, str] = {}
        """Versions as they run with the model, known once loaded."""
        self.ended: asyncio.Future[HostFailure] = asyncio.get_running_loop().create_future()
        """Done when the host is gone, asked to or not."""

    @property
    def context(self) -> LoadContext:
        """How the model was asked to be loaded."""
        return self._load.context

    @property
    def pid(self) -> int | None:
        """The worker's process id, if there is a process of its own."""
        return None

    @property
    def machine(self) -> str:
        """Whose memory it takes; empty for this machine. Budgets count for each on its own."""
        return ""

    @property
    def spare(self) -> int:
        """Calls that may wait at the engine, so that it need not wait for the next one."""
        return 1

    def hold(
        self, weights: Weights, model: ModelInfo, revision: str | None
    ) -> AbstractContextManager[Mapping[str, Path]]:
        """Hold the model's files, and say where they are on the host's side. Blocks."""
        return weights.hold(model, revision)

    @abstractmethod
    async def load(self, timeout_s: float, paths: Mapping[str, Path]) -> ModelInfo:
        """Start and load; returns what is known of the model now.

        Raises ModelLoadFailed, OutOfMemory, DeadlineExceeded, WorkerDied. A host that could not
        load has ended.
        """

    @abstractmethod
    def call(
        self, operation: Operation[R, E], request: R, fed: AsyncIterator[Any] | None = None
    ) -> AsyncGenerator[E, None]:
        """Make one call and yield its events; closing the generator cancels the call.

        What ``fed`` yields is fed to it, no faster than the engine takes it; what it raises ends
        the call and is raised here. Nobody pulls it any more afterwards; closing it is left to the
        caller. Raises UnsupportedCapability, without a call, for what the worker does not do, and
        what the engine raises. Returns only when the worker is done with it, so that a slot freed
        afterwards is free.
        """

    @abstractmethod
    async def memory(self, patience_s: float | None = None) -> Memory:
        """Measure what the model holds now; the engine's last answer counts while it is busy."""

    @abstractmethod
    def drain(self, grace_s: float) -> None:
        """Tell sessions that they come to an end, and end what is fed to them after a while."""

    @abstractmethod
    async def close(self) -> None:
        """Free the model and end; what runs is cancelled. May be called twice."""

    @abstractmethod
    def kill(self) -> None:
        """End at once, whatever runs."""


class MessageHost(Host):
    """A host that talks to a ``Runner`` by messages: all but how those are carried."""

    def __init__(self, load: Load, *, call_timeout_s: float = 300.0) -> None:
        super().__init__(load)
        self._call_timeout_s = call_timeout_s
        self._calls: dict[int, Calling] = {}
        self._numbers = count(1)
        self._control: asyncio.Queue[FromWorker | HostFailure] = asyncio.Queue()
        self._device_bytes = 0
        self._measured = asyncio.Event()
        """Cleared while an answer is due. A late one is waited for, never asked for twice."""
        self._measured.set()
        self._closing = False
        self._progress_at = 0.0
        """When any call gave a sign of progress last, on the loop's clock."""

    async def load(self, timeout_s: float, paths: Mapping[str, Path]) -> ModelInfo:
        """See ``Host``."""
        self._load = replace(self._load, context=replace(self._load.context, paths=paths))
        try:
            async with asyncio.timeout(timeout_s):
                await self._open()
                await self._send(self._load)
                answer = await self._control.get()
        except TimeoutError:
            await self._end(0)
            raise self._error(
                errors.DeadlineExceeded,
                f"Loading {self._load.model.id!r} took longer than {timeout_s:g} s.",
                hint="Allow more time for loading, or try a smaller model.",
            ) from None
        except BaseException:
            await self._end(0)
            raise
        if isinstance(answer, Loaded):
            self.versions, self.operations = answer.versions, answer.operations
            return answer.model
        await self._end(0)
        raise self._raised(answer)

    async def call(
        self, operation: Operation[R, E], request: R, fed: AsyncIterator[Any] | None = None
    ) -> AsyncGenerator[E, None]:
        """See ``Host``."""
        calling = Calling(next(self._numbers), operation, self._call_timeout_s)
        self._calls[calling.number] = calling
        finished = True
        try:
            if self.ended.done():
                raise self._raised(self.ended.result())
            self._require(operation)
            payload, finished = Payload(request), False
            await self._send(Call(call=calling.number, operation=operation.name, request=payload))
            calling.feed(fed, self._send)
            taken = 0
            answer = await calling.first()
            while isinstance(answer, (Started, Item)):
                if isinstance(answer, Item):
                    if (event := self._event(operation, answer.value)) is not None:
                        yield event
                    taken += 1
                    if taken % STEP == 0:
                        await self._send(More(call=calling.number, items=STEP))
                answer = await self._answer(calling)
            finished = not isinstance(answer, FeedFailed)
            if not isinstance(answer, End):
                raise self._raised(answer)
        finally:
            try:
                await calling.leave()
                if not finished and not self.ended.done():
                    await asyncio.shield(self._cancel(calling))
            finally:
                self._calls.pop(calling.number, None)

    def _require(self, operation: Operation[Any, Any]) -> None:
        if operation.name not in self.operations:
            release = self.versions.get("open-speech-core", "unknown")
            raise self._error(
                errors.UnsupportedCapability,
                f"The worker of {self._load.model.id!r} does not do {operation.name!r}; "
                f"its release of open-speech-core is {release}.",
                hint="Upgrade the provider, and open-speech-core beside it.",
            )

    def _event(self, operation: Operation[Any, E], value: Payload) -> E | None:
        try:
            event: E = value.read(operation.events)
        except UnknownValue as error:  # of a later release, which can do without us
            _log.debug("%s sent %s, which is dropped", self._load.model.id, error)
            return None
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise self._error(
                errors.InvalidResult,
                f"The worker of {self._load.model.id!r} sent an unreadable message: {error}.",
            ) from error
        return event

    async def memory(self, patience_s: float | None = None) -> Memory:
        """See ``Host``."""
        await self._answers(MEASURE_TIMEOUT_S if patience_s is None else patience_s)
        if self.ended.done():
            return Memory(resident_bytes=0, device_bytes=0)
        return Memory(resident_bytes=self._resident_bytes(), device_bytes=self._device_bytes)

    async def _answers(self, patience_s: float) -> bool:
        """Have the worker measure; whether it did within that time."""
        try:
            async with asyncio.timeout(patience_s):
                if self._measured.is_set() and not self.ended.done():
                    self._measured.clear()
                    await self._send(Measure())
                await self._measured.wait()
        except (TimeoutError, errors.WorkerDied):
            return False
        return True

    async def close(self) -> None:
        """See ``Host``."""
        self._closing = True
        if not self.ended.done():
            with suppress(OSError, errors.OpenSpeechError):  # it ended by itself meanwhile
                await self._send(Close())
        await self._end(CLOSE_GRACE_S)

    async def _answer(self, calling: Calling) -> Answer:
        # A session shares the engine: while that works for others, it may have to wait for each of
        # them once.
        patience = len(self._calls) if calling.operation.feeds else 1
        while True:
            try:
                return await calling.answer()
            except TimeoutError:
                patience -= 1
                quiet_s = asyncio.get_running_loop().time() - self._progress_at
                if patience > 0 and quiet_s < calling.timeout_s:
                    continue
            self.kill()
            raise self._error(
                errors.DeadlineExceeded,
                f"The model {self._load.model.id!r} produced no output for "
                f"{calling.timeout_s:g} s; its worker was stopped.",
                hint="Try again; a shorter input or a faster device may help.",
            )

    async def _cancel(self, calling: Calling) -> None:
        """Tell the worker to stop, and wait until it has."""
        try:
            await self._send(Cancel(call=calling.number))
            while isinstance(await self._answer(calling), (Started, Item, FeedFailed)):
                pass
        except (OSError, errors.OpenSpeechError):
            pass  # whoever left does not want to know

    def drain(self, grace_s: float) -> None:
        """See ``Host``."""
        self.draining.set()
        loop = asyncio.get_running_loop()
        for calling in self._calls.values():
            loop.call_later(grace_s, self._end_feed, calling)

    def _end_feed(self, calling: Calling) -> None:
        if self.draining.is_set():  # nobody has thought better of it
            calling.end_feed()

    def _deliver(self, message: FromWorker) -> None:
        """Hand a message from the worker to whoever waits for it."""
        if isinstance(message, Measured):
            self._device_bytes = message.device_bytes
            self._measured.set()
            return
        number = getattr(message, "call", None)
        if number is None:
            self._control.put_nowait(message)
            return
        self._progress_at = asyncio.get_running_loop().time()
        if (calling := self._calls.get(number)) is None:
            return
        if isinstance(message, More):
            calling.taken(message.items)
        else:
            calling.put(message)

    def _lost(self, failure: HostFailure) -> None:
        """Note that the worker is gone: everything under way fails."""
        if self.ended.done():
            return
        self.ended.set_result(failure)
        self._measured.set()
        self._control.put_nowait(failure)
        for calling in self._calls.values():
            calling.put(failure)

    def _raised(self, answer: Answer) -> Exception:
        if isinstance(answer, FeedFailed):
            return answer.error
        if isinstance(answer, Failed):
            return raised(answer, provider=self._load.provider, model=self._load.model.id)
        reason = answer.reason if isinstance(answer, HostFailure) else "spoke out of turn"
        if self._closing:
            return self._error(
                errors.ModelNotReady,
                f"The model {self._load.model.id!r} was unloaded during the request.",
                retry_after=1.0,
            )
        return self._error(
            errors.WorkerDied,
            f"The worker of {self._load.model.id!r} {reason}.",
            hint="It restarts by itself; try again in a moment.",
            retry_after=1.0,
        )

    def _error(
        self, kind: type[errors.OpenSpeechError], message: str, **fields: str | float | None
    ) -> errors.OpenSpeechError:
        return kind(message, provider=self._load.provider, model=self._load.model.id, **fields)  # type: ignore[arg-type]

    @abstractmethod
    async def _open(self) -> None:
        """Start the worker."""

    @abstractmethod
    async def _send(self, message: ToWorker) -> None:
        """Carry one message there."""

    @abstractmethod
    async def _end(self, grace_s: float) -> None:
        """Wait so long for the worker to end by itself, then end it; return when it is gone."""

    def _resident_bytes(self) -> int:
        return 0
