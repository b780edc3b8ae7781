"""How patiently and how broadly to download."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DownloadPolicy:
    """Limits and pauses of a download; the defaults suit the public hub."""

    tries: int = 5
    """How often in a row a request may fail."""
    backoff_s: float = 0.5
    """The pause after the first failure; it doubles with each further one."""
    longest_pause_s: float = 60.0
    """A longer ``Retry-After`` than this ends the download, and is handed on in the error."""
    connect_s: float = 10.0
    """How long a connection may take."""
    stall_s: float = 60.0
    """How long to wait for ``stall_bytes`` more."""
    stall_bytes: int = 1024
    """Fewer than these within ``stall_s`` count as nothing: one byte a second is no download."""
    parallel: int = 4
    """How many files of a model are fetched at the same time."""
    free_space_factor: float = 1.1
    """How many times the missing bytes must be free on the disk."""
    keep_partial_s: float = 7 * 24 * 3600.0
    """How long a part of a download that nobody resumed is kept."""

    def pause_s(self, failures: int) -> float:
        """The pause after so many failures in a row, half to one and a half of the doubled one."""
        whole = min(self.longest_pause_s, self.backoff_s * 2.0 ** (failures - 1))
        return whole * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, no secret
