"""What a manager says of its models, for people and programs to read."""

from __future__ import annotations

from dataclasses import dataclass

from .. import errors
from .._hosts import Memory
from .._plugins.resolution import ResolvedModel
from .._types.models import Kind, ModelInfo
from .instance import DEATHS_BEFORE_GIVING_UP, ModelInstance
from .states import ModelState
from .weights import DownloadProgress

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
    packages: tuple[str, ...] = ()
    """Installed packages that its files lie in, as ``name==version``."""
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
    progress: DownloadProgress | None = None
    """While it is being downloaded."""
    busy: bool = False
    """Being fetched, waiting for room, or being loaded."""
    error: str | None = None
    """Why the last attempt failed."""
    pid: int | None = None
    """Of its worker process."""


def status_of_model(resolved: ResolvedModel, state: ModelState) -> ModelStatus:
    """The status of a model that nobody has touched yet."""
    return ModelStatus(
        id=resolved.id,
        kind=resolved.model.kind,
        provider=resolved.provider.name,
        backend=resolved.backend,
        state=state,
        model=resolved.model,
        requested=resolved.revision,
    )


def status_of_instance(instance: ModelInstance, ttl_s: float, memory: Memory | None) -> ModelStatus:
    """The status of a model in the manager's care."""
    host = instance.host
    return ModelStatus(
        id=instance.resolved.id,
        kind=instance.model.kind,
        provider=instance.resolved.provider.name,
        backend=instance.key.backend,
        state=instance.state,
        model=instance.model,
        requested=instance.key.revision,
        device=instance.device or instance.key.device,
        compute_type=instance.compute_type,
        default=instance.default,
        pinned=instance.pinned,
        users=instance.users,
        waiting=instance.waiting,
        loaded_at=instance.loaded_at if host else None,
        used_at=instance.used_at,
        expires_in_s=instance.expires_in(ttl_s),
        memory=memory,
        progress=instance.progress,
        busy=instance.busy,
        error=str(instance.error) if instance.error else None,
        pid=host.pid if host else None,
    )


def not_ready(instance: ModelInstance) -> errors.ModelNotReady:
    """What to tell a request whose model is not loaded in time: how far it is, when to return."""
    news, doing = instance.progress, instance.state.value
    if instance.state not in (ModelState.DOWNLOADING, ModelState.LOADING, ModelState.DRAINING):
        doing = "waiting to be loaded"
    far, after = "", 5.0
    if news is not None and news.bytes_total:
        share = 100 * news.bytes_done // news.bytes_total
        far = f": {share} % ({news.bytes_done} of {news.bytes_total} bytes)"
        left = news.bytes_total - news.bytes_done
        after = left / news.bytes_per_second if news.bytes_per_second else LONGEST_ADVICE_S
    return errors.ModelNotReady(
        f"The model {instance.resolved.id!r} is still {doing}{far}.",
        model=instance.resolved.id,
        hint="Try again later; the work continues.",
        retry_after=min(LONGEST_ADVICE_S, max(5.0, after)),
    )


def given_up(instance: ModelInstance, wait_s: float) -> errors.WorkerDied:
    """What to tell a request for a model whose worker keeps dying."""
    last = f" {instance.error.message}" if instance.error else ""
    return errors.WorkerDied(
        f"The model {instance.key.name!r} will not be restarted for {wait_s:.0f} s: its worker "
        f"died {DEATHS_BEFORE_GIVING_UP} times within a minute.{last}",
        model=instance.key.name,
        hint="See the server's log for what the engine printed.",
        retry_after=wait_s,
    )
