"""Events on a socket, through the library ``wyoming``, with bounds of our own."""

from __future__ import annotations

import asyncio

from wyoming.event import Event, Eventable, async_read_event, async_write_event

MAX_LINE = 64 * 1024
"""Bytes of an event's first line."""
MAX_PART = 1024 * 1024
"""Bytes of an event's data or sound: half a minute of what satellites send."""
_TEXTS = ("text", "name", "language", "speaker", "text_format", "vad_sensitivity")
_NUMBERS = ("rate", "width", "channels")
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
        _check_fields(event)
    return event


def _check_fields(event: Event) -> None:
    """Raise Malformed for a field of another JSON type; the library takes whatever comes."""
    voice = event.data.get("voice")
    if voice is not None and not isinstance(voice, dict):
        raise Malformed("The field 'voice' must be an object.")
    for data in (event.data, voice or {}):
        for names, kind, called in ((_TEXTS, str, "a string"), (_NUMBERS, int, "a whole number")):
            for name in names:
                value = data.get(name)
                if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
                    raise Malformed(f"The field {name!r} must be {called}.")


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
