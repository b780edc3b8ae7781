"""One model in the manager's care, from available to loaded and back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .. import errors
from .._hosts import Host
from .._plugins.resolution import ResolvedModel
from .._types.models import Kind, ModelInfo
from .slots import Slots
from .states import AT_REST, ModelState, check_transition
from .weights import DownloadProgress

DEATHS_BEFORE_GIVING_UP = 3
DEATH_WINDOW_S = 60.0
RESTART_DELAY_S = 0.25
"""Before the first restart; four times as long before each further one."""


@dataclass(frozen=True, kw_only=True)
class ModelKey:
    """What makes two loaded models different: one worker per key."""

    backend: str
    name: str
    revision: str | None
    device: str


@dataclass(eq=False, kw_only=True)
class ModelInstance:
    """One model in the manager's care. Touched on the manager's event loop only.

    The fields are grouped by who changes them.
    """

    # The collection of instances, when the model is asked for.
    key: ModelKey
    resolved: ResolvedModel
    clock: Callable[[], float] = time.monotonic
    changed: Callable[[ModelInstance], None] = lambda _: None
    """Called after each change of ``state``."""

    # ``move_to``, and nothing else.
    _state: ModelState = ModelState.AVAILABLE
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared while draining."""

    # ``hosted``, ``vacate`` and ``lost``.
    host: Host | None = None
    info: ModelInfo | None = None
    device: str | None = None
    """Where it was loaded last; another than the key's where that one is absent."""
    compute_type: str | None = None
    slots: Slots = field(default_factory=lambda: Slots(ModelInfo(id="", kind=Kind.STT)))
    """Of the host; another object once it is loaded anew."""
    loaded_at: float | None = None
    """Unix time, for showing."""
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS_BEFORE_GIVING_UP))

    # Requests: ``acquire``, ``release`` and ``touch``.
    users: int = 0
    """Leases that hold the loaded model."""
    waiting: int = 0
    """Leases that wait for it to be loaded."""
    free: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody uses it."""
    last_used: float = 0.0
    """On the manager's clock."""
    used_at: float | None = None
    """Unix time of the last use, for showing."""

    # The manager, for the operator.
    pinned: bool = False
    default: bool = False
    keep_alive_s: float | None = None
    """Seconds to stay loaded unused; None is the policy's, negative is for ever."""

    # The manager's load under way.
    loading: asyncio.Task[None] | None = None
    reloading: asyncio.Lock = field(default_factory=asyncio.Lock)
    error: errors.OpenSpeechError | None = None
    """Of the last load or download, or the death of its worker."""

    # ``Downloads``.
    fetching: asyncio.Task[None] | None = None
    """The download under way, of missing files or of a newer revision."""
    progress: DownloadProgress | None = None
    """While it is being downloaded."""
    stop_download: threading.Event = field(default_factory=threading.Event)
    """Set it to cancel the download under way."""

    def __post_init__(self) -> None:
        self.free.set()
        self.settled.set()
        self.last_used = self.clock()

    @property
    def state(self) -> ModelState:
        """Where it is in its life; see ``states``."""
        return self._state

    def move_to(self, state: ModelState) -> None:
        """Change the state, and tell ``changed``. ValueError for a way that there is not."""
        check_transition(self._state, state)
        self._state = state
        if state is ModelState.DRAINING:
            self.settled.clear()
        else:
            self.settled.set()
        self.changed(self)

    @property
    def model(self) -> ModelInfo:
        """The best that is known of the model."""
        return self.info or self.resolved.model

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
        return not kept and self.state in AT_REST

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

    def hosted(self, host: Host, info: ModelInfo) -> None:
        """Note the host that has it loaded from now on, instead of none or an earlier one."""
        self.host, self.info = host, info
        self.device, self.compute_type = host.context.device, host.context.compute_type
        self.slots = Slots(info, host.spare)
        self.error = None
        self.loaded_at = time.time()
        self.touch()
        if self._state is not ModelState.LOADED:
            self.move_to(ModelState.LOADED)

    def vacate(self) -> Host | None:
        """Hand over the host, if there is one; the state is to follow once it has ended."""
        host, self.host, self.info = self.host, None, None
        return host

    def lost(self, error: errors.OpenSpeechError) -> None:
        """Note that its worker died."""
        self.vacate()
        self.deaths.append(self.clock())
        self.error = error
        self.move_to(ModelState.FAILED)

    def expires_in(self, ttl_s: float) -> float | None:
        """Seconds until it has been unused for too long, or None for never."""
        keep = ttl_s if self.keep_alive_s is None else self.keep_alive_s
        never = keep < 0 or (keep == 0 and self.keep_alive_s is None)
        if self.state is not ModelState.LOADED or self.pinned or never:
            return None
        return self.last_used + keep - self.clock()

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
