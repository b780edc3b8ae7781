"""The path's first part may name another server, whose API and errors are meant then."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMPAT = "compat"
"""Where ``scope["state"]`` has the name of the server that is meant, if it is another."""
PREFIXED = "compat_prefixed"
"""Where it says whether its name was in the path."""
NATIVE = "open-speech"
"""The first part of paths that mean this server, wherever another one stands at the root."""

Reshape = Callable[[str, int, Mapping[str, Any]], tuple[int, object]]
"""From a server's name, a status and our error object to its own status and JSON."""
_MAX_ERROR = 64 * 1024
"""Bytes of the largest body that may be an error of ours."""


class CompatMiddleware:
    """Takes the name off the path, so that what lies inside sees the paths of that server.

    Everything inside, the key's layer too, decides by the shortened path. Errors leave in the
    shape that the clients of that server read, whichever layer they come from.
    """

    def __init__(
        self, app: ASGIApp, *, names: Collection[str], root: str | None, reshape: Reshape
    ) -> None:
        """``root`` is the server whose paths have no name before them; None is this one."""
        self.app = app
        self._prefixes = {name: f"/{name}/".encode() for name in (*names, NATIVE)}
        self._root = root
        self._reshape = reshape

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        name, prefixed = self._root, False
        raw = scope.get("raw_path")
        sent = raw if isinstance(raw, bytes) else scope["path"].encode("utf-8", "surrogatepass")
        for each, prefix in self._prefixes.items():
            if sent.startswith(prefix) and scope["path"].startswith(prefix.decode()):
                cut = len(prefix) - 1
                scope = {**scope, "raw_path": sent[cut:], "path": scope["path"][cut:]}
                name, prefixed = each, True
        if name is None or name == NATIVE:
            await self.app(scope, receive, send)
            return
        state = {**scope.get("state", {}), COMPAT: name, PREFIXED: prefixed}
        scope = {**scope, "state": state}
        if scope["type"] == "http":
            send = self._reshaping(name, send)
        await self.app(scope, receive, send)

    def _reshaping(self, name: str, send: Send) -> Send:
        held: list[Message] = []
        """The head of an error, and what came of its body."""

        async def reshaped(message: Message) -> None:
            if message["type"] == "http.response.start" and _may_be_error(message):
                held.append(message)
                return
            if not held:
                await send(message)
                return
            held.append(message)
            body = b"".join(each.get("body", b"") for each in held[1:])
            if message.get("more_body") and len(body) <= _MAX_ERROR:
                return
            for each in self._written(name, held, body):
                await send(each)
            held.clear()

        return reshaped

    def _written(self, name: str, held: list[Message], body: bytes) -> list[Message]:
        try:
            error = json.loads(body)["error"]
            status, content = self._reshape(name, held[0]["status"], error)
        except (ValueError, LookupError, TypeError):
            return held
        written = json.dumps(content, ensure_ascii=False).encode()
        others = [each for each in held[0]["headers"] if each[0] != b"content-length"]
        headers = [*others, (b"content-length", str(len(written)).encode())]
        return [
            {**held[0], "status": status, "headers": headers},
            {"type": "http.response.body", "body": written, "more_body": False},
        ]


def _may_be_error(message: Message) -> bool:
    kinds = [value for name, value in message["headers"] if name == b"content-type"]
    return message["status"] >= 400 and kinds == [b"application/json"]
