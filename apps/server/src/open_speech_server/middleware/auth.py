"""The key. Nothing passes without it but a short list of exact paths."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from ..api.errors import error_response, refuse
from .compat import COMPAT

_log = logging.getLogger(__name__)

PUBLIC_PATHS = frozenset({"/health", "/health/live", "/health/ready"})
"""Open to everyone; monitors have no key."""
METADATA_PATHS = frozenset({"/v1/models", "/v1/audio/models", "/v1/audio/voices"})
"""Opened by OS_PUBLIC_METADATA, for clients that list models and voices without their key."""
SUBPROTOCOL = "openai-insecure-api-key."
"""How a browser, which cannot set headers on a WebSocket, sends the key."""

KEY_HEADERS = frozenset({b"x-api-key", b"api-key", b"xi-api-key"})
"""Headers that carry the key bare."""

_PLAIN_PATH = re.compile(rb"(?:/[A-Za-z0-9_~-]+(?:\.[A-Za-z0-9_~-]+)*)+/?")


class AuthMiddleware:
    """Asks every HTTP request and WebSocket for the key; without a key set there is no such layer.

    The key comes as ``Authorization: Bearer``, as ``X-API-Key`` (or ``api-key`` as with Azure, or
    ``xi-api-key`` as with ElevenLabs), or, for a WebSocket only, as the query parameter ``api_key``
    or the subprotocol ``openai-insecure-api-key.<key>``; the first of these that is there counts.
    Preflights are answered by the CORS layer outside.

    Paths are compared as sent, byte for byte, so that no two ways to write one path can differ
    here and in the router.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        key: str,
        public_paths: Collection[str] = PUBLIC_PATHS,
        public_prefixes: Collection[str] = (),
        public_metadata: bool = False,
        compat_public: Mapping[str, Collection[str]] | None = None,
        opens: Callable[[str, str], bool] = lambda _path, _token: False,
    ) -> None:
        """``public_prefixes`` end in a slash and open the plain paths below them.

        ``compat_public`` are paths that other servers leave open, by the servers' names.
        ``opens`` says of a WebSocket's path and another token whether that opens it.
        """
        self.app = app
        self._digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        opened = {*public_paths, *(METADATA_PATHS if public_metadata else ())}
        self._paths = frozenset(path.encode() for path in opened)
        self._compat = {
            name: frozenset(path.encode() for path in paths)
            for name, paths in (compat_public or {}).items()
        }
        self._prefixes = tuple(prefix.encode() for prefix in public_prefixes)
        self._metadata = frozenset(path.encode() for path in METADATA_PATHS)
        self._opens = opens
        self._hinted = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"} or self._is_public(scope):
            await self.app(scope, receive, send)
            return
        token = token_of(scope)
        # Digests have one length, and comparing them takes one time, whatever was sent.
        given = hashlib.sha256(token or b"").digest()
        if token and hmac.compare_digest(given, self._digest):
            await self.app(_without_key(scope), receive, send)
            return
        is_websocket = scope["type"] == "websocket"
        if is_websocket and token and self._opens(scope["path"], token.decode("latin-1")):
            await self.app(_without_key(scope), receive, send)
            return
        self._hint(scope)
        message = (
            "The API key is not right."
            if token
            else "An API key is needed: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
        )
        headers = {"WWW-Authenticate": "Bearer"}
        response = error_response(401, message, code="invalid_api_key", headers=headers)
        await refuse(scope, receive, send, response)

    def _is_public(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            return False
        path = _raw_path(scope)
        if path in self._paths:
            return True
        server = scope.get("state", {}).get(COMPAT)
        if server is not None and path in self._compat.get(server, ()):
            return True
        return path.startswith(self._prefixes) and _PLAIN_PATH.fullmatch(path) is not None

    def _hint(self, scope: Scope) -> None:
        """Say once how lists are opened, when a client without a key asks for one."""
        if not self._hinted and scope["type"] == "http" and _raw_path(scope) in self._metadata:
            self._hinted = True
            _log.warning(
                "A client requested a list of models or voices without the "
                "API key. If it cannot send "
                "one there, OS_PUBLIC_METADATA=true opens these lists."
            )


def _raw_path(scope: Scope) -> bytes:
    raw = scope.get("raw_path")
    return raw if isinstance(raw, bytes) else scope["path"].encode("utf-8", "surrogatepass")


def token_of(scope: Scope) -> bytes:
    """The key as sent, in bytes; empty if there is none."""
    if kept := scope.get("state", {}).get("token"):
        return bytes(kept)
    headers = scope["headers"]
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            if token := value[7:].strip():
                return bytes(token)
            break
    for name, value in headers:
        if name in KEY_HEADERS:
            return bytes(value.strip())
    return _websocket_token(scope) if scope["type"] == "websocket" else b""


def _websocket_token(scope: Scope) -> bytes:
    for subprotocol in scope.get("subprotocols", ()):
        if subprotocol.startswith(SUBPROTOCOL):
            return str(subprotocol[len(SUBPROTOCOL) :]).encode("latin-1", "replace")
    query = scope.get("query_string", b"").decode("latin-1")
    try:
        pairs = parse_qsl(query, encoding="latin-1", max_num_fields=100)
    except ValueError:
        return b""
    return next((value.encode("latin-1") for name, value in pairs if name == "api_key"), b"")


def _without_key(scope: Scope) -> Scope:
    """A WebSocket's scope whose subprotocols do not carry the key any further.

    The application finds it as ``scope["state"]["token"]``.
    """
    if scope["type"] != "websocket" or not scope.get("subprotocols"):
        return scope
    state = {**scope.get("state", {}), "token": token_of(scope)}
    kept = [name for name in scope["subprotocols"] if not name.startswith(SUBPROTOCOL)]
    return {**scope, "subprotocols": kept, "state": state}
