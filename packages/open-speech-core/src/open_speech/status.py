"""What a manager says of its models, for people and programs to read."""

from __future__ import annotations

from dataclasses import dataclass

from . import errors
from .hosts import Memory
from .models import Kind, ModelInfo
from .resident import DEATHS_BEFORE_GIVING_UP, ModelState, Progress, Resident
from .routing import Offer

LONGEST_ADVICE_S = 60.0
"""Nobody is told to come back later than that."""


@dataclass(frozen=True, kw_only=True)
class ModelStatus:
    """One model: what it is, where it is on its way, and what it holds."""

    id: str
    kind: Kind
    provider: str
    backend: str
    state: ModelState
    model: ModelInfo
    requested: str | None = None
    """The revision in its name; None leaves it to the store."""
    revision: str | None = None
    """The commit that is on disk."""
    license_pending: bool = False
    """Its licence has to be accepted before its files are fetched."""
    disk_bytes: int | None = None
    """Of its files on disk."""
    device: str | None = None
    compute_type: str | None = None
    default: bool = False
    pinned: bool = False
    users: int = 0
    """Requests that use it now."""
    waiting: int = 0
    """Requests that wait for it."""
    loaded_at: float | None = None
    """Unix time."""
    used_at: float | None = None
    """Unix time."""
    expires_in_s: float | None = None
    """Seconds until it is unloaded if nobody uses it; None is never."""
    memory: Memory | None = None
    """What it holds, if it is loaded."""
    progress: Progress | None = None
    """While it is being downloaded."""
    busy: bool = False
    """Being fetched, waiting for room, or being loaded."""
    error: str | None = None
    """Why the last attempt failed."""
    pid: int | None = None
    """Of its worker process."""


def of_offer(offer: Offer, state: ModelState) -> ModelStatus:
    """The status of a model that nobody has touched yet."""
    return ModelStatus(
        id=offer.id,
        kind=offer.model.kind,
        provider=offer.provider.name,
        backend=offer.backend,
        state=state,
        model=offer.model,
        requested=offer.revision,
    )


def of_resident(resident: Resident, ttl_s: float, memory: Memory | None) -> ModelStatus:
    """The status of a model in the manager's care."""
    host = resident.host
    return ModelStatus(
        id=resident.offer.id,
        kind=resident.model.kind,
        provider=resident.offer.provider.name,
        backend=resident.key.backend,
        state=resident.state,
        model=resident.model,
        requested=resident.key.revision,
        device=resident.device or resident.key.device,
        compute_type=resident.compute_type,
        default=resident.default,
        pinned=resident.pinned,
        users=resident.users,
        waiting=resident.waiting,
        loaded_at=resident.loaded_at if host else None,
        used_at=resident.used_at,
        expires_in_s=resident.expires_in(ttl_s),
        memory=memory,
        progress=resident.progress,
        busy=resident.busy,
        error=str(resident.error) if resident.error else None,
        pid=host.pid if host else None,
    )


def not_ready(resident: Resident) -> errors.ModelNotReady:
    """What to tell a request whose model is not loaded in time: how far it is, when to return."""
    news, doing = resident.progress, resident.state.value
    if resident.state not in (ModelState.DOWNLOADING, ModelState.LOADING, ModelState.DRAINING):
        doing = "waiting to be loaded"
    far, after = "", 5.0
    if news is not None and news.bytes_total:
        share = 100 * news.bytes_done // news.bytes_total
        far = f": {share} % ({news.bytes_done} of {news.bytes_total} bytes)"
        left = news.bytes_total - news.bytes_done
        after = left / news.bytes_per_second if news.bytes_per_second else LONGEST_ADVICE_S
    return errors.ModelNotReady(
        f"The model {resident.offer.id!r} is still {doing}{far}.",
        model=resident.offer.id,
        hint="Try again in a while; it goes on meanwhile.",
        retry_after=min(LONGEST_ADVICE_S, max(5.0, after)),
    )


def given_up(resident: Resident, wait_s: float) -> errors.WorkerDied:
    """What to tell a request for a model whose worker keeps dying."""
    last = f" {resident.error.message}" if resident.error else ""
    return errors.WorkerDied(
        f"The model {resident.key.name!r} is not started again for {wait_s:.0f} s: its worker "
        f"died {DEATHS_BEFORE_GIVING_UP} times within a minute.{last}",
        model=resident.key.name,
        hint="See the server's log for what the engine printed.",
        retry_after=wait_s,
    )
