"""Answers that stop working when the client stops listening."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")
SEND_TIMEOUT_S = 10.0
"""A client that takes nothing for so long has gone away without saying so."""


CLIENT_LEFT = 499
"""What the log says of requests whose client left; nginx's number, as there is no official one."""


class ClientLeft(Exception):
    """Nobody is left to answer."""


async def on_client_left(_request: Request, _error: Exception) -> Response:
    """End a request that nobody waits for; the answer is for the log alone."""
    return Response(status_code=CLIENT_LEFT)


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work; cancel it and raise ClientLeft as soon as the client leaves.

    The request's body must have been read: this listens for what comes after it.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request.receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientLeft
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class LiveResponse(Response):
    """Sends pieces as they come; closes their source when the client leaves or stops reading.

    A failure of the source after the first piece ends the connection without its final chunk, so
    that the client cannot take what it has for the whole.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(b"", 200, headers, media_type)
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers, then each piece, until the end or until the client leaves."""
        sending = asyncio.ensure_future(self._send_all(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        async with aclosing(self._pieces) as pieces:
            await _within(send(start))
            async for piece in pieces:
                await _within(send(_body(piece, more=True)))
            await _within(send(_body(b"", more=False)))


async def _within(sending: Awaitable[None]) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await sending


def _body(piece: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def after_first(pieces: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Wait for the first piece, so that its errors can still become a status; then pass on all."""
    try:
        first = await anext(pieces)
    except StopAsyncIteration:
        return _nothing()
    except BaseException:
        await pieces.aclose()
        raise
    return _rest(first, pieces)


async def _rest(first: T, pieces: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    async with aclosing(pieces):
        yield first
        async for piece in pieces:
            yield piece


async def _nothing() -> AsyncGenerator[Any, None]:
    nothing: tuple[Any, ...] = ()
    for piece in nothing:
        yield piece


def event(data: Mapping[str, object]) -> bytes:
    """One server-sent event."""
    return event_of(json.dumps(data, ensure_ascii=False))


def event_of(text: str) -> bytes:
    """The same of JSON that is written already, on one line."""
    return f"data: {text}\n\n".encode()
