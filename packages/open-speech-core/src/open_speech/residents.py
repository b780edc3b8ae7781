"""The models in a manager's care, and which of them should go first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from .resident import OCCUPYING, ModelKey, ModelState, Resident
from .routing import Offer

MAX_FORGETTABLE = 256
"""Models that somebody once asked about and nobody uses; those asked about longest ago go first."""


class Residents:
    """A collection of residents by key. One event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_key: dict[ModelKey, Resident] = {}

    def __iter__(self) -> Iterator[Resident]:
        return iter(list(self._by_key.values()))

    def __contains__(self, resident: Resident) -> bool:
        return self._by_key.get(resident.key) is resident

    def get(self, offer: Offer, device: str) -> Resident:
        """The resident of a model on a device, begun if it is new."""
        key = ModelKey(
            backend=offer.backend, name=offer.model.id, revision=offer.revision, device=device
        )
        resident = self._by_key.get(key)
        if resident is None:
            self._forget_some()
            resident = self._by_key[key] = Resident(key=key, offer=offer, clock=self._clock)
        elif resident.host is None:
            resident.offer = offer  # the provider may have been replaced meanwhile
        return resident

    def forget(self, resident: Resident) -> None:
        """Drop one from the collection."""
        if resident in self:
            del self._by_key[resident.key]

    def _forget_some(self) -> None:
        if len(self._by_key) >= MAX_FORGETTABLE:
            idle = sorted(
                (each for each in self if each.forgettable), key=lambda each: each.last_used
            )
            for resident in idle[: max(0, len(idle) - MAX_FORGETTABLE // 2)]:
                self.forget(resident)

    def of(self, offer: Offer, device: str | None = None) -> list[Resident]:
        """Every resident of a model: of one revision or all, on one device or all."""
        return [
            resident
            for resident in self
            if (resident.key.backend, resident.key.name) == (offer.backend, offer.model.id)
            and offer.revision in (None, resident.key.revision)
            and device in (None, resident.key.device)
        ]

    def occupying(self, but: Resident) -> int:
        """How many others are loaded, or nearly so."""
        return sum(1 for other in self if other is not but and other.state in OCCUPYING)

    def moving(self, but: Resident) -> bool:
        """Whether another one is on its way into memory or out of it."""
        return any(
            other is not but and other.state in (ModelState.LOADING, ModelState.DRAINING)
            for other in self
        )

    def victim(self, but: Resident) -> Resident | None:
        """Which of the others should go: idle before busy, defaults last, pinned never."""
        return self.first_to_go(
            other
            for other in self
            if other is not but and other.state is ModelState.LOADED and not other.pinned
        )

    @staticmethod
    def first_to_go(candidates: Iterable[Resident]) -> Resident | None:
        """The least recently used one: idle before busy, defaults last."""
        return min(
            candidates,
            key=lambda resident: (not resident.idle, resident.default, resident.last_used),
            default=None,
        )

    def expired(self, ttl_s: float) -> list[Resident]:
        """Idle residents that have been unused for too long."""
        return [
            resident
            for resident in self
            if resident.idle and (left := resident.expires_in(ttl_s)) is not None and left <= 0
        ]

    def next_expiry(self, ttl_s: float) -> float | None:
        """Seconds until the next idle one has been unused for too long, or None."""
        times = [
            left
            for resident in self
            if resident.idle and (left := resident.expires_in(ttl_s)) is not None
        ]
        return max(0.0, min(times)) if times else None
