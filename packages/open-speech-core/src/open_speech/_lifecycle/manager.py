"""The model manager: one lifecycle for every model, whichever provider serves it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial

from .. import errors
from .._hosts import STATUS_TIMEOUT_S, Host, Memory
from .._plugins.resolution import ResolvedModel
from .._types.ids import ModelId
from .._types.models import ModelInfo
from .downloads import Downloads
from .draining import Drainer
from .events import EventBus
from .eviction import Evictor
from .instance import ModelInstance
from .instances import ModelInstances
from .lease import Lease
from .loader import Loader, MakeHost, Options
from .policy import Policy
from .states import ModelState
from .status import ModelStatus, given_up, not_ready, status_of_instance
from .weights import Weights

_log = logging.getLogger(__name__)
Opened = tuple[Host, ModelInfo]
LOAD_GRACE_S = 0.5
"""How long a load may still take that is to be stopped."""


class ModelManager:
    """Loads models when they are wanted and unloads them when they are not.

    Every method runs on one event loop. A request holds a ``lease``; a model in use is never
    unloaded under it.
    """

    def __init__(
        self,
        resolve: Callable[[str], ResolvedModel],
        make_host: MakeHost,
        *,
        policy: Policy | None = None,
        weights: Weights | None = None,
        options: Mapping[str, Options] | None = None,
        events: EventBus | None = None,
        device: Callable[[ResolvedModel], str] = lambda _: "cpu",
        compute_type: Callable[[ResolvedModel], str | None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy or Policy()
        self.events = events or EventBus()
        self.instances = ModelInstances(self._changed, clock)
        self._resolve = resolve
        self._device = device
        self._compute_type = compute_type
        self.downloads = Downloads(weights, self.events)
        self._loader = Loader(make_host, self.downloads, options or {}, self.policy.threads)
        self._drainer = Drainer(self.policy, self.downloads, self._start)
        self._evictor = Evictor(self.instances, self.policy, self.events, self._drainer)
        self._wake = asyncio.Event()
        self._watchers: list[asyncio.Task[None]] = []
        self._closing = False
        """Set once no new work is taken."""
        self._closed = False
        """Set once what is under way comes to its end as well."""
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lease(
        self,
        name: str,
        *,
        device: str | None = None,
        keep_alive_s: float | None = None,
        under_way: bool = False,
    ) -> AsyncIterator[Lease]:
        """Hold a model for one request; it is loaded first if need be.

        ``under_way``: it is part of something that was admitted before, and is not refused now.

        Raises what ``resolve`` raises, Busy when too many wait, ModelNotReady when loading takes
        longer than ``Policy.load_wait_s``, ShuttingDown, and what loading raises.
        """
        instance = self.instance(name, device)
        if keep_alive_s is not None:
            instance.keep_alive_s = keep_alive_s
        if not under_way or self._closed:
            self._admit(instance)
        await self._enter(instance)
        try:
            yield Lease(instance=instance, exhausted=partial(self._drainer.drop, instance))
        finally:
            instance.release()
            self._wake.set()

    async def _enter(self, instance: ModelInstance) -> None:
        """Become a user of a loaded model."""
        instance.waiting += 1
        try:
            async with asyncio.timeout(self.policy.load_wait_s):
                while instance.state is not ModelState.LOADED:
                    if instance.state is ModelState.DRAINING:
                        await instance.settled.wait()
                    else:
                        await self._wait_loaded(instance)
            # No await since the test: nobody can have unloaded it in between.
            instance.acquire()
        except TimeoutError:
            raise not_ready(instance) from None
        finally:
            instance.waiting -= 1

    def _admit(self, instance: ModelInstance) -> None:
        self.ensure_accepting()
        if instance.users + instance.waiting >= self.policy.queue_size:
            raise errors.Busy(
                f"{self.policy.queue_size} requests already use or wait for the model "
                f"{instance.key.name!r}.",
                model=instance.key.name,
                hint="Try again later.",
                retry_after=2.0,
            )

    def ensure_accepting(self) -> None:
        """Raise ShuttingDown once no new work is taken."""
        if self._closing:
            raise errors.ShuttingDown("The server is shutting down.", retry_after=5.0)

    def instance(self, name: str, device: str | None = None) -> ModelInstance:
        """The state of a model, begun if it is new. Raises what ``resolve`` raises."""
        resolved = self._resolve(name)
        return self.instances.get(resolved, device or self._device(resolved))

    async def load(
        self,
        name: str,
        *,
        device: str | None = None,
        compute_type: str | None = None,
        keep_alive_s: float | None = None,
        pin: bool | None = None,
        default: bool | None = None,
    ) -> ModelInstance:
        """Have a model loaded, however long it takes; a failed reload keeps the old one."""
        instance = self.instance(name, device)
        self.ensure_accepting()
        instance.deaths.clear()  # somebody decided to try again
        # Before it is loaded: it could be evicted at once.
        if pin is not None:
            self._pin(instance, pinned=pin)
        instance.default = instance.default if default is None else default
        other_type = compute_type not in (None, instance.compute_type)
        if instance.state is ModelState.LOADED and other_type:
            await self._reload(instance, compute_type)
        while instance.state is not ModelState.LOADED:
            if instance.state is ModelState.DRAINING:
                await instance.settled.wait()
            else:
                # An earlier "not at all" would unload it again before this is noticed.
                instance.keep_alive_s = None
                asked = device is not None or compute_type is not None
                await self._wait_loaded(instance, compute_type, asked=asked)
        instance.keep_alive_s = keep_alive_s if keep_alive_s is not None else instance.keep_alive_s
        instance.touch()
        self._wake.set()
        return instance

    async def _wait_loaded(
        self, instance: ModelInstance, compute_type: str | None = None, *, asked: bool = False
    ) -> None:
        """Join the one load under way, or begin it."""
        if instance not in self.instances:
            raise errors.ProviderMissing(
                f"The provider of the model {instance.key.name!r} was removed.",
                model=instance.resolved.id,
            )
        if instance.loading is None:
            if (wait := instance.given_up_for()) > 0:
                raise given_up(instance, wait)
            instance.loading = asyncio.create_task(self._load(instance, compute_type, asked=asked))
            instance.loading.add_done_callback(lambda task: _forget(instance, task))
        loading = instance.loading
        # A caller may give up waiting; the load continues for the others.
        await asyncio.wait({loading})
        if loading.cancelled():
            self.ensure_accepting()
            if instance in self.instances:
                raise errors.ModelNotReady(
                    f"Loading the model {instance.key.name!r} was cancelled.",
                    model=instance.resolved.id,
                    hint="Try again.",
                    retry_after=1.0,
                )
        elif error := loading.exception():
            raise error.with_traceback(None)

    async def _load(
        self, instance: ModelInstance, compute_type: str | None, *, asked: bool
    ) -> None:
        await asyncio.sleep(instance.restart_delay())
        wanted = compute_type or self._compute_type(instance.resolved)
        opening = self._loader.open if asked else self._loader.open_or_fall_back
        for last in (False, False, True):
            await self.downloads.have(instance)
            work = partial(opening, instance, wanted, self.policy.load_timeout_s)
            if opened := await self._open(instance, work, last=last):
                break
        assert opened is not None
        host, info = opened
        instance.hosted(host, info)
        self._watch(instance, host)
        self._wake.set()
        if self.policy.has_budget:
            self._start(self._evictor.keep_budgets(new=instance))

    async def _open(
        self, instance: ModelInstance, opening: Callable[[], Awaitable[Opened]], *, last: bool
    ) -> Opened | None:
        """Load fetched files; None if somebody moves or deletes them meanwhile: fetch again."""
        try:
            async with self._evictor.lock:
                await self._evictor.make(instance)
                if instance.fetching and not last:
                    return None
                instance.move_to(ModelState.LOADING)
            return await opening()
        except BaseException as error:
            if isinstance(error, errors.NotDownloaded) and not last:
                instance.move_to(ModelState.AVAILABLE)
                return None
            if isinstance(error, errors.OpenSpeechError):
                instance.error = error
                _log.warning("%s could not be loaded: %s", instance.resolved.id, error)
            # Having found no room says nothing of the model.
            waits = isinstance(error, (errors.Busy, asyncio.CancelledError))
            instance.move_to(ModelState.DOWNLOADED if waits else ModelState.FAILED)
            raise

    async def _reload(self, instance: ModelInstance, compute_type: str | None) -> None:
        """Load anew beside the old one, which serves until then and finishes what it has.

        Whoever unloads it meanwhile, or sees it die, is not contradicted.
        """
        async with instance.reloading:
            old, slots = instance.host, instance.slots
            host, info = await self._loader.open(
                instance, compute_type, self.policy.load_timeout_s, instance.device
            )
            if old is None or instance.host is not old or instance.state is not ModelState.LOADED:
                await host.close()
                return
            instance.hosted(host, info)
            self._watch(instance, host)
            self.events.publish("reloaded", instance.resolved.id)
            self._start(self._drainer.retire(old, slots))

    async def reload(self, resolved: ResolvedModel) -> None:
        """Load a model anew wherever it is loaded, beside the old one; for moved weights."""
        for instance in self.instances.of(resolved):
            if instance.state is ModelState.LOADED and instance.key.revision == resolved.revision:
                await self._reload(instance, instance.compute_type)

    def pin(self, name: str, pinned: bool = True) -> ModelInstance:  # noqa: FBT001, FBT002
        """Keep a model from being evicted once it is loaded, or no longer so."""
        instance = self.instance(name)
        for each in self.instances.of(instance.resolved):
            self._pin(each, pinned=pinned)
        self._wake.set()
        return instance

    def _pin(self, instance: ModelInstance, *, pinned: bool) -> None:
        instance.pinned = pinned
        self.events.publish("pinned", instance.resolved.id, pinned=pinned)

    async def revise(self) -> None:
        """Let go of models whose providers are gone: they finish what they have, and end."""
        for instance in self.instances:
            if not self._is_served(instance):
                self.instances.forget(instance)
                if instance.loading:
                    instance.loading.cancel()
                instance.stop_download.set()
                self._start(self._let_go(instance))

    async def _let_go(self, instance: ModelInstance) -> None:
        await self._drainer.end(instance)
        missing = ModelState.PROVIDER_MISSING
        self.events.publish("state", instance.resolved.id, state=missing.value)

    def _is_served(self, instance: ModelInstance) -> bool:
        key = instance.key
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
        for instance in self.instances.of(self._resolve(name), device):
            unloaded |= await self.stop_loading(instance)
            if instance.state is ModelState.DRAINING:
                await instance.settled.wait()
            if instance.state is ModelState.LOADED:
                await self._drainer.drain(instance)
                unloaded = True
        return unloaded

    async def stop_loading(self, instance: ModelInstance) -> bool:
        """End the load under way, and its worker; whether there was one to end.

        One that is nearly done is let through: requests that wait for it are then served.
        """
        loading = instance.loading
        if loading is None:
            return False
        _, pending = await asyncio.wait({loading}, timeout=LOAD_GRACE_S)
        loading.cancel()
        await asyncio.wait({loading})
        return bool(pending)

    def _watch(self, instance: ModelInstance, host: Host) -> None:
        host.ended.add_done_callback(lambda _: self._ended(instance, host))

    def _ended(self, instance: ModelInstance, host: Host) -> None:
        """Notice a host that ended without being asked to, and start the model again."""
        if instance.host is not host or self._closing:
            return
        reason = host.ended.result().reason
        name = instance.key.name
        _log.error("the worker of %s %s", name, reason)
        self.events.publish("worker_died", name, reason=reason)
        instance.lost(errors.WorkerDied(f"The worker of {name!r} {reason}.", model=name))
        if not instance.given_up_for():
            self._start(self._restart(instance))

    async def _restart(self, instance: ModelInstance) -> None:
        with contextlib.suppress(errors.OpenSpeechError):  # kept in instance.error
            await self._wait_loaded(instance)

    async def status(self, *, measure: bool = True) -> list[ModelStatus]:
        """Every instance, with the memory that it holds now."""
        found = list(self.instances)
        memories = await asyncio.gather(*(_memory(instance, measure=measure) for instance in found))
        return [
            status_of_instance(instance, self.policy.ttl_s, memory)
            for instance, memory in zip(found, memories, strict=True)
        ]

    def start(self) -> None:
        """Begin to unload models that nobody uses."""
        self._watchers.append(asyncio.create_task(self._sweep()))
        if self.policy.has_budget:
            self._watchers.append(asyncio.create_task(self._evictor.keep_watch()))

    async def _sweep(self) -> None:
        while True:
            for instance in self.instances.expired(self.policy.ttl_s):
                self._start(self._expire(instance))
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.instances.next_expiry(self.policy.ttl_s)):
                    await self._wake.wait()

    async def _expire(self, instance: ModelInstance) -> None:
        if instance.idle:
            with contextlib.suppress(errors.Busy):
                await self._drainer.drain(instance)

    def stop_admitting(self) -> None:
        """Take no more requests; those under way go on."""
        self._closing = True
        self.events.publish("closing")

    async def close(self, timeout_s: float | None = None) -> None:
        """Take no more requests, let those under way finish, then end every worker.

        Those that take longer than ``timeout_s`` (None is the policy's) lose their worker.
        """
        self.stop_admitting()
        self._closed = True
        moving = [
            *self._watchers,
            *(instance.loading for instance in self.instances if instance.loading),
            *(instance.fetching for instance in self.instances if instance.fetching),
        ]
        for task in moving:
            task.cancel()
        await asyncio.gather(*moving, return_exceptions=True)
        await self._drainer.finish(self.instances, timeout_s)
        for instance in self.instances:
            if instance.host and instance.users:
                instance.host.kill()
        hosts = [instance.host.close() for instance in self.instances if instance.host]
        await asyncio.gather(*hosts, *self._tasks, return_exceptions=True)
        await self.downloads.released()

    def _changed(self, instance: ModelInstance) -> None:
        """Tell everybody that a model has changed its state."""
        self._evictor.moved()
        self.events.publish("state", instance.resolved.id, state=instance.state.value)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _forget(instance: ModelInstance, task: asyncio.Task[None]) -> None:
    instance.loading = None
    if not task.cancelled():
        task.exception()  # kept in instance.error; no caller is left to raise it to


async def _memory(instance: ModelInstance, *, measure: bool) -> Memory | None:
    host = instance.host
    return await host.memory(STATUS_TIMEOUT_S) if host and measure else None
