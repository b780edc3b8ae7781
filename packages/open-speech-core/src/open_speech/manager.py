"""The model manager: one lifecycle for every model, whichever provider serves it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial

from . import errors
from .downloads import Downloads
from .events import EventBus
from .hosts import GLANCE_S, Host, Memory
from .ids import ModelId
from .lease import Lease
from .loader import Loader, MakeHost, Options
from .models import ModelInfo
from .policy import Policy
from .resident import ModelState, Resident
from .residents import Residents
from .room import Room
from .routing import Offer
from .status import ModelStatus, given_up, not_ready, of_resident
from .unloading import Unloading
from .weights import Weights

_log = logging.getLogger(__name__)
Opened = tuple[Host, ModelInfo]


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
        self.policy = policy or Policy()
        self.events = events or EventBus()
        self.residents = Residents(clock)
        self._resolve = resolve
        self._device = device
        self._compute_type = compute_type
        self.downloads = Downloads(weights, self.become, self.events)
        self._loader = Loader(make_host, self.downloads, options or {}, self.policy.threads)
        self._unloading = Unloading(self.policy, self.downloads, self.become, self._start)
        self._room = Room(self.residents, self.policy, self.events, self._unloading)
        self._wake = asyncio.Event()
        self._watchers: list[asyncio.Task[None]] = []
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()

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
            yield Lease(resident=resident, exhausted=partial(self._unloading.drop, resident))
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
            raise not_ready(resident) from None
        finally:
            resident.waiting -= 1

    def _admit(self, resident: Resident) -> None:
        self.refuse_at_the_end()
        if resident.users + resident.waiting >= self.policy.queue_size:
            raise errors.Busy(
                f"{self.policy.queue_size} requests already use or wait for the model "
                f"{resident.key.name!r}.",
                model=resident.key.name,
                hint="Try again later.",
                retry_after=2.0,
            )

    def refuse_at_the_end(self) -> None:
        """Raise ShuttingDown once no new work is taken."""
        if self._closing:
            raise errors.ShuttingDown("The server is shutting down.", retry_after=5.0)

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
        self.refuse_at_the_end()
        resident.deaths.clear()  # somebody decided to try again
        # Before it is loaded: it could be evicted at once.
        if pin is not None:
            self._pin(resident, pinned=pin)
        resident.default = resident.default if default is None else default
        other_type = compute_type not in (None, resident.compute_type)
        if resident.state is ModelState.LOADED and other_type:
            await self._reload(resident, compute_type)
        while resident.state is not ModelState.LOADED:
            if resident.state is ModelState.DRAINING:
                await resident.settled.wait()
            else:
                asked = device is not None or compute_type is not None
                await self._wait_loaded(resident, compute_type, asked=asked)
        resident.keep_alive_s = keep_alive_s if keep_alive_s is not None else resident.keep_alive_s
        resident.touch()
        self._wake.set()
        return resident

    async def _wait_loaded(
        self, resident: Resident, compute_type: str | None = None, *, asked: bool = False
    ) -> None:
        """Join the one load under way, or begin it."""
        if resident not in self.residents:
            raise errors.ProviderMissing(
                f"The provider of the model {resident.key.name!r} was removed.",
                model=resident.offer.id,
            )
        if resident.loading is None:
            if (wait := resident.given_up_for()) > 0:
                raise given_up(resident, wait)
            resident.loading = asyncio.create_task(self._load(resident, compute_type, asked=asked))
            resident.loading.add_done_callback(lambda task: _forget(resident, task))
        loading = resident.loading
        # Whoever waits may leave; the load goes on for the others.
        await asyncio.wait({loading})
        if loading.cancelled():
            self.refuse_at_the_end()
        elif error := loading.exception():
            raise error.with_traceback(None)

    async def _load(self, resident: Resident, compute_type: str | None, *, asked: bool) -> None:
        await asyncio.sleep(resident.restart_delay())
        wanted = compute_type or self._compute_type(resident.offer)
        opening = self._loader.open if asked else self._loader.open_or_fall_back
        for last in (False, False, True):
            await self.downloads.have(resident)
            work = partial(opening, resident, wanted, self.policy.load_timeout_s)
            if opened := await self._open(resident, work, last=last):
                break
        assert opened is not None
        host, info = opened
        resident.settle(host, info)
        self._watch(resident, host)
        self.become(resident, ModelState.LOADED)
        self._wake.set()
        if self.policy.has_budget:
            self._start(self._room.keep_budgets(new=resident))

    async def _open(
        self, resident: Resident, opening: Callable[[], Awaitable[Opened]], *, last: bool
    ) -> Opened | None:
        """Load fetched files; None if somebody moves or deletes them meanwhile: fetch again."""
        try:
            async with self._room.lock:
                await self._room.make(resident)
                if resident.fetching and not last:
                    return None
                self.become(resident, ModelState.LOADING)
            return await opening()
        except BaseException as error:
            if isinstance(error, errors.NotDownloaded) and not last:
                self.become(resident, ModelState.AVAILABLE)
                return None
            if isinstance(error, errors.OpenSpeechError):
                resident.error = error
                _log.warning("%s could not be loaded: %s", resident.offer.id, error)
            # Having found no room says nothing of the model.
            waits = isinstance(error, (errors.Busy, asyncio.CancelledError))
            self.become(resident, ModelState.DOWNLOADED if waits else ModelState.FAILED)
            raise

    async def _reload(self, resident: Resident, compute_type: str | None) -> None:
        """Load anew beside the old one, which serves until then and finishes what it has.

        Whoever unloads it meanwhile, or sees it die, is not contradicted.
        """
        async with resident.reloading:
            old, turns, places = resident.host, resident.turns, resident.places
            host, info = await self._loader.open(
                resident, compute_type, self.policy.load_timeout_s, resident.device
            )
            if old is None or resident.host is not old or resident.state is not ModelState.LOADED:
                await host.close()
                return
            resident.settle(host, info)
            self._watch(resident, host)
            self.events.publish("reloaded", resident.offer.id)
            self._start(self._unloading.retire(old, turns, places))

    async def reload(self, offer: Offer) -> None:
        """Load a model anew wherever it is loaded, beside the old one; for moved weights."""
        for resident in self.residents.of(offer):
            if resident.state is ModelState.LOADED and resident.key.revision == offer.revision:
                await self._reload(resident, resident.compute_type)

    def pin(self, name: str, pinned: bool = True) -> Resident:  # noqa: FBT001, FBT002
        """Keep a model from being evicted once it is loaded, or no longer so."""
        resident = self.resident(name)
        for each in self.residents.of(resident.offer):
            self._pin(each, pinned=pinned)
        self._wake.set()
        return resident

    def _pin(self, resident: Resident, *, pinned: bool) -> None:
        resident.pinned = pinned
        self.events.publish("pinned", resident.offer.id, pinned=pinned)

    async def revise(self) -> None:
        """Let go of models whose providers are gone: they finish what they have, and end."""
        for resident in self.residents:
            if not self._is_served(resident):
                self.residents.forget(resident)
                if resident.loading:
                    resident.loading.cancel()
                resident.stop_download.set()
                self._start(self._let_go(resident))

    async def _let_go(self, resident: Resident) -> None:
        await self._unloading.end(resident)
        missing = ModelState.PROVIDER_MISSING
        self.events.publish("state", resident.offer.id, state=missing.value)

    def _is_served(self, resident: Resident) -> bool:
        key = resident.key
        name = ModelId(provider=key.backend, name=key.name, revision=key.revision)
        try:
            return self._resolve(str(name)).backend == key.backend
        except errors.OpenSpeechError:
            return False

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
                await self._unloading.drain(resident)
                unloaded = True
        return unloaded

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
        self.become(resident, ModelState.FAILED)
        resident.settled.set()
        if not resident.given_up_for():
            self._start(self._restart(resident))

    async def _restart(self, resident: Resident) -> None:
        with contextlib.suppress(errors.OpenSpeechError):  # kept in resident.error
            await self._wait_loaded(resident)

    async def status(self, *, measure: bool = True) -> list[ModelStatus]:
        """Every resident, with the memory that it holds now."""
        found = list(self.residents)
        memories = await asyncio.gather(*(_memory(resident, measure=measure) for resident in found))
        return [
            of_resident(resident, self.policy.ttl_s, memory)
            for resident, memory in zip(found, memories, strict=True)
        ]

    def start(self) -> None:
        """Begin to unload models that nobody uses."""
        self._watchers.append(asyncio.create_task(self._sweep()))
        if self.policy.has_budget:
            self._watchers.append(asyncio.create_task(self._room.keep_watch()))

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
                await self._unloading.drain(resident)

    def stop_admitting(self) -> None:
        """Take no more requests; those under way go on."""
        self._closing = True
        self.events.publish("closing")

    async def close(self) -> None:
        """Take no more requests, let those under way finish, then end every worker."""
        self.stop_admitting()
        moving = [
            *self._watchers,
            *(resident.loading for resident in self.residents if resident.loading),
            *(resident.fetching for resident in self.residents if resident.fetching),
        ]
        for task in moving:
            task.cancel()
        await asyncio.gather(*moving, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.policy.drain_timeout_s):
                for resident in self.residents:
                    await resident.free.wait()
        hosts = [resident.host.close() for resident in self.residents if resident.host]
        await asyncio.gather(*hosts, *self._tasks, return_exceptions=True)
        await self.downloads.released()

    def become(self, resident: Resident, state: ModelState) -> None:
        """Change a model's state, and tell everybody."""
        resident.state = state
        self._room.moved()
        self.events.publish("state", resident.offer.id, state=state.value)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _forget(resident: Resident, task: asyncio.Task[None]) -> None:
    resident.loading = None
    if not task.cancelled():
        task.exception()  # kept in resident.error; whoever waited has left


async def _memory(resident: Resident, *, measure: bool) -> Memory | None:
    host = resident.host
    return await host.memory(GLANCE_S) if host and measure else None
