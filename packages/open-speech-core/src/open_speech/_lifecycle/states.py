"""The states of a model, and every way from one to another.

::

    available ──> downloading ──> downloaded ──> loading ──> loaded ──> draining ──> downloaded
                                      ^             │           │           │
                                      └── failed <──┴───────────┴───────────┘

Beside the way that the picture shows:

- What is embedded in its provider, or on disk already, is never downloading.
- A download that is cancelled leads back to available, as does deleting the files.
- A model that is still in use when its time to drain is over is loaded again.
- A load that is cancelled, or finds no room, leads back to downloaded.
- The next request after a failure tries again from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ModelState(StrEnum):
    """Where a model is in its life; the words of the HTTP API."""

    AVAILABLE = "available"
    """Known, not on disk."""
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    """On disk (or embedded in its provider), not in memory."""
    LOADING = "loading"
    LOADED = "loaded"
    DRAINING = "draining"
    """Finishing its requests before it is unloaded."""
    FAILED = "failed"
    """The last attempt failed; the next request tries again."""
    PROVIDER_MISSING = "provider_missing"
    """Configured, but no installed provider serves it. No instance is ever in this state."""


S = ModelState
_NEXT: Mapping[ModelState, frozenset[ModelState]] = {
    S.AVAILABLE: frozenset({S.DOWNLOADING, S.DOWNLOADED, S.LOADING, S.FAILED}),
    S.DOWNLOADING: frozenset({S.AVAILABLE, S.DOWNLOADED, S.LOADING, S.FAILED}),
    S.DOWNLOADED: frozenset({S.AVAILABLE, S.DOWNLOADING, S.LOADING, S.FAILED}),
    S.LOADING: frozenset({S.AVAILABLE, S.DOWNLOADED, S.LOADED, S.FAILED}),
    S.LOADED: frozenset({S.DRAINING, S.FAILED}),
    S.DRAINING: frozenset({S.DOWNLOADED, S.LOADED, S.FAILED}),
    S.FAILED: frozenset({S.AVAILABLE, S.DOWNLOADING, S.DOWNLOADED, S.LOADING}),
    S.PROVIDER_MISSING: frozenset(),
}

AT_REST = frozenset({S.AVAILABLE, S.DOWNLOADED, S.FAILED})
"""Neither in memory nor on the way."""
OCCUPYING = frozenset({S.LOADING, S.LOADED, S.DRAINING})
"""States that count towards ``Policy.max_loaded``."""


def check_transition(before: ModelState, after: ModelState) -> None:
    """Raise ValueError unless a model may go from one state to the other, or stays as it is."""
    if after is not before and after not in _NEXT[before]:
        raise ValueError(f"a model cannot go from {before.value} to {after.value}")
