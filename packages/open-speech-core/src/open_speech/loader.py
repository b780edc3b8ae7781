"""From a model on offer to a host that has it loaded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from . import errors
from .backends import LoadContext
from .hosts import Host
from .messages import Load
from .models import ModelInfo
from .resident import ModelState, Resident
from .routing import Offer

MakeHost = Callable[[Offer, Load], Host]
"""From an offer and what to load to a host, not yet loaded."""
Options = Mapping[str, str | int | float | bool]
Become = Callable[[Resident, ModelState], None]


class Weights(Protocol):
    """What loading needs of the store; called in threads."""

    def is_downloaded(self, model: ModelInfo, revision: str | None = None) -> bool:
        """Whether everything is on disk and verified; no network."""

    def ensure(
        self, model: ModelInfo, *, revision: str | None = None, cancelled: threading.Event
    ) -> Mapping[str, Path]:
        """Download what is missing; returns a path for each source's key."""

    def hold(
        self, model: ModelInfo, revision: str | None = None
    ) -> AbstractContextManager[object]:
        """Keep the files from being deleted, by other processes too."""


class Loader:
    """Fetches a model's files and opens a host for it. One event loop only."""

    def __init__(
        self,
        make_host: MakeHost,
        weights: Weights | None,
        become: Become,
        options: Mapping[str, Options],
    ) -> None:
        self._make_host = make_host
        self._weights = weights
        self._become = become
        self._options = options

    async def fetch(self, resident: Resident) -> Mapping[str, Path]:
        """Have the model's files on disk; raises what the store raises."""
        model = resident.offer.model
        if not model.sources:
            return {}
        if self._weights is None:
            raise errors.ModelLoadFailed(
                f"The model {model.id!r} needs files, and there is no store to fetch them.",
                model=model.id,
                hint="pip install 'open-speech-core[hub]'",
            )
        cancelled = threading.Event()
        self._become(resident, ModelState.DOWNLOADING)
        try:
            paths = await asyncio.to_thread(
                self._weights.ensure, model, revision=resident.key.revision, cancelled=cancelled
            )
        finally:
            cancelled.set()
        self._become(resident, ModelState.DOWNLOADED)
        return paths

    async def open(
        self,
        resident: Resident,
        paths: Mapping[str, Path],
        compute_type: str | None,
        timeout_s: float,
    ) -> tuple[Host, ModelInfo]:
        """Load the model into a new host; raises what ``Host.load`` raises."""
        offer = resident.offer
        context = LoadContext(
            paths=paths,
            device=resident.key.device,
            compute_type=compute_type,
            options=self._options.get(offer.provider.name, {}),
        )
        load = Load(
            provider=offer.provider.name, backend=offer.backend, model=offer.model, context=context
        )
        host = self._make_host(offer, load)
        return host, await host.load(timeout_s)
