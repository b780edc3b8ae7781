"""A running call inside a worker: its slot, its credit, its input."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from .protocol import STEP, WINDOW, Call, FromWorker, More
from .serialization import Payload, UnknownValue

Emit = Callable[[FromWorker], None]
SILENT_S = 0.5
"""An engine that has waited so long for input says that it waits."""


class FairSemaphore:
    """A semaphore that serves threads strictly in the order of their arrival."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Wait for a slot."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            gate = threading.Lock()
            gate.acquire()
            self._queue.append(gate)
        gate.acquire()

    def release(self) -> None:
        """Pass the slot to the thread that has waited longest."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1

    def rotate(self) -> None:
        """Go to the end of the queue, if anybody waits."""
        if self._queue:
            self.release()
            self.acquire()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Release the slot for the length of a ``with`` block."""
        self.release()
        try:
            yield
        finally:
            self.acquire()


class RunningCall:
    """A call under way: what it may send, what it is fed, and whether anybody still wants it.

    An iterator of what is fed, for the engine: it gives the turn up while it has to wait. Once the
    call is cancelled it raises GeneratorExit, as if the engine's generator were closed there.
    """

    def __init__(self, message: Call, emit: Emit, slots: FairSemaphore) -> None:
        self.message = message
        self.cancelled = threading.Event()
        self.feeds: tuple[type[Any], ...] = ()
        self.future: Future[None] | None = None
        """Set once it is queued for a thread."""
        self._emit = emit
        self._slots = slots
        self._credit = threading.Semaphore(WINDOW)
        self._fed: queue.SimpleQueue[Payload | None] = queue.SimpleQueue()
        self._over = False
        self._out = 0
        """What the engine works on, 0 or 1."""
        self._done = 0
        """Items that it is done with, and that no credit was given for yet."""

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> object:
        self._done, self._out = self._done + self._out, 0
        if self._done >= STEP:
            self._tell()
        while not self._over and not self.cancelled.is_set():
            item = self._take()
            if item is None:
                self._over = True
                break
            try:
                value: object = item.read(self.feeds)
            except UnknownValue:  # of a later release, which can do without us
                self._done += 1
                continue
            self._out = 1
            return value
        if self.cancelled.is_set():
            raise GeneratorExit
        raise StopIteration

    def _take(self) -> Payload | None:
        self._slots.rotate()
        with suppress(queue.Empty):
            return self._fed.get_nowait()
        with self._slots.lent():
            with suppress(queue.Empty):
                return self._fed.get(timeout=SILENT_S)
            self._tell()  # silence must not be taken for a hang
            return self._fed.get()

    def _tell(self) -> None:
        done, self._done = self._done, 0
        if done:
            self._emit(More(call=self.message.call, items=done))

    def feed(self, item: Payload | None) -> None:
        """Take the next item, or None for the end."""
        self._fed.put(item)

    def more(self, items: int) -> None:
        """Let it send further results."""
        self._credit.release(items)

    def cancel(self) -> None:
        """Have it stop at the next result, or where it waits."""
        self.cancelled.set()
        self._credit.release()
        self._fed.put(None)

    def wait_for_credit(self) -> None:
        """Wait until one more result may be sent; who is fed lets others work meanwhile."""
        if self.feeds and not self._credit.acquire(blocking=False):
            with self._slots.lent():
                self._credit.acquire()
        elif not self.feeds:
            self._credit.acquire()
