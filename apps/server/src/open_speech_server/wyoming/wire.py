"""Events on a socket, through the library ``wyoming``, with bounds of our own."""

from __future__ import annotations

import asyncio

from wyoming.event import Event, Eventable, async_read_event, async_write_event

MAX_LINE = 64 * 1024
"""Bytes of an event's first line."""
MAX_PART = 1024 * 1024
"""Bytes of an event's data or sound: half a minute of what satellites send."""
WRITE_S = 30.0
"""How long a client may take nothing before it is given up."""


class Malformed(Exception):
    """The client sent something that is not a valid event, or one that is too large."""


class BoundedReader(asyncio.StreamReader):
    """Refuses a part that is announced larger than any may be, before it is read."""

    def __init__(self) -> None:
        super().__init__(limit=MAX_LINE)

    async def readexactly(self, n: int) -> bytes:
        """As the base, for at most ``MAX_PART`` bytes."""
        if n > MAX_PART:
            raise Malformed(f"A part of an event has more than {MAX_PART} bytes.")
        return await super().readexactly(n)


async def read_event(reader: asyncio.StreamReader) -> Event | None:
    """The next event; None at the end. Raises Malformed."""
    if reader.at_eof():
        return None
    try:
        event = await async_read_event(reader)
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise Malformed("The event is not a JSON object with a type.") from error
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    if event is None and not reader.at_eof():
        raise Malformed("The event is not a line of JSON, or it is too long.")
    if event is not None:
        kind: object = event.type
        data: object = event.data
        if not isinstance(kind, str) or not isinstance(data, dict):
            raise Malformed("The event's type must be a string, and its data an object.")
    return event


class EventWriter:
    """Writes one event after the other, whoever asks. Raises ConnectionError."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._one_at_a_time = asyncio.Lock()

    async def write(self, event: Eventable) -> None:
        """Send an event; a client that takes nothing for long is given up."""
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(WRITE_S):
                    await async_write_event(event.event(), self._writer)
            except TimeoutError:
                self._writer.transport.abort()
                raise ConnectionError("the client takes nothing") from None
