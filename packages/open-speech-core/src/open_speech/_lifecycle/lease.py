"""The right to use a loaded model for one request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from .. import errors
from .._hosts import Host
from .._operations import Operation
from .._types.models import ModelInfo
from .instance import ModelInstance

R = TypeVar("R")
E = TypeVar("E")


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Held for one request; the model stays loaded meanwhile.

    Each call waits for a turn of its own, first come, first served. A request that makes one call
    per sentence therefore shares the model sentence by sentence.
    """

    instance: ModelInstance
    exhausted: Callable[[Host], None]
    """Told of a host that ran out of memory in a call of this lease, before the error is raised."""

    @property
    def model(self) -> ModelInfo:
        """What is known of the loaded model."""
        return self.instance.model

    @property
    def draining(self) -> asyncio.Event | None:
        """Set once a session should come to an end, because the model is to go."""
        return self.instance.host.draining if self.instance.host else None

    async def run(
        self, operation: Operation[R, E], request: R, fed: AsyncIterator[Any] | None = None
    ) -> AsyncGenerator[E, None]:
        """Have one operation carried out; closing the generator cancels it.

        ``fed`` is what the operation is fed with while it runs, and is closed at the end. An
        operation that is fed takes no turn but one of the model's sessions; Busy if all are taken.
        """
        try:
            async with (
                self._turn(operation) as host,
                aclosing(self._call(host, operation, request, fed)) as events,
            ):
                async for event in events:
                    yield event
        finally:
            if isinstance(fed, AsyncGenerator):
                await fed.aclose()

    async def run_in_background(
        self, operation: Operation[R, E], make: Callable[[], R]
    ) -> AsyncGenerator[E, None]:
        """Like ``run``, once the model has nothing else to do; the request is made then."""
        async with (
            self._turn(operation, background=True) as host,
            aclosing(self._call(host, operation, make(), None)) as events,
        ):
            async for event in events:
                yield event

    @asynccontextmanager
    async def _turn(
        self, operation: Operation[Any, Any], *, background: bool = False
    ) -> AsyncIterator[Host]:
        """Wait for a turn of this model, and hold it."""
        while True:
            slots = self.instance.slots
            async with AsyncExitStack() as held:
                if operation.feeds:
                    if slots.sessions.locked():
                        raise self._busy(slots.session_capacity)
                    await held.enter_async_context(slots.sessions)
                else:
                    await slots.calls.acquire(background=background)
                    held.callback(slots.calls.release)
                if slots is not self.instance.slots:
                    continue  # loaded anew meanwhile: queue for that one
                if (host := self.instance.host) is None:
                    name = self.instance.key.name
                    raise errors.WorkerDied(
                        f"The worker of {name!r} is gone.", model=name, retry_after=1.0
                    )
                yield host
                return

    async def _call(
        self,
        host: Host,
        operation: Operation[R, E],
        request: R,
        fed: AsyncIterator[Any] | None,
    ) -> AsyncGenerator[E, None]:
        try:
            async with aclosing(host.call(operation, request, fed)) as events:
                async for event in events:
                    yield event
        except errors.OutOfMemory:
            self.exhausted(host)
            raise

    def _busy(self, sessions: int) -> errors.Busy:
        name = self.instance.key.name
        return errors.Busy(
            f"The model {name!r} has {sessions} sessions already, which is its limit.",
            model=name,
            hint="Try again when one of them has ended.",
            retry_after=5.0,
        )
