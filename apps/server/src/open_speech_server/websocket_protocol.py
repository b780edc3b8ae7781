"""WebSockets on the socket, with bounds on what a client may send."""

from __future__ import annotations

import logging
from asyncio import Transport
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request, Response

from .api.errors import error_response

SWITCHING = 101
LINGER_S = 1.0
"""Seconds that bytes of a refused client are still read and dropped."""
MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message: the 15 MiB that OpenAI's protocol allows, and JSON around them."""
_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """One connection. Nothing is read while the application has a message to take.

    uvicorn would log the address of each with its query, which may hold a key; the access log tells
    of them.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.logger = self.conn.logger = _log
        accept = self.conn.accept

        def accept_in_our_words(request: Request) -> Response:
            response = accept(request)
            return response if response.status_code == SWITCHING else _refusal(response)

        self.conn.accept = accept_in_our_words  # type: ignore[method-assign]
        self._refused = False

    def data_received(self, data: bytes) -> None:
        """Parse what arrives, unless nobody wants it any more."""
        if not self._refused:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        """Tell why the connection ends; bytes that still come are dropped, so that it is heard."""
        self._refused = True
        transport, self.transport = self.transport, _Unclosable(self.transport)  # type: ignore[assignment]
        super().handle_parser_exception()
        self.transport = transport
        self.loop.call_later(LINGER_S, transport.close)


class _Unclosable:
    """A transport that is closed later."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Not yet."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _refusal(response: Response) -> Response:
    """What the library refuses, in the API's own shape."""
    said = (response.body or b"").decode(errors="replace").strip()
    answer = error_response(response.status_code, said, code="invalid_websocket")
    response.body = bytes(answer.body)
    for name in ("Content-Type", "Content-Length"):
        del response.headers[name]
        response.headers[name] = answer.headers[name]
    return response
