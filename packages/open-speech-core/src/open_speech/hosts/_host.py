"""The near side of a host: one loaded model, called from an event loop.

A subclass only carries messages: ``_open``, ``_send`` and ``_end``. Everything here runs on the
event loop's thread.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from .. import errors
from ..audio import Audio
from ..backends import LoadContext
from ..messages import (
    WINDOW,
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
from ..models import ModelInfo
from ..runner import raised
from ..speech import SpeechRequest
from ..transcription import TranscriptionEvent, TranscriptionRequest

CLOSE_GRACE_S = 2.0
"""How long a model may take to free itself before its worker is killed."""
MEASURE_TIMEOUT_S = 1.0
"""How long measuring waits for an engine that may be holding the GIL."""
GLANCE_S = 0.2
"""The same for lists, whose readers wait: what an engine said before will do."""
_CREDIT_STEP = WINDOW // 4


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a loaded model holds."""

    resident_bytes: int
    """Of the worker and its children; 0 where it shares a process with others."""
    device_bytes: int
    """On an accelerator, by the engine's own count."""


@dataclass(frozen=True, kw_only=True)
class HostFailure:
    """Why a host ended without being asked to."""

    reason: str
    """A sentence's end: ``was killed by signal 11 (SIGSEGV)``."""


class Host(ABC):
    """One loaded model. ``load`` once, then any number of calls, then ``close``."""

    def __init__(self, load: Load, *, call_timeout_s: float = 300.0) -> None:
        self._load = load
        self._call_timeout_s = call_timeout_s
        self._calls: dict[int, asyncio.Queue[FromWorker | HostFailure]] = {}
        self._numbers = count(1)
        self._control: asyncio.Queue[FromWorker | HostFailure] = asyncio.Queue()
        self._device_bytes = 0
        self._measured = asyncio.Event()
        """Cleared while an answer is due. A late one is waited for, never asked for twice."""
        self._measured.set()
        self._closing = False
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

    async def load(self, timeout_s: float) -> ModelInfo:
        """Start and load; returns what is known of the model now.

        Raises ModelLoadFailed, OutOfMemory, DeadlineExceeded, WorkerDied. A host that could not
        load has ended.
        """
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
            self.versions = answer.versions
            return answer.model
        await self._end(0)
        raise self._raised(answer)

    async def call(
        self, request: SpeechRequest | TranscriptionRequest
    ) -> AsyncGenerator[Audio | TranscriptionEvent, None]:
        """Make one call and yield its results; closing the generator cancels the call.

        Returns only when the far side is done with it, so that a slot freed afterwards is free.
        """
        number = next(self._numbers)
        # Bounded by credit: the far side stops at WINDOW items that were not taken.
        answers: asyncio.Queue[FromWorker | HostFailure] = asyncio.Queue()
        self._calls[number] = answers
        finished = False
        try:
            if self.ended.done():
                raise self._raised(self.ended.result())
            await self._send(Call(call=number, request=request))
            taken = 0
            # No limit while it waits for its turn: those before it have theirs.
            answer = await answers.get()
            while isinstance(answer, (Started, Item)):
                if isinstance(answer, Item):
                    yield answer.value
                    taken += 1
                    if taken % _CREDIT_STEP == 0:
                        await self._send(More(call=number, items=_CREDIT_STEP))
                answer = await self._answer(answers)
            finished = True
            if not isinstance(answer, End):
                raise self._raised(answer)
        finally:
            if not finished and not self.ended.done():
                await asyncio.shield(self._cancel(number, answers))
            self._calls.pop(number, None)

    async def memory(self, patience_s: float | None = None) -> Memory:
        """Measure what the model holds now; the engine's last answer counts while it is busy."""
        try:
            async with asyncio.timeout(MEASURE_TIMEOUT_S if patience_s is None else patience_s):
                if self._measured.is_set() and not self.ended.done():
                    self._measured.clear()
                    await self._send(Measure())
                await self._measured.wait()
        except (TimeoutError, errors.WorkerDied):
            pass
        if self.ended.done():
            return Memory(resident_bytes=0, device_bytes=0)
        return Memory(resident_bytes=self._resident_bytes(), device_bytes=self._device_bytes)

    async def close(self) -> None:
        """Free the model and end; what runs is cancelled. May be called twice."""
        self._closing = True
        if not self.ended.done():
            with suppress(OSError, errors.OpenSpeechError):  # it ended by itself meanwhile
                await self._send(Close())
        await self._end(CLOSE_GRACE_S)

    def kill(self) -> None:
        """End at once, whatever runs."""

    async def _answer(
        self, answers: asyncio.Queue[FromWorker | HostFailure]
    ) -> FromWorker | HostFailure:
        if not answers.empty():  # an engine that is ahead of us
            return answers.get_nowait()
        try:
            async with asyncio.timeout(self._call_timeout_s):
                return await answers.get()
        except TimeoutError:
            self.kill()
            raise self._error(
                errors.DeadlineExceeded,
                f"The model {self._load.model.id!r} gave no result for {self._call_timeout_s:g} s; "
                "its worker was ended.",
                hint="Try again; a shorter input or a faster device may help.",
            ) from None

    async def _cancel(self, number: int, answers: asyncio.Queue[FromWorker | HostFailure]) -> None:
        """Tell the far side to stop, and wait until it has."""
        try:
            await self._send(Cancel(call=number))
            while isinstance(await self._answer(answers), (Started, Item)):
                pass
        except (OSError, errors.OpenSpeechError):
            pass  # whoever left does not want to know

    def _deliver(self, message: FromWorker) -> None:
        """Hand a message from the far side to whoever waits for it."""
        if isinstance(message, Measured):
            self._device_bytes = message.device_bytes
            self._measured.set()
            return
        number = message.call if isinstance(message, (Started, Item, End, Failed)) else None
        if number is None:
            self._control.put_nowait(message)
        elif number in self._calls:
            self._calls[number].put_nowait(message)

    def _lost(self, failure: HostFailure) -> None:
        """Note that the far side is gone: everything under way fails."""
        if self.ended.done():
            return
        self.ended.set_result(failure)
        self._measured.set()
        for waiting in (self._control, *self._calls.values()):
            waiting.put_nowait(failure)

    def _raised(self, answer: FromWorker | HostFailure) -> errors.OpenSpeechError:
        if isinstance(answer, Failed):
            return raised(answer, provider=self._load.provider, model=self._load.model.id)
        reason = answer.reason if isinstance(answer, HostFailure) else "spoke out of turn"
        if self._closing:
            return self._error(
                errors.ModelNotReady,
                f"The model {self._load.model.id!r} was unloaded meanwhile.",
                retry_after=1.0,
            )
        return self._error(
            errors.WorkerDied,
            f"The worker of {self._load.model.id!r} {reason}.",
            hint="It is started again by itself; try again in a moment.",
            retry_after=1.0,
        )

    def _error(
        self, kind: type[errors.OpenSpeechError], message: str, **fields: str | float | None
    ) -> errors.OpenSpeechError:
        return kind(message, provider=self._load.provider, model=self._load.model.id, **fields)  # type: ignore[arg-type]

    @abstractmethod
    async def _open(self) -> None:
        """Start the far side."""

    @abstractmethod
    async def _send(self, message: ToWorker) -> None:
        """Carry one message there."""

    @abstractmethod
    async def _end(self, grace_s: float) -> None:
        """Wait so long for the far side to end by itself, then end it; return when it is gone."""

    def _resident_bytes(self) -> int:
        return 0
