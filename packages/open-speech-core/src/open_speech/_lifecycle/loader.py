"""From a model whose files are here to a host that has it loaded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from .._hosts import Host
from .._plugins.backends import LoadContext
from .._plugins.resolution import ResolvedModel
from .._types.models import ModelInfo
from .._worker.protocol import Load
from ..errors import InvalidRequest, ModelLoadFailed
from .downloads import Downloads
from .instance import ModelInstance

MakeHost = Callable[[ResolvedModel, Load], Host]
"""Makes the host for a resolved model; the model is not loaded yet."""
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
        instance: ModelInstance,
        compute_type: str | None,
        timeout_s: float,
        device: str | None = None,
    ) -> tuple[Host, ModelInfo]:
        """As ``open``, but on what there is where the device or number format asked for is not.

        A provider says so with InvalidRequest and ``param``; one line tells the operator.
        """
        try:
            return await self.open(instance, compute_type, timeout_s, device)
        except InvalidRequest as error:
            wanted = device or instance.key.device
            if error.param == "compute_type" and compute_type:
                compute_type = None
            elif (
                error.param == "device" and wanted != CPU and CPU in instance.resolved.model.devices
            ):
                device = CPU
            else:
                raise
            _log.warning("%s The engine's own choice is used instead.", error.message)
        return await self.open_or_fall_back(instance, compute_type, timeout_s, device)

    async def open(
        self,
        instance: ModelInstance,
        compute_type: str | None,
        timeout_s: float,
        device: str | None = None,
    ) -> tuple[Host, ModelInfo]:
        """Load the fetched model into a new host; raises what ``Host.load`` raises.

        The weights are held for as long as the host lives.
        """
        resolved, weights = instance.resolved, self._downloads.weights
        with ExitStack() as stack:
            host = self._make_host(resolved, self._load(instance, device, compute_type))
            paths: Mapping[str, Path] = {}
            if resolved.path is not None:
                paths = {OWN_KEY: resolved.path}
            elif resolved.model.sources and weights:
                hold = host.hold(weights, resolved.model, instance.key.revision)
                paths = await self._downloads.run(hold.__enter__)
                stack.callback(self._downloads.release, hold)
            try:
                info = await host.load(timeout_s, paths)
            except ModelLoadFailed as error:
                await self._say_whose(error, instance, paths)
                raise
            let_go = stack.pop_all()
            host.ended.add_done_callback(lambda _: let_go.close())
        return host, info

    async def _say_whose(
        self, error: ModelLoadFailed, instance: ModelInstance, paths: Mapping[str, Path]
    ) -> None:
        """Say where files lie that a user would be told to delete, and cannot delete here."""
        weights, model = self._downloads.weights, instance.resolved.model
        if not weights or not model.sources:
            return
        stored = await self._downloads.run(weights.find, model, instance.key.revision)
        if stored and stored.in_user_cache:
            places = " and ".join(sorted({str(path) for path in paths.values()}))
            error.hint = (
                f"Its files are those of your own hub cache, at {places}. If they are damaged, "
                "delete them there; the next load downloads them anew."
            )

    def _load(
        self,
        instance: ModelInstance,
        device: str | None,
        compute_type: str | None,
    ) -> Load:
        resolved = instance.resolved
        return Load(
            provider=resolved.provider.name,
            backend=resolved.backend,
            model=resolved.model,
            context=LoadContext(
                device=device or instance.key.device,
                compute_type=compute_type,
                threads=self._threads,
                options=self._options_of(resolved.provider.name),
            ),
        )

    def _options_of(self, provider: str) -> Options:
        # Where settings come from, names may have no hyphens.
        return self._options.get(provider) or self._options.get(provider.replace("-", "_"), {})
