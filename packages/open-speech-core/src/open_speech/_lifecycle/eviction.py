"""Room for models: how many may be loaded, and how much memory they may hold."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from .. import errors
from .._hosts import Memory
from .draining import Drainer
from .events import EventBus
from .instance import ModelInstance
from .instances import ModelInstances
from .policy import Policy

_log = logging.getLogger(__name__)
BUDGET_PERIOD_S = 10.0
"""How often memory is measured where there is a budget, beside after each load."""


class Evictor:
    """Unloads some models to make room for others. One event loop only."""

    def __init__(
        self, instances: ModelInstances, policy: Policy, events: EventBus, drainer: Drainer
    ) -> None:
        self._instances = instances
        self._policy = policy
        self._events = events
        self._drainer = drainer
        self.lock = asyncio.Lock()
        """Held from making room until the room is taken."""
        self._moved = asyncio.Event()
        """Set, and replaced, whenever a model changes its state."""
        self._complaints: dict[str, frozenset[str]] = {}

    def moved(self) -> None:
        """Note that a model has changed its state."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def make(self, wanted: ModelInstance) -> None:
        """Unload others until one more fits; called with the lock held."""
        limit = self._policy.max_loaded
        while limit and self._instances.occupying(but=wanted) >= limit:
            victim = self._instances.victim(but=wanted)
            if victim is None and self._instances.moving(but=wanted):
                await self._moved.wait()
                continue
            if victim is None:
                raise errors.Busy(
                    f"Cannot load the model {wanted.key.name!r}: all {limit} models that may be "
                    "loaded are pinned.",
                    model=wanted.key.name,
                    hint="Unpin or unload one, or allow more.",
                    retry_after=5.0,
                )
            self._events.publish("evicted", victim.resolved.id, by=wanted.resolved.id)
            await self._drainer.drain(victim)

    async def keep_watch(self) -> None:
        """Keep the budgets for ever, as models grow while they work."""
        while True:
            await asyncio.sleep(BUDGET_PERIOD_S)
            await self.keep_budgets()

    async def keep_budgets(self, new: ModelInstance | None = None) -> None:
        """Measure what models hold, and unload idle ones until the rest is within the budgets.

        ``new`` was just loaded, and is not unloaded for its own sake.
        """
        policy = self._policy
        if not policy.has_budget:
            return
        async with self.lock:
            hosts = [(instance, instance.host) for instance in self._instances if instance.host]
            measured = await asyncio.gather(*(host.memory() for _, host in hosts))
            held = {instance: memory for (instance, _), memory in zip(hosts, measured, strict=True)}
            main, device = policy.memory_budget_bytes, policy.device_memory_budget_bytes
            for machine in sorted({host.machine for _, host in hosts}):
                there = {instance: held[instance] for instance, host in hosts
                         if host.machine == machine}  # fmt: skip
                of = f" of {machine}" if machine else ""
                await self._keep(f"memory{of}", main, there, new, lambda m: m.resident_bytes)
                await self._keep(f"device memory{of}", device, there, new, lambda m: m.device_bytes)

    async def _keep(
        self,
        what: str,
        limit: int,
        held: dict[ModelInstance, Memory],
        new: ModelInstance | None,
        amount: Callable[[Memory], int],
    ) -> None:
        while limit:
            holders = {instance: bytes_ for instance, memory in held.items()
                       if instance.host and (bytes_ := amount(memory))}  # fmt: skip
            if sum(holders.values()) <= limit:
                self._complaints.pop(what, None)
                return
            victim = self._instances.eviction_candidate(
                each for each in holders if each.idle and not each.pinned and each is not new
            )
            if victim is None or len(holders) == 1:
                self._complain(what, limit, holders)
                return
            self._events.publish("evicted", victim.resolved.id, by="budget", what=what)
            _log.info("%s is unloaded: the budget of %s is used up", victim.resolved.id, what)
            with contextlib.suppress(errors.Busy):
                await self._drainer.drain(victim)
            del held[victim]

    def _complain(self, what: str, limit: int, holders: dict[ModelInstance, int]) -> None:
        """Log once that the budget cannot be kept with these models."""
        who = frozenset(instance.resolved.id for instance in holders)
        if self._complaints.get(what) != who:
            self._complaints[what] = who
            _log.warning(
                "the budget of %s (%.0f MiB) is exceeded by %s, holding %.0f MiB, which stay "
                "as long as they are in use, pinned or the only ones",
                what,
                limit / 2**20,
                ", ".join(sorted(who)),
                sum(holders.values()) / 2**20,
            )
