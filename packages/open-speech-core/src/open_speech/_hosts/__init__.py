"""Hosts: a loaded model in a worker process, in several, or in this process."""

from .calling import HostFailure
from .factory import Home, ThisProcess, Workers
from .host import STATUS_TIMEOUT_S, Host, Memory, MessageHost
from .inprocess import InProcessHost
from .replicas import Replicas
from .subprocess import SubprocessHost, WorkerOptions, end_group, spawn

__all__ = [
    "STATUS_TIMEOUT_S",
    "Home",
    "Host",
    "HostFailure",
    "InProcessHost",
    "Memory",
    "MessageHost",
    "Replicas",
    "SubprocessHost",
    "ThisProcess",
    "WorkerOptions",
    "Workers",
    "end_group",
    "spawn",
]
