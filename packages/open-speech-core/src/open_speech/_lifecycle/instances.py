"""The models in a manager's care, and which of them should go first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from .._plugins.resolution import ResolvedModel
from .instance import ModelInstance, ModelKey
from .states import OCCUPYING, ModelState

MAX_FORGETTABLE = 256
"""Models that somebody once asked about and nobody uses; those asked about longest ago go first."""


class ModelInstances:
    """A collection of instances by key. One event loop only."""

    def __init__(
        self,
        changed: Callable[[ModelInstance], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = changed
        self._clock = clock
        self._by_key: dict[ModelKey, ModelInstance] = {}

    def __iter__(self) -> Iterator[ModelInstance]:
        return iter(list(self._by_key.values()))

    def __contains__(self, instance: ModelInstance) -> bool:
        return self._by_key.get(instance.key) is instance

    def get(self, resolved: ResolvedModel, device: str) -> ModelInstance:
        """The instance of a model on a device, begun if it is new."""
        key = ModelKey(
            backend=resolved.backend,
            name=resolved.model.id,
            revision=resolved.revision,
            device=device,
        )
        instance = self._by_key.get(key)
        if instance is None:
            self._forget_some()
            instance = self._by_key[key] = ModelInstance(
                key=key, resolved=resolved, clock=self._clock, changed=self._changed
            )
        elif instance.host is None:
            instance.resolved = resolved  # the provider may have been replaced meanwhile
        return instance

    def forget(self, instance: ModelInstance) -> None:
        """Drop one from the collection."""
        if instance in self:
            del self._by_key[instance.key]

    def _forget_some(self) -> None:
        if len(self._by_key) >= MAX_FORGETTABLE:
            idle = sorted(
                (each for each in self if each.forgettable), key=lambda each: each.last_used
            )
            for instance in idle[: max(0, len(idle) - MAX_FORGETTABLE // 2)]:
                self.forget(instance)

    def of(self, resolved: ResolvedModel, device: str | None = None) -> list[ModelInstance]:
        """Every instance of a model: of one revision or all, on one device or all."""
        return [
            instance
            for instance in self
            if (instance.key.backend, instance.key.name) == (resolved.backend, resolved.model.id)
            and resolved.revision in (None, instance.key.revision)
            and device in (None, instance.key.device)
        ]

    def occupying(self, but: ModelInstance) -> int:
        """How many others are loaded, or nearly so."""
        return sum(1 for other in self if other is not but and other.state in OCCUPYING)

    def moving(self, but: ModelInstance) -> bool:
        """Whether another one is on its way into memory or out of it."""
        return any(
            other is not but and other.state in (ModelState.LOADING, ModelState.DRAINING)
            for other in self
        )

    def victim(self, but: ModelInstance) -> ModelInstance | None:
        """Which of the others should go: idle before busy, defaults last, pinned never."""
        return self.eviction_candidate(
            other
            for other in self
            if other is not but and other.state is ModelState.LOADED and not other.pinned
        )

    @staticmethod
    def eviction_candidate(candidates: Iterable[ModelInstance]) -> ModelInstance | None:
        """The least recently used one: idle before busy, defaults last."""
        return min(
            candidates,
            key=lambda instance: (not instance.idle, instance.default, instance.last_used),
            default=None,
        )

    def expired(self, ttl_s: float) -> list[ModelInstance]:
        """Idle instances that have been unused for too long."""
        return [
            instance
            for instance in self
            if instance.idle and (left := instance.expires_in(ttl_s)) is not None and left <= 0
        ]

    def next_expiry(self, ttl_s: float) -> float | None:
        """Seconds until the next idle one has been unused for too long, or None."""
        times = [
            left
            for instance in self
            if instance.idle and (left := instance.expires_in(ttl_s)) is not None
        ]
        return max(0.0, min(times)) if times else None
