"""From a model whose files are here to a host that has it loaded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from .backends import LoadContext
from .downloads import Downloads
from .errors import InvalidRequest
from .hosts import Host
from .messages import Load
from .models import ModelInfo
from .resident import Resident
from .routing import Offer

MakeHost = Callable[[Offer, Load], Host]
"""From an offer and what to load to a host, not yet loaded."""
Options = Mapping[str, str | int | float | bool]

_log = logging.getLogger(__name__)
OWN_KEY = "model"
"""The key of ``LoadContext.paths`` under which a local model is handed over."""
CPU = "cpu"
"""The device that every machine has."""


class Loader:
    """Opens hosts for models. One event loop only."""

    def __init__(
        self,
        make_host: MakeHost,
        downloads: Downloads,
        options: Mapping[str, Options],
        threads: int = 0,
    ) -> None:
        self._make_host = make_host
        self._downloads = downloads
        self._options = options
        self._threads = threads

    async def open_or_fall_back(
        self,
        resident: Resident,
        compute_type: str | None,
        timeout_s: float,
        device: str | None = None,
    ) -> tuple[Host, ModelInfo]:
        """As ``open``, but on what there is where the device or number format asked for is not.

        A provider says so with InvalidRequest and ``param``; one line tells the operator.
        """
        try:
            return await self.open(resident, compute_type, timeout_s, device)
        except InvalidRequest as error:
            wanted = device or resident.key.device
            if error.param == "compute_type" and compute_type:
                compute_type = None
            elif error.param == "device" and wanted != CPU and CPU in resident.offer.model.devices:
                device = CPU
            else:
                raise
            _log.warning("%s The engine's own choice is used instead.", error.message)
        return await self.open_or_fall_back(resident, compute_type, timeout_s, device)

    async def open(
        self,
        resident: Resident,
        compute_type: str | None,
        timeout_s: float,
        device: str | None = None,
    ) -> tuple[Host, ModelInfo]:
        """Load the fetched model into a new host; raises what ``Host.load`` raises.

        The weights are held for as long as the host lives.
        """
        offer, weights = resident.offer, self._downloads.weights
        with ExitStack() as stack:
            paths: Mapping[str, Path] = {}
            if offer.path is not None:
                paths = {OWN_KEY: offer.path}
            elif offer.model.sources and weights:
                hold = weights.hold(offer.model, resident.key.revision)
                paths = await self._downloads.run(hold.__enter__)
                stack.callback(self._downloads.release, hold)
            host = self._make_host(offer, self._load(resident, paths, device, compute_type))
            info = await host.load(timeout_s)
            let_go = stack.pop_all()
            host.ended.add_done_callback(lambda _: let_go.close())
        return host, info

    def _load(
        self,
        resident: Resident,
        paths: Mapping[str, Path],
        device: str | None,
        compute_type: str | None,
    ) -> Load:
        offer = resident.offer
        return Load(
            provider=offer.provider.name,
            backend=offer.backend,
            model=offer.model,
            context=LoadContext(
                paths=paths,
                device=device or resident.key.device,
                compute_type=compute_type,
                threads=self._threads,
                options=self._options_of(offer.provider.name),
            ),
        )

    def _options_of(self, provider: str) -> Options:
        # Where settings come from, names may have no hyphens.
        return self._options.get(provider) or self._options.get(provider.replace("-", "_"), {})
