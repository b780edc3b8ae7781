"""One model in the manager's care, from available to loaded and back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from . import errors
from .hosts import Host
from .models import ModelInfo
from .routing import Offer

DEATHS_BEFORE_GIVING_UP = 3
DEATH_WINDOW_S = 60.0
RESTART_DELAY_S = 0.25
"""Before the first restart; four times as long before each further one."""


class ModelState(StrEnum):
    """Where a model is on its way; the words of the HTTP API."""

    AVAILABLE = "available"
    """Known, not on disk."""
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    """On disk (or embedded in its provider), not in memory."""
    LOADING = "loading"
    LOADED = "loaded"
    DRAINING = "draining"
    """Finishing what it has before it is unloaded."""
    FAILED = "failed"
    """The last attempt failed; the next request tries again."""
    PROVIDER_MISSING = "provider_missing"
    """Configured, but nobody installed serves it."""


class Progress(Protocol):
    """How far a download is."""

    @property
    def bytes_done(self) -> int:
        """Of all files."""

    @property
    def bytes_total(self) -> int:
        """Of all files."""

    @property
    def bytes_per_second(self) -> float:
        """Off the network, over the last few seconds."""


OCCUPYING = frozenset({ModelState.LOADING, ModelState.LOADED, ModelState.DRAINING})
"""States that take a place among ``Policy.max_loaded``."""

_AT_REST = frozenset({ModelState.AVAILABLE, ModelState.DOWNLOADED, ModelState.FAILED})


@dataclass(frozen=True, kw_only=True)
class ModelKey:
    """What makes two loaded models different: one worker per key."""

    backend: str
    name: str
    revision: str | None
    device: str


@dataclass(eq=False, kw_only=True)
class Resident:
    """The state of one model. Touched on the manager's event loop only."""

    key: ModelKey
    offer: Offer
    clock: Callable[[], float] = time.monotonic
    state: ModelState = ModelState.AVAILABLE
    host: Host | None = None
    info: ModelInfo | None = None
    device: str | None = None
    """Where it was loaded last; another than the key's where that one is absent."""
    compute_type: str | None = None
    users: int = 0
    """Leases that hold the loaded model."""
    waiting: int = 0
    """Leases that wait for it to be loaded."""
    pinned: bool = False
    default: bool = False
    keep_alive_s: float | None = None
    """Seconds to stay loaded unused; None is the policy's, negative is for ever."""
    last_used: float = 0.0
    """On the manager's clock."""
    used_at: float | None = None
    """Unix time of the last use, for showing."""
    loaded_at: float | None = None
    """Unix time, for showing."""
    error: errors.OpenSpeechError | None = None
    loading: asyncio.Task[None] | None = None
    fetching: asyncio.Task[None] | None = None
    """The download under way, of missing files or of a newer revision."""
    progress: Progress | None = None
    """While it is being downloaded."""
    stop_download: threading.Event = field(default_factory=threading.Event)
    """Set it to cancel the download under way."""
    reloading: asyncio.Lock = field(default_factory=asyncio.Lock)
    places: int = 1
    """How many calls its worker is given: what the model takes at once, and one to go on with.

    An engine that had to wait for the next sentence to be sent would idle between any two.
    """
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """First come, first served; ``places`` of them."""
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS_BEFORE_GIVING_UP))
    free: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody uses it."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared while draining."""

    def __post_init__(self) -> None:
        self.free.set()
        self.settled.set()
        self.last_used = self.clock()

    @property
    def model(self) -> ModelInfo:
        """The best that is known of the model."""
        return self.info or self.offer.model

    @property
    def idle(self) -> bool:
        """Loaded, and nobody uses it or waits for it."""
        return self.state is ModelState.LOADED and not self.users and not self.waiting

    @property
    def busy(self) -> bool:
        """Whether it is on its way: being fetched, waiting for room, or being loaded."""
        return self.loading is not None or self.fetching is not None

    @property
    def forgettable(self) -> bool:
        """Whether nothing would be lost with it."""
        kept = self.host or self.users or self.waiting or self.default or self.pinned or self.busy
        return not kept and self.state in _AT_REST

    def acquire(self) -> None:
        """Count one more user."""
        self.users += 1
        self.free.clear()

    def release(self) -> None:
        """Count one user less."""
        self.users -= 1
        self.touch()
        if not self.users:
            self.free.set()

    def touch(self) -> None:
        """Note that it was wanted just now."""
        self.last_used = self.clock()
        self.used_at = time.time()

    def settle(self, host: Host, info: ModelInfo) -> None:
        """Become loaded."""
        self.host, self.info = host, info
        self.device, self.compute_type = host.context.device, host.context.compute_type
        self.places = max(1, info.concurrency) + 1
        self.turns = asyncio.Semaphore(self.places)
        self.state = ModelState.LOADED
        self.error = None
        self.loaded_at = time.time()
        self.touch()

    def expires_in(self, ttl_s: float) -> float | None:
        """Seconds until it has been unused for too long, or None for never."""
        keep = ttl_s if self.keep_alive_s is None else self.keep_alive_s
        never = keep < 0 or (keep == 0 and self.keep_alive_s is None)
        if self.state is not ModelState.LOADED or self.pinned or never:
            return None
        return self.last_used + keep - self.clock()

    def died(self) -> None:
        """Note a death of its worker."""
        self.deaths.append(self.clock())

    def recent_deaths(self) -> int:
        """Deaths within the window."""
        since = self.clock() - DEATH_WINDOW_S
        return sum(1 for moment in self.deaths if moment > since)

    def given_up_for(self) -> float:
        """Seconds until it may be started again; 0 if it may be now."""
        if self.recent_deaths() < DEATHS_BEFORE_GIVING_UP:
            return 0.0
        return max(0.0, self.deaths[0] + DEATH_WINDOW_S - self.clock())

    def restart_delay(self) -> float:
        """Seconds to wait before the next start."""
        deaths = self.recent_deaths()
        return RESTART_DELAY_S * 4.0 ** (deaths - 1) if deaths else 0.0
