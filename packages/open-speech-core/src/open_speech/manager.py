"""The model manager: one lifecycle for every model, whichever provider serves it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager

from . import errors
from .events import EventBus
from .hosts import Host, Memory
from .lease import Lease
from .loader import Loader, MakeHost, Options, Weights
from .policy import Policy
from .resident import DEATHS_BEFORE_GIVING_UP, ModelState, Progress, Resident
from .residents import Residents
from .routing import Offer
from .status import ModelStatus, of_resident

_log = logging.getLogger(__name__)


class ModelManager:
    """Loads models when they are wanted and unloads them when they are not.

    Every method runs on one event loop. A request holds a ``lease``; a model in use is never
    unloaded under it.
    """

    def __init__(
        self,
        resolve: Callable[[str], Offer],
        make_host: MakeHost,
        *,
        policy: Policy | None = None,
        weights: Weights | None = None,
        options: Mapping[str, Options] | None = None,
        events: EventBus | None = None,
        device: Callable[[Offer], str] = lambda _: "cpu",
        compute_type: Callable[[Offer], str | None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolve = resolve
        self._loader = Loader(make_host, weights, self._become, self._tell, options or {})
        self._device = device
        self._compute_type = compute_type
        self.residents = Residents(clock)
        self._room = asyncio.Lock()
        self._moved = asyncio.Event()
        """Set, and replaced, whenever a model changes its state."""
        self._wake = asyncio.Event()
        self._sweeper: asyncio.Task[None] | None = None
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.policy = policy or Policy()
        self.events = events or EventBus()

    @asynccontextmanager
    async def lease(
        self,
        name: str,
        *,
        device: str | None = None,
        keep_alive_s: float | None = None,
    ) -> AsyncIterator[Lease]:
        """Hold a model for one request; it is loaded first if need be.

        Raises what ``resolve`` raises, Busy when too many wait, ModelNotReady when loading takes
        longer than ``Policy.load_wait_s``, ShuttingDown, and what loading raises.
        """
        resident = self.resident(name, device)
        if keep_alive_s is not None:
            resident.keep_alive_s = keep_alive_s
        await self._enter(resident)
        try:
            yield Lease(resident=resident)
        except errors.OutOfMemory:
            # At once, so that the next request already gets a fresh worker.
            if resident.state is ModelState.LOADED:
                self._close_door(resident)
                self._start(self._drop(resident))
            raise
        finally:
            resident.release()
            self._wake.set()

    async def _enter(self, resident: Resident) -> None:
        """Become a user of a loaded model."""
        self._admit(resident)
        resident.waiting += 1
        try:
            async with asyncio.timeout(self.policy.load_wait_s):
                while resident.state is not ModelState.LOADED:
                    if resident.state is ModelState.DRAINING:
                        await resident.settled.wait()
                    else:
                        await self._wait_loaded(resident)
            # No await since the test: nobody can have unloaded it in between.
            resident.acquire()
        except TimeoutError:
            raise errors.ModelNotReady(
                f"The model {resident.key.name!r} is still {resident.state.value}.",
                model=resident.key.name,
                hint="Try again in a few seconds; it goes on meanwhile.",
                retry_after=5.0,
            ) from None
        finally:
            resident.waiting -= 1

    def _admit(self, resident: Resident) -> None:
        if self._closing:
            raise errors.ShuttingDown("The server is shutting down.", retry_after=5.0)
        if resident.users + resident.waiting >= self.policy.queue_size:
            raise errors.Busy(
                f"{self.policy.queue_size} requests already use or wait for the model "
                f"{resident.key.name!r}.",
                model=resident.key.name,
                hint="Try again later.",
                retry_after=2.0,
            )

    def resident(self, name: str, device: str | None = None) -> Resident:
        """The state of a model, begun if it is new. Raises what ``resolve`` raises."""
        offer = self._resolve(name)
        return self.residents.get(offer, device or self._device(offer))

    async def load(
        self,
        name: str,
        *,
        device: str | None = None,
        compute_type: str | None = None,
        keep_alive_s: float | None = None,
        pin: bool | None = None,
        default: bool | None = None,
    ) -> Resident:
        """Have a model loaded, however long it takes; a failed reload keeps the old one."""
        resident = self.resident(name, device)
        if self._closing:
            raise errors.ShuttingDown("The server is shutting down.", retry_after=5.0)
        resident.deaths.clear()  # somebody decided to try again
        if resident.state is ModelState.LOADED and compute_type not in (
            None,
            resident.compute_type,
        ):
            await self._reload(resident, compute_type)
        while resident.state is not ModelState.LOADED:
            if resident.state is ModelState.DRAINING:
                await resident.settled.wait()
            else:
                await self._wait_loaded(resident, compute_type)
        resident.keep_alive_s = keep_alive_s if keep_alive_s is not None else resident.keep_alive_s
        resident.pinned = resident.pinned if pin is None else pin
        resident.default = resident.default if default is None else default
        resident.touch()
        self._wake.set()
        return resident

    async def _wait_loaded(self, resident: Resident, compute_type: str | None = None) -> None:
        """Join the one load under way, or begin it."""
        if resident.loading is None:
            if (wait := resident.given_up_for()) > 0:
                raise self._given_up(resident, wait)
            resident.loading = asyncio.create_task(self._load(resident, compute_type))
            resident.loading.add_done_callback(lambda task: _forget(resident, task))
        loading = resident.loading
        # Whoever waits may leave; the load goes on for the others.
        await asyncio.wait({loading})
        if not loading.cancelled() and (error := loading.exception()):
            raise error.with_traceback(None)

    async def _load(self, resident: Resident, compute_type: str | None) -> None:
        try:
            await asyncio.sleep(resident.restart_delay())
            await self._loader.fetch(resident)
            async with self._room:
                await self._make_room(resident)
                self._become(resident, ModelState.LOADING)
            wanted = compute_type or self._compute_type(resident.offer)
            host, info = await self._loader.open(resident, wanted, self.policy.load_timeout_s)
        except BaseException as error:
            if isinstance(error, errors.OpenSpeechError):
                resident.error = error
                _log.warning("%s could not be loaded: %s", resident.key.name, error)
            # Having found no room says nothing of the model.
            waits = isinstance(error, (errors.Busy, asyncio.CancelledError))
            self._become(resident, ModelState.DOWNLOADED if waits else ModelState.FAILED)
            raise
        resident.settle(host, info, wanted)
        self._watch(resident, host)
        self._become(resident, ModelState.LOADED)
        self._wake.set()

    async def _reload(self, resident: Resident, compute_type: str | None) -> None:
        """Load anew beside the old one, which serves until then and finishes what it has."""
        host, info = await self._loader.open(resident, compute_type, self.policy.load_timeout_s)
        old = resident.host
        resident.settle(host, info, compute_type)
        self._watch(resident, host)
        if old:
            self._start(old.close())

    async def _make_room(self, wanted: Resident) -> None:
        """Unload others until one more fits; called with the room's lock held."""
        limit = self.policy.max_loaded
        while limit and self.residents.occupying(but=wanted) >= limit:
            victim = self.residents.victim(but=wanted)
            if victim is None and self.residents.moving(but=wanted):
                await self._moved.wait()
                continue
            if victim is None:
                raise errors.Busy(
                    f"There is no room for the model {wanted.key.name!r}: as many models as are "
                    f"allowed ({limit}) are pinned.",
                    model=wanted.key.name,
                    hint="Unpin or unload one, or allow more.",
                    retry_after=5.0,
                )
            self.events.publish("evicted", victim.key.name, by=wanted.key.name)
            await self._drain(victim)

    async def unload(self, name: str, *, device: str | None = None) -> bool:
        """Unload a model once nobody uses it; whether there was anything to unload.

        Requests that come meanwhile wait and have it loaded again. Raises Busy when those under
        way take longer than ``Policy.drain_timeout_s``; the model then stays.
        """
        unloaded = False
        for resident in self.residents.of(self._resolve(name), device):
            if resident.loading:
                await asyncio.wait({resident.loading})
            if resident.state is ModelState.DRAINING:
                await resident.settled.wait()
            if resident.state is ModelState.LOADED:
                await self._drain(resident)
                unloaded = True
        return unloaded

    async def _drain(self, resident: Resident) -> None:
        """Let a loaded model finish, then end its host. Raises Busy if it does not finish."""
        while resident.waiting and resident.state is ModelState.LOADED:
            await asyncio.sleep(0)  # it was loaded for them: they only have to wake up
        if resident.state is ModelState.LOADED:
            self._close_door(resident)
            await self._finish(resident)

    def _close_door(self, resident: Resident) -> None:
        self._become(resident, ModelState.DRAINING)
        resident.settled.clear()

    async def _finish(self, resident: Resident) -> None:
        try:
            async with asyncio.timeout(self.policy.drain_timeout_s):
                await resident.free.wait()
        except BaseException as error:
            if resident.state is ModelState.DRAINING:
                self._become(resident, ModelState.LOADED)
            resident.settled.set()
            if not isinstance(error, TimeoutError):
                raise
            raise errors.Busy(
                f"The model {resident.key.name!r} is still in use after "
                f"{self.policy.drain_timeout_s:g} s.",
                model=resident.key.name,
                hint="Try again when its requests are done.",
                retry_after=5.0,
            ) from None
        await self._release_host(resident)

    async def _release_host(self, resident: Resident) -> None:
        host, resident.host, resident.info = resident.host, None, None
        try:
            if host:
                await asyncio.shield(self._start(host.close()))
        finally:
            if resident.state is ModelState.DRAINING:
                self._become(resident, ModelState.DOWNLOADED)
            resident.settled.set()

    async def _drop(self, resident: Resident) -> None:
        """Unload a model that ran out of memory, so that the next request starts afresh."""
        with contextlib.suppress(errors.Busy):
            await self._finish(resident)

    def _watch(self, resident: Resident, host: Host) -> None:
        host.ended.add_done_callback(lambda _: self._ended(resident, host))

    def _ended(self, resident: Resident, host: Host) -> None:
        """Notice a host that ended without being asked to, and start the model again."""
        if resident.host is not host or self._closing:
            return
        reason = host.ended.result().reason
        resident.host = resident.info = None
        resident.died()
        resident.error = errors.WorkerDied(
            f"The worker of {resident.key.name!r} {reason}.", model=resident.key.name
        )
        _log.error("the worker of %s %s", resident.key.name, reason)
        self.events.publish("worker_died", resident.key.name, reason=reason)
        self._become(resident, ModelState.FAILED)
        resident.settled.set()
        if not resident.given_up_for():
            self._start(self._restart(resident))

    async def _restart(self, resident: Resident) -> None:
        with contextlib.suppress(errors.OpenSpeechError):  # kept in resident.error
            await self._wait_loaded(resident)

    def _given_up(self, resident: Resident, wait: float) -> errors.OpenSpeechError:
        last = f" {resident.error.message}" if resident.error else ""
        return errors.WorkerDied(
            f"The model {resident.key.name!r} is not started again for {wait:.0f} s: its worker "
            f"died {DEATHS_BEFORE_GIVING_UP} times within a minute.{last}",
            model=resident.key.name,
            hint="See the server's log for what the engine printed.",
            retry_after=wait,
        )

    async def status(self, *, measure: bool = True) -> list[ModelStatus]:
        """Every resident, with the memory that it holds now."""
        found = list(self.residents)
        memories = await asyncio.gather(*(_memory(resident, measure) for resident in found))
        return [
            of_resident(resident, self.policy.ttl_s, memory)
            for resident, memory in zip(found, memories, strict=True)
        ]

    def start(self) -> None:
        """Begin to unload models that nobody uses."""
        self._sweeper = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        while True:
            for resident in self.residents.expired(self.policy.ttl_s):
                self._start(self._expire(resident))
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.residents.next_expiry(self.policy.ttl_s)):
                    await self._wake.wait()

    async def _expire(self, resident: Resident) -> None:
        if resident.idle:
            with contextlib.suppress(errors.Busy):
                await self._drain(resident)

    def stop_admitting(self) -> None:
        """Take no more requests; those under way go on."""
        self._closing = True

    async def close(self) -> None:
        """Take no more requests, let those under way finish, then end every worker."""
        self.stop_admitting()
        if self._sweeper:
            self._sweeper.cancel()
        loading = [resident.loading for resident in self.residents if resident.loading]
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.policy.drain_timeout_s):
                for resident in self.residents:
                    await resident.free.wait()
        hosts = [resident.host for resident in self.residents if resident.host]
        await asyncio.gather(
            *(host.close() for host in hosts), *self._tasks, return_exceptions=True
        )

    def _become(self, resident: Resident, state: ModelState) -> None:
        resident.state = state
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        self.events.publish("state", resident.offer.id, state=state.value)

    def _tell(self, resident: Resident, news: Progress) -> None:
        resident.progress = news
        self.events.publish(
            "progress",
            resident.offer.id,
            bytes_done=news.bytes_done,
            bytes_total=news.bytes_total,
            bytes_per_second=news.bytes_per_second,
        )

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _forget(resident: Resident, task: asyncio.Task[None]) -> None:
    resident.loading = None
    if not task.cancelled():
        task.exception()  # kept in resident.error; whoever waited has left


async def _memory(resident: Resident, measure: bool) -> Memory | None:
    host = resident.host
    return await host.memory() if host and measure else None
