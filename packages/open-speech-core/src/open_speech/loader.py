"""From a model on offer to a host that has it loaded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from . import errors
from .backends import LoadContext
from .hosts import Host
from .messages import Load
from .models import ModelInfo
from .resident import ModelState, Progress, Resident
from .routing import Offer

MakeHost = Callable[[Offer, Load], Host]
"""From an offer and what to load to a host, not yet loaded."""
Options = Mapping[str, str | int | float | bool]
Become = Callable[[Resident, ModelState], None]
Tell = Callable[[Resident, Progress], None]
T = TypeVar("T")


class Weights(Protocol):
    """What loading needs of the store; called in threads."""

    def is_downloaded(self, model: ModelInfo, revision: str | None = None) -> bool:
        """Whether everything is on disk and verified; no network."""

    def ensure(
        self,
        model: ModelInfo,
        *,
        revision: str | None = None,
        progress: Callable[[Progress], None],
        cancelled: threading.Event,
    ) -> Mapping[str, Path]:
        """Download what is missing; returns a path for each source's key."""

    def hold(
        self, model: ModelInfo, revision: str | None = None
    ) -> AbstractContextManager[Mapping[str, Path]]:
        """Keep the files from being deleted, by other processes too."""


class Loader:
    """Fetches a model's files and opens a host for it. One event loop only."""

    def __init__(
        self,
        make_host: MakeHost,
        weights: Weights | None,
        become: Become,
        tell: Tell,
        options: Mapping[str, Options],
    ) -> None:
        self._make_host = make_host
        self._weights = weights
        self._become = become
        self._tell = tell
        self._options = options
        self._threads = ThreadPoolExecutor(32, "weights")

    async def fetch(self, resident: Resident) -> None:
        """Have the model's files on disk; raises what the store raises."""
        model = resident.offer.model
        if not model.sources:
            return
        if self._weights is None:
            raise errors.ModelLoadFailed(
                f"The model {model.id!r} needs files, and there is no store to fetch them.",
                model=model.id,
                hint="pip install 'open-speech-core[hub]'",
            )
        resident.stop_download = threading.Event()
        if not await self._run(self._weights.is_downloaded, model, resident.key.revision):
            self._become(resident, ModelState.DOWNLOADING)
        try:
            await self._download(resident, self._weights)
        finally:
            resident.stop_download.set()  # should this wait have been cancelled
            resident.progress = None

    async def _download(self, resident: Resident, weights: Weights) -> None:
        loop = asyncio.get_running_loop()

        def progress(news: Progress) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._tell, resident, news)

        await self._run(
            partial(
                weights.ensure,
                resident.offer.model,
                revision=resident.key.revision,
                progress=progress,
                cancelled=resident.stop_download,
            )
        )
        if resident.state is ModelState.DOWNLOADING:
            self._become(resident, ModelState.DOWNLOADED)

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        """Run in a thread of ours: downloads last, and must not keep others from theirs."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    async def open(
        self, resident: Resident, compute_type: str | None, timeout_s: float
    ) -> tuple[Host, ModelInfo]:
        """Load the fetched model into a new host; raises what ``Host.load`` raises.

        The weights are held for as long as the host lives.
        """
        offer = resident.offer
        async with AsyncExitStack() as stack:
            paths: Mapping[str, Path] = {}
            if offer.model.sources and self._weights:
                hold = self._weights.hold(offer.model, resident.key.revision)
                paths = await self._run(hold.__enter__)
                stack.callback(self._threads.submit, hold.__exit__, None, None, None)
            host = self._make_host(offer, self._load(resident, paths, compute_type))
            info = await host.load(timeout_s)
            let_go = stack.pop_all()
            host.ended.add_done_callback(lambda _: asyncio.ensure_future(let_go.aclose()))
        return host, info

    def _load(
        self, resident: Resident, paths: Mapping[str, Path], compute_type: str | None
    ) -> Load:
        offer = resident.offer
        return Load(
            provider=offer.provider.name,
            backend=offer.backend,
            model=offer.model,
            context=LoadContext(
                paths=paths,
                device=resident.key.device,
                compute_type=compute_type,
                options=self._options.get(offer.provider.name, {}),
            ),
        )
