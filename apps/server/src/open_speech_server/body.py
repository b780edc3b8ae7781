"""How much a client may send, and how slowly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import error_response, has_body, refuse
from .settings import Settings

MIB = 1024 * 1024
FORM_OVERHEAD = 64 * 1024
"""Bytes of a form or of JSON beside the file or the text itself."""
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

    Bodies of unknown length are counted while they are read, by FastAPI's ``max_body_size``.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        grace_s: float = GRACE_S,
        slowest: float = SLOWEST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.grace_s = grace_s
        self.slowest = slowest
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not has_body(scope):
            await self.app(scope, receive, send)
            return
        if _announced(scope) > self.max_bytes:
            await _refuse(scope, receive, send)
            return
        await self.app(scope, self._timed(receive), _translating(scope, receive, send))

    def _timed(self, receive: Receive) -> Receive:
        deadline = self.clock() + self.grace_s
        done = False

        async def timed() -> Message:
            nonlocal deadline, done
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
                raise HTTPException(408, "The request's body came too slowly.") from None
            deadline += len(message.get("body", b"")) / self.slowest
            done = not message.get("more_body", False)
            return message

        return timed


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    message = "The request is larger than this server accepts."
    await refuse(scope, receive, send, error_response(413, message, code="request_too_large"))


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
