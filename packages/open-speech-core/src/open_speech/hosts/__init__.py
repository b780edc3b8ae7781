"""Where a loaded model lives: in a worker process of its own, or in this process."""

from ._host import Host, HostFailure, Memory
from ._inprocess import InProcessHost
from ._subprocess import SubprocessHost, WorkerOptions, end_group, spawn

__all__ = [
    "Host",
    "HostFailure",
    "InProcessHost",
    "Memory",
    "SubprocessHost",
    "WorkerOptions",
    "end_group",
    "spawn",
]
