"""How much a client may send, and how slowly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..api.errors import error_response, has_body, refuse
from ..api.uploads import MAX_SOUND_IN_JSON
from ..settings.settings import Settings

MIB = 1024 * 1024
FORM_OVERHEAD = 64 * 1024
"""Bytes of a form or of JSON beside the file or the text itself."""
TOO_LARGE = "The request is larger than this server accepts."
SMALL_JSON = "/api/"
"""Where JSON holds names and switches alone."""
SOUND_IN_JSON = frozenset({"/v1/audio/transcriptions", "/v1/audio/translations"})
"""Where JSON may hold a whole recording in base64."""
JSON_TYPE = (b"content-type", b"application/json")
GRACE_S = 20.0
"""Seconds that a body may take however short it is."""
SLOWEST = 1024.0
"""Bytes per second below which a sender is cut off."""


def upload_limit(settings: Settings) -> int:
    """Largest request body in bytes: what ``FastAPI(max_body_size=...)`` is given."""
    return settings.os_max_upload_mb * MIB + FORM_OVERHEAD


def json_limit(settings: Settings, *, audio_bytes: int = 0) -> int:
    """Largest JSON body in bytes: what a route's ``max_body_size`` is given.

    It holds the longest text with every character escaped (twelve bytes for one outside the basic
    plane) and ``audio_bytes`` of reference audio in base64, and is never above the upload limit.
    """
    wanted = FORM_OVERHEAD + 12 * settings.os_max_text_chars + -(-audio_bytes // 3) * 4
    return min(wanted, upload_limit(settings))


class BodyMiddleware:
    """Refuses a body announced too large before any of it is read, and one that trickles in.

    Only an upload may have ``max_bytes``; JSON may have ``json_bytes``, and ``FORM_OVERHEAD`` where
    it holds neither texts nor recordings. Bodies of unknown length are counted while they are read.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        json_bytes: int | None = None,
        grace_s: float = GRACE_S,
        slowest: float = SLOWEST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.json_bytes = max_bytes if json_bytes is None else json_bytes
        self.grace_s = grace_s
        self.slowest = slowest
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not has_body(scope):
            await self.app(scope, receive, send)
            return
        limit = self._limit(scope)
        if _announced(scope) > limit:
            await _refuse(scope, receive, send)
            return
        await self.app(scope, self._timed(receive, limit), _translating(scope, receive, send))

    def _limit(self, scope: Scope) -> int:
        kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        if kind.lower().startswith(b"multipart/"):
            return self.max_bytes
        if scope.get("path", "").startswith(SMALL_JSON):
            return min(FORM_OVERHEAD, self.json_bytes)
        if scope.get("path") in SOUND_IN_JSON:
            return min(FORM_OVERHEAD + -(-MAX_SOUND_IN_JSON // 3) * 4, self.max_bytes)
        return self.json_bytes

    def _timed(self, receive: Receive, limit: int) -> Receive:
        deadline = self.clock() + self.grace_s
        done = False
        received = 0

        async def timed() -> Message:
            nonlocal deadline, done, received
            if done:
                return await receive()
            remaining = deadline - self.clock()
            try:
                # What has arrived already would never be interrupted, so late is checked first.
                if remaining <= 0:
                    raise TimeoutError
                async with asyncio.timeout(remaining):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The request body arrived too slowly.") from None
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, TOO_LARGE)
            deadline += len(message.get("body", b"")) / self.slowest
            done = not message.get("more_body", False)
            return message

        return timed


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await refuse(scope, receive, send, error_response(413, TOO_LARGE, code="request_too_large"))


def _translating(scope: Scope, receive: Receive, send: Send) -> Send:
    """Say 413 in our words: FastAPI's limiter, which stands outside its handlers, says it bare."""
    replaced = False

    async def translating(message: Message) -> None:
        nonlocal replaced
        bare = message.get("status") == 413 and JSON_TYPE not in message["headers"]
        if message["type"] == "http.response.start" and bare:
            replaced = True
            await _refuse(scope, receive, send)
        if not replaced:
            await send(message)

    return translating


def _announced(scope: Scope) -> int:
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    # The HTTP parser has refused anything but digits; a body without a length announces nothing.
    return max((int(value) for value in values if value.strip().isdigit()), default=0)
