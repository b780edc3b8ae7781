"""A server with the two embedded models, for documents that talk to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from live import live_server


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Start the command; yield its address once it is ready; stop it at the end."""
    with live_server(folder) as server:
        yield server.address
