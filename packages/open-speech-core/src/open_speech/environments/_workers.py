"""Environments as the registry wants them: interpreters that run workers."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

from .._hosts import WorkerOptions
from .._plugins.discovery import installed_providers
from .._plugins.registry import ProviderEnvironment
from ._interpreter import clean_environ
from ._store import EnvironmentStore

_log = logging.getLogger(__name__)


def worker_environments(
    store: EnvironmentStore, options: WorkerOptions
) -> list[ProviderEnvironment]:
    """Every usable environment of a store, for ``Config.environments``.

    ``options`` are those of ordinary workers. An environment that cannot be used is logged and
    left out.
    """
    inherited = os.environ if options.environment is None else options.environment
    found = []
    for environment in store.list():
        if environment.problem is not None or environment.root is None:
            _log.warning("%s", environment.problem)
            continue
        worker = replace(options, python=environment.python, environment=clean_environ(inherited))
        found.append(
            ProviderEnvironment(
                name=environment.name,
                options=worker,
                fingerprint=environment.root.name,
                providers=tuple(installed_providers(_packages(environment.root))),
            )
        )
    return found


def _packages(root: Path) -> list[str]:
    """The folders of packages of an environment's own layer."""
    return [str(folder) for folder in sorted(root.glob("lib/python*/site-packages"))]
