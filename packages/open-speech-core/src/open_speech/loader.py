"""From a model whose files are here to a host that has it loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from .backends import LoadContext
from .downloads import Downloads
from .hosts import Host
from .messages import Load
from .models import ModelInfo
from .resident import Resident
from .routing import Offer

MakeHost = Callable[[Offer, Load], Host]
"""From an offer and what to load to a host, not yet loaded."""
Options = Mapping[str, str | int | float | bool]


class Loader:
    """Opens hosts for models. One event loop only."""

    def __init__(
        self, make_host: MakeHost, downloads: Downloads, options: Mapping[str, Options]
    ) -> None:
        self._make_host = make_host
        self._downloads = downloads
        self._options = options

    async def open(
        self, resident: Resident, compute_type: str | None, timeout_s: float
    ) -> tuple[Host, ModelInfo]:
        """Load the fetched model into a new host; raises what ``Host.load`` raises.

        The weights are held for as long as the host lives.
        """
        offer, weights = resident.offer, self._downloads.weights
        async with AsyncExitStack() as stack:
            paths: Mapping[str, Path] = {}
            if offer.model.sources and weights:
                hold = weights.hold(offer.model, resident.key.revision)
                paths = await self._downloads.run(hold.__enter__)
                stack.callback(self._downloads.later, hold.__exit__, None, None, None)
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
