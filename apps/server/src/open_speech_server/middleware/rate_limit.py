"""How often one client may ask."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from ..api.errors import error_response, refuse
from .auth import PUBLIC_PATHS

MAX_CLIENTS = 65_536
"""Clients remembered at once, about 15 MB; the one not seen for longest is forgotten first."""


class RateLimiter:
    """The generic cell rate algorithm: one number per client, the time when it is paid up.

    Not thread-safe; belongs to one event loop. The clock is monotonic, in seconds.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        burst: int = 0,
        max_clients: int = MAX_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """At most ``per_minute`` on average and ``burst`` at once (0: a whole minute's worth)."""
        self._interval = 60.0 / per_minute
        self._tolerance = self._interval * ((burst or per_minute) - 1)
        self._max_clients = max_clients
        self._clock = clock
        self._paid_until: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._paid_until)

    def take(self, client: bytes) -> float:
        """Count one request: 0.0 if it may pass, or the seconds to wait before the next try."""
        now = self._clock()
        due = max(self._paid_until.get(client, now), now)
        wait = due - now - self._tolerance
        if wait > 1e-9:
            self._paid_until.move_to_end(client)
            return wait
        self._paid_until[client] = due + self._interval
        self._paid_until.move_to_end(client)
        if len(self._paid_until) > self._max_clients:
            self._paid_until.popitem(last=False)
        return 0.0


def client_key(host: str | None) -> bytes:
    """What counts as one client: an IPv4 address, an IPv6 network of 64 bits, else the name."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return (host or "")[:64].encode("utf-8", "replace")
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return address.packed[:8]
        address = address.ipv4_mapped
    return address.packed


class RateLimitMiddleware:
    """Answers 429 to clients that ask too often; health checks and pages are not counted."""

    def __init__(
        self, app: ASGIApp, *, limiter: RateLimiter, exempt: Collection[str] = PUBLIC_PATHS
    ) -> None:
        self.app = app
        self.limiter = limiter
        self.exempt = frozenset(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in self.exempt:
            await self.app(scope, receive, send)
            return
        client = scope.get("client")
        wait = self.limiter.take(client_key(client[0] if client else None))
        if not wait:
            await self.app(scope, receive, send)
            return
        seconds = math.ceil(wait)
        response = error_response(
            429,
            f"Too many requests from your address. Try again in {seconds} s.",
            code="rate_limit_exceeded",
            headers={"Retry-After": str(seconds)},
        )
        await refuse(scope, receive, send, response)
