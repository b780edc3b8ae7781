"""Where a loaded model lives: in a worker process of its own, or in this process."""

from ._host import GLANCE_S, Host, HostFailure, Memory
from ._inprocess import InProcessHost
from ._subprocess import SubprocessHost, WorkerOptions, end_group, spawn

__all__ = [
    "GLANCE_S",
    "Host",
    "HostFailure",
    "InProcessHost",
    "Memory",
    "SubprocessHost",
    "WorkerOptions",
    "end_group",
    "spawn",
]
