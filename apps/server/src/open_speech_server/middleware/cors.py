"""Which web pages may call the server from a browser."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from ..api.errors import error_response, refuse

EXPOSED_HEADERS = ("Retry-After", "WWW-Authenticate", "X-Ignored-Options", "X-Request-Id")
"""Headers of answers that a page's script may read."""


def cors_layer(app: ASGIApp, origins: Collection[str], *, has_key: bool = False) -> ASGIApp:
    """Answer preflights and mark answers for ``origins`` (``*`` is all).

    Never with credentials: the key is a header that a page must know, so no cookie and no
    remembered password of the browser opens anything. All request headers are allowed, since
    clients send families of their own. Pages of the internet reach a server in a private network
    only where their origin is named, or where a key guards it.
    """
    return CORSMiddleware(
        app,
        allow_origins=tuple(origins),
        allow_methods=("*",),
        allow_headers=("*",),
        allow_credentials=False,
        allow_private_network=has_key or "*" not in origins,
        expose_headers=EXPOSED_HEADERS,
    )


INFERENCE_PATHS = frozenset(
    {
        "/v1/audio/speech",
        "/v1/audio/speech/clone",
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
        "/dev/captioned_speech",
    }
)
"""What a page may POST to although it changes something: nothing is left behind."""


class OriginMiddleware:
    """Refuses what CORS does not cover: WebSockets and changes by pages of foreign origins.

    A page may send a form or plain text to any server without asking; that it cannot read the
    answer does not undo what the request did. ``has_key`` says that a key guards the server.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str], has_key: bool = False) -> None:
        self.app = app
        self.origins = frozenset(origins)
        self.has_key = has_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            allowed = websocket_origin_allowed(scope, self.origins)
            doing = "open a WebSocket here"
        else:
            allowed = not self._changes(scope) or self._may_change(scope)
            doing = "change anything here"
        if allowed:
            await self.app(scope, receive, send)
            return
        message = f"This page may not {doing}; OS_CORS_ORIGINS lists the origins that may."
        await refuse(scope, receive, send, error_response(403, message, code="origin_not_allowed"))

    @staticmethod
    def _changes(scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            return False
        return scope["path"].rstrip("/") not in INFERENCE_PATHS

    def _may_change(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site in {"same-origin", "none"} or origin in self.origins:
            return True
        if origin is None and site is None:
            return True  # not a browser
        if "*" in self.origins and self.has_key:
            return True  # the page knows the key
        return origin is not None and is_same_host(origin, headers.get("host"))


def websocket_origin_allowed(scope: Scope, origins: Collection[str]) -> bool:
    """Whether a handshake comes from an allowed page, from the same host, or from no page."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None or "*" in origins or origin in origins:
        return True
    return is_same_host(origin, headers.get("host"))


def is_same_host(origin: str, host: str | None) -> bool:
    """Whether an ``Origin`` and a ``Host`` name the same host and port."""
    try:
        named = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool(named) and named == host
