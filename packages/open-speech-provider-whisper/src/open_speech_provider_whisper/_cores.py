"""How many threads decoding gets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def physical_cores() -> int:
    """Cores that this process may use: siblings count once, a container's share counts."""
    cores = _cores_of(_allowed())
    return max(1, min(cores, _share(_QUOTA)))


def split(cores: int) -> tuple[int, int]:
    """The number of decoders that work side by side, and the threads of each.

    Two already keep a short recording from waiting for the window of a long one. Each has all
    cores while there are few, so that a request that is alone is served as fast as it can be;
    above four cores a single decoder gains little from more.
    """
    workers = min(4, max(2, cores // 4)) if cores > 1 else 1
    return workers, max(min(cores, 4), cores // workers)


def _allowed() -> Iterable[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)


def _cores_of(processors: Iterable[int]) -> int:
    return len({_siblings(processor) for processor in processors})


def _siblings(processor: int) -> str:
    try:
        return (_TOPOLOGY / f"cpu{processor}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(processor)  # each for itself


def _share(file: Path) -> int:
    """The cores that a control group (version 2) leaves, rounded up."""
    try:
        quota, period = file.read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):  # no such file, or "max"
        return 1 << 20
