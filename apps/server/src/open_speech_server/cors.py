"""Which web pages may call the server from a browser."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from .errors import error_response, refuse

EXPOSED_HEADERS = ("Retry-After", "WWW-Authenticate", "X-Request-Id")
"""Headers of answers that a page's script may read."""


def cors_layer(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Answer preflights and mark answers for ``origins`` (``*`` is all).

    Never with credentials: the key is a header that a page must know, so no cookie and no
    remembered password of the browser opens anything. All request headers are allowed, since
    clients send families of their own. Pages of the internet reach a server in a private network
    only where their origin is named.
    """
    return CORSMiddleware(
        app,
        allow_origins=tuple(origins),
        allow_methods=("*",),
        allow_headers=("*",),
        allow_credentials=False,
        allow_private_network="*" not in origins,
        expose_headers=EXPOSED_HEADERS,
    )


class OriginMiddleware:
    """Refuses WebSockets opened by pages of foreign origins, which CORS does not cover."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self.app = app
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket" or websocket_origin_allowed(scope, self.origins):
            await self.app(scope, receive, send)
            return
        message = "This page may not open a WebSocket here; OS_CORS_ORIGINS lists those that may."
        await refuse(scope, receive, send, error_response(403, message, code="origin_not_allowed"))


def websocket_origin_allowed(scope: Scope, origins: Collection[str]) -> bool:
    """Whether a handshake comes from an allowed page, from the same host, or from no page."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None or "*" in origins or origin in origins:
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool(host) and host == headers.get("host")
