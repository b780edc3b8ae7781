"""What happens to models, told to whoever listens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

MAX_WAITING = 256
"""Events kept for a listener that does not take them; the oldest go first."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened."""

    kind: str
    """``state``, ``progress``, ``pinned``, ``reloaded``, ``evicted``, ``worker_died``,
    ``providers``, ``closing``."""
    model: str | None = None
    data: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    at: float = field(default_factory=time.time)
    """Unix time."""


class Listener(asyncio.Queue[Event]):
    """The events that one listener has not taken yet."""

    missed = False
    """Whether it was too slow, and older events are gone; for the listener to reset."""


class EventBus:
    """Hands every event to every listener. One event loop only; never waits for anybody."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    @property
    def listeners(self) -> int:
        """How many there are."""
        return len(self._listeners)

    def publish(
        self, kind: str, model: str | None = None, **data: str | float | bool | None
    ) -> None:
        """Tell all listeners."""
        event = Event(kind=kind, model=model, data=data)
        for listener in self._listeners:
            if listener.full():
                listener.get_nowait()
                listener.missed = True
            listener.put_nowait(event)

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """Receive events in a queue for the length of a ``with`` block."""
        listener = Listener(MAX_WAITING)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
