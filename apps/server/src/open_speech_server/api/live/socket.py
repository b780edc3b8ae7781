"""A WebSocket that a client may leave at any time, or stop reading from."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

SEND_TIMEOUT_S = 10.0
"""A client that takes nothing for so long has gone away without saying so."""
NORMAL, GOING_AWAY, POLICY, TOO_BIG, FAILURE, TRY_LATER = 1000, 1001, 1008, 1009, 1011, 1013
"""Close codes (RFC 6455, and its registry)."""


class ClientGone(Exception):
    """Nobody is left to send to."""


def subprotocol_of(websocket: WebSocket) -> str | None:
    """What to accept of the subprotocols that a browser offers, which wants one of them back."""
    return "realtime" if "realtime" in websocket.scope.get("subprotocols", ()) else None


class LiveSocket:
    """Sends one message at a time, from any task; receives in one."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._sending = asyncio.Lock()

    async def send(self, message: Mapping[str, object]) -> None:
        """Send JSON. Raises ClientGone."""
        await self._send({"type": "websocket.send", "text": json.dumps(message)})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message. Raises ClientGone."""
        await self._send({"type": "websocket.send", "bytes": data})

    async def _send(self, message: dict[str, object]) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S), self._sending:
                if self._websocket.application_state is not WebSocketState.CONNECTED:
                    raise ClientGone
                await self._websocket.send(message)
        except (TimeoutError, WebSocketDisconnect, RuntimeError) as error:
            raise ClientGone from error

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Yield what the client sends until it leaves."""
        while True:
            try:
                message = await self._websocket.receive()
            except (WebSocketDisconnect, RuntimeError):
                return
            if message["type"] == "websocket.disconnect":
                return
            if (text := message.get("text")) is not None:
                yield text
            elif (data := message.get("bytes")) is not None:
                yield data

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close it, if it is still open. A reason has at most 123 bytes."""
        short = reason.encode()[:123].decode(errors="ignore")
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._websocket.close(code, short)
