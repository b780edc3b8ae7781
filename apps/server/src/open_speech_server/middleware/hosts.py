"""Which host names requests may use: what a page on a rebound DNS name cannot pretend."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ..api.errors import error_response, refuse

PRIVATE_SUFFIXES = (".localhost", ".local", ".internal")
"""Ends of names that no public DNS server answers for, such as ``host.docker.internal``."""


class HostMiddleware:
    """Refuses requests whose ``Host`` is not one of ``names``; without names, not this machine's.

    Paths in ``exempt`` are for probes, which call a server by whatever address it has.

    A browser lets a page of ``evil.example`` talk to 127.0.0.1 once that name resolves to it. The
    ``Host`` header still says ``evil.example``.
    """

    def __init__(
        self, app: ASGIApp, *, names: Collection[str] = (), exempt: Collection[str] = ()
    ) -> None:
        self.app = app
        self._exempt = frozenset(exempt)
        self._names = frozenset(name.lower() for name in names)
        self._own = frozenset({"localhost", socket.gethostname().lower()})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        is_request = scope["type"] in {"http", "websocket"}
        if not is_request or scope["path"] in self._exempt or self._allows(host_of(scope)):
            await self.app(scope, receive, send)
            return
        message = (
            "This server does not answer to that host name. OS_ALLOWED_HOSTS lists the names that "
            "it answers to."
        )
        await refuse(scope, receive, send, error_response(403, message, code="host_not_allowed"))

    def _allows(self, host: str) -> bool:
        if self._names:
            return host in self._names
        if not host or host in self._own or host.endswith(PRIVATE_SUFFIXES):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def host_of(scope: Scope) -> str:
    """The name or address in a request's ``Host``, in lower case, without port and brackets."""
    host = Headers(scope=scope).get("host", "").strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")
