"""What a manager says of its models, for people and programs to read."""

from __future__ import annotations

from dataclasses import dataclass

from .hosts import Memory
from .models import Kind, ModelInfo
from .resident import ModelState, Progress, Resident
from .routing import Offer


@dataclass(frozen=True, kw_only=True)
class ModelStatus:
    """One model: what it is, where it is on its way, and what it holds."""

    id: str
    kind: Kind
    provider: str
    backend: str
    state: ModelState
    model: ModelInfo
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
        device=resident.key.device,
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
        error=str(resident.error) if resident.error else None,
        pid=host.pid if host else None,
    )
