"""Requests as they are meant: doubled slashes, ``HEAD``, and JSON without its header."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..api.errors import has_body

JSON = b"application/json"
SENT_TYPE = "content_type"
"""Where ``scope["state"]`` has the ``Content-Type`` as sent, if it was not the one of JSON."""

_SLASHES = re.compile(rb"/{2,}")


class NormalizeMiddleware:
    """Rewrites what can only have been meant one way, before anything compares or routes it.

    Nothing is redirected: a redirect loses the body of a POST in some clients, and behind a proxy
    it may name the wrong scheme. The key's layer comes after this one and sees the same path as
    the router. Encoded slashes (``%2F``) belong to names, so they stay. ``as_sent`` are paths that
    are routes with their slash.
    """

    def __init__(self, app: ASGIApp, *, as_sent: Collection[str] = ()) -> None:
        self.app = app
        self._as_sent = frozenset(path.encode() for path in as_sent)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope = self._plain_path(scope)
        if scope["type"] == "http":
            scope = _typed(scope)
            if scope["method"] == "HEAD":
                scope, send = {**scope, "method": "GET"}, _without_body(send)
        await self.app(scope, receive, send)

    def _plain_path(self, scope: Scope) -> Scope:
        raw = scope.get("raw_path")
        sent = raw if isinstance(raw, bytes) else scope["path"].encode("utf-8", "surrogatepass")
        if sent in self._as_sent:
            return scope
        meant = _SLASHES.sub(b"/", sent)
        meant = meant.rstrip(b"/") or b"/"
        if meant == sent:
            return scope
        return {**scope, "raw_path": meant, "path": unquote(meant.decode("latin-1"))}


def _typed(scope: Scope) -> Scope:
    """Read every body that is not a form as JSON; keep the type as sent for the error."""
    if not has_body(scope):
        return scope
    sent = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    kind = sent.partition(b";")[0].strip().lower()
    if kind == JSON or kind.endswith(b"+json") or kind.startswith(b"multipart/"):
        return scope
    others = [each for each in scope["headers"] if each[0] != b"content-type"]
    state = {**scope.get("state", {}), SENT_TYPE: kind.decode("latin-1")}
    return {**scope, "headers": [*others, (b"content-type", JSON)], "state": state}


def _without_body(send: Send) -> Send:
    """Send only the head of the response; an endless response ends there too."""
    ended = False

    async def head(message: Message) -> None:
        nonlocal ended
        if ended:
            return
        await send(message)
        if message["type"] == "http.response.start":
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return head
