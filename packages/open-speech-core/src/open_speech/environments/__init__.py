"""Virtual environments for providers whose dependencies clash with those of others.

An environment is a layer: a virtual environment that sees every package of the base one and holds
only what clashes, in front of it. See ``docs/explanation/isolation.md``.
"""

from ._failures import InstallCancelled, InstallClash, InstallFailed
from ._interpreter import clean_environ
from ._records import Change, Clash, Distribution, Environment
from ._store import EnvironmentStore
from ._workers import worker_environments

__all__ = [
    "Change",
    "Clash",
    "Distribution",
    "Environment",
    "EnvironmentStore",
    "InstallCancelled",
    "InstallClash",
    "InstallFailed",
    "clean_environ",
    "worker_environments",
]
