"""The live sessions that are open: how many there may be, and how they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...middleware.rate_limit import client_key

RETRY_S = 5
"""What a client that is refused is advised to wait."""


class TooManySessions(Exception):
    """There are as many live sessions as there may be."""

    def __init__(self, limit: int, whose: str) -> None:
        super().__init__(
            f"There are {limit} live sessions{whose} already. Try again in {RETRY_S} s."
        )


class LiveSessions:
    """Counts sessions, in all and by client address. One event loop only."""

    def __init__(self, most: int, most_per_client: int = 0) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._clients: Counter[bytes] = Counter()
        self._stops: set[Callable[[], None]] = set()

    def __len__(self) -> int:
        return len(self._stops)

    @contextmanager
    def open(self, address: str | None, stop: Callable[[], None]) -> Iterator[None]:
        """Count a session while it lasts; ``stop`` is called when the server comes to its end.

        Raises TooManySessions.
        """
        client = client_key(address)
        if len(self._stops) >= self._most:
            raise TooManySessions(self._most, "")
        if self._most_per_client and self._clients[client] >= self._most_per_client:
            raise TooManySessions(self._most_per_client, " from your address")
        self._clients[client] += 1
        self._stops.add(stop)
        try:
            yield
        finally:
            self._stops.discard(stop)
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    def stop_all(self) -> None:
        """Have every session come to its end."""
        for stop in list(self._stops):
            stop()
