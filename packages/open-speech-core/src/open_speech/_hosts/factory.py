"""Where models live, as the configuration chooses it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from .._worker.protocol import Load
from .host import Host
from .inprocess import InProcessHost
from .replicas import Replicas
from .subprocess import SubprocessHost, WorkerOptions


class Home(ABC):
    """Makes a host for each model that is to be loaded."""

    imports_providers: ClassVar[bool] = False
    """Whether providers are imported into this process, to be described as well."""

    @abstractmethod
    def host(self, load: Load, worker: WorkerOptions, call_timeout_s: float) -> Host:
        """Make a host, not yet loaded; ``worker`` starts workers that have the provider."""


class Workers(Home):
    """A worker process for each model, or several that share its calls."""

    def __init__(self, replicas: Mapping[str, int] | None = None) -> None:
        """``replicas``: how many workers a model has, by its name; one where it is not in there."""
        self._replicas = replicas or {}

    def host(self, load: Load, worker: WorkerOptions, call_timeout_s: float) -> Host:
        """See ``Home``."""

        def one() -> Host:
            return SubprocessHost(load, call_timeout_s=call_timeout_s, options=worker)

        count = self._replicas.get(load.model.id, 1)
        return one() if count == 1 else Replicas(load, one, count)


class ThisProcess(Home):
    """This very process, for boards too small for workers. Nothing protects it from its engines."""

    imports_providers = True

    def host(self, load: Load, worker: WorkerOptions, call_timeout_s: float) -> Host:
        """See ``Home``."""
        return InProcessHost(load, call_timeout_s=call_timeout_s)
