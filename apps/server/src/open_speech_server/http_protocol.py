"""HTTP/1.1 on the socket, with bounds on what a client may send before the app sees it.

uvicorn's protocol on httptools takes heads of any size and any number of connections. Bounds are
those of nginx's defaults. What is refused here is answered in the API's own shape.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .api.errors import error_response

MAX_LINE = 8 * 1024
"""Bytes of the request line's target, and of one header field."""
MAX_HEAD = 32 * 1024
"""Bytes of a whole head."""
MAX_FIELDS = 100
HEAD_TIMEOUT_S = 20.0
"""Seconds from a connection, or the first byte of a further request, to the end of its head."""
LINGER_S = 1.0
"""Seconds that a refused client's bytes are still read and dropped, so that it sees the answer."""
_log = logging.getLogger(__name__)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Runs on the event loop's thread."""

    def __init__(self, *arguments: Any, max_connections: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._max_connections = max_connections
        self._in_head = True
        self._head = 0
        """Bytes of the head so far."""
        self._beside_body = 0
        """Bytes behind the head since the last of the body: trailers, extensions of chunks."""
        self._hosts = self._encodings = 0
        self._fault: tuple[int, str, str] | None = None
        """Status, code and message of what is wrong with the request."""
        self._refused = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse one too many."""
        super().connection_made(transport)
        if len(self.connections) > self._max_connections:
            self._refuse(503, "too_many_connections", "The server has too many connections.")
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrives; of a head, no more than its bound."""
        if self._in_head and not self._head and self._timer is None and not self._refused:
            self._expect_head()  # a further request on a connection that was kept open
        while data and not self._refused:
            part = data
            if self._in_head:
                part = data[: MAX_HEAD - self._head]
                self._head += len(part)
            else:
                part = data[:MAX_HEAD]
                self._beside_body += len(part)
            data = data[len(part) :]
            super().data_received(part)
            if self._fault is None and self._beside_body > MAX_HEAD:
                self._fault = _too_large(f"The trailers of the request exceed {MAX_HEAD} bytes.")
            if self._fault is None and self._in_head and self._head >= MAX_HEAD:
                self._fault = _too_large(f"The head of the request exceeds {MAX_HEAD} bytes.")
            if self._fault:
                self._refuse(*self._fault)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._hosts = self._encodings = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the request's target."""
        super().on_url(url)
        if len(self.url) > MAX_LINE:
            self._fault = (414, "uri_too_long", f"The request's URL exceeds {MAX_LINE} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field; those behind a chunked body are dropped."""
        if not self._in_head:
            return
        super().on_header(name, value)
        if len(name) + len(value) > MAX_LINE:
            self._fault = _too_large(f"A header field exceeds {MAX_LINE} bytes.")
        elif len(self.headers) > MAX_FIELDS:
            self._fault = _too_large(f"The request has more than {MAX_FIELDS} header fields.")
        lowered = name.lower()
        if lowered == b"host":
            self._hosts += 1
        elif lowered == b"transfer-encoding":
            self._encodings += 1
            if self._encodings > 1 or value.strip().lower() != b"chunked":
                message = "The only supported Transfer-Encoding is chunked."
                self._fault = (501, "unsupported_transfer_encoding", message)

    def on_headers_complete(self) -> None:
        """Start the request, unless something is wrong with its head."""
        self._in_head = False
        self._stop_timer()
        version = self.parser.get_http_version()
        if self._hosts > 1 or (self._hosts == 0 and version != "1.0"):
            self._fault = (400, "invalid_host", "A request needs exactly one Host header.")
        if self._fault is None:
            super().on_headers_complete()
            if version == "1.0" and isinstance(self.cycle, RequestResponseCycle):
                # uvicorn makes the cycle itself; its task has not taken a step yet.
                self.cycle.__class__ = _UnframedCycle

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._beside_body = 0
        if self._fault is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; another head may follow."""
        self._in_head, self._head, self._beside_body = True, 0, 0
        if self._fault is None:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400, "invalid_http", msg)

    def _expect_head(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._head_is_late)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        self._timer = None
        if self._head:
            self._refuse(408, "request_timeout", "The head of the request arrived too slowly.")
        else:
            self.transport.close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer in place of the app, and close the connection."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._stop_timer()
        self._unset_keepalive_if_required()
        if self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr]
            self.transport.close()  # an earlier answer on this connection is not finished
            return
        client = self.client[0] if self.client else None
        _log.info("refused a request of %s with %d: %s", client, status, message)
        headers = {"Connection": "close", **({"Retry-After": "5"} if status == 503 else {})}
        response = error_response(status, message, code=code, headers=headers)
        head = b"".join(b"%s: %s\r\n" % pair for pair in response.raw_headers)
        body = bytes(response.body)
        self.transport.write(b"HTTP/1.1 %d Refused\r\n%s\r\n%s" % (status, head, body))
        self.loop.call_later(LINGER_S, self.transport.close)


class _UnframedCycle(RequestResponseCycle):
    """An answer to HTTP/1.0, which knows no chunks: its end is the end of the connection."""

    _unframed = False

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            names = {name.lower() for name, _ in message.get("headers", ())}
            self._unframed = b"content-length" not in names
            if self._unframed:
                self.chunked_encoding = False
        elif self._unframed and message["type"] == "http.response.body":
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)


def _too_large(message: str) -> tuple[int, str, str]:
    return 431, "headers_too_large", message
