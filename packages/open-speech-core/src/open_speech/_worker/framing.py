"""Frames on the socket between a server and a worker.

A frame is ``header length: u32, body length: u32`` (big-endian), a JSON header, and the body: the
raw bytes of the header's arrays one after the other. The header is a message of ``messages.py``
in the form of ``plain.py``, plus ``$buffers``, the arrays' lengths.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any, TypeVar

from .serialization import Buffer, Plain, UnknownValue, pack, unpack

if TYPE_CHECKING:
    from asyncio import StreamReader

T = TypeVar("T")

PREFIX = struct.Struct("!II")
MAX_HEADER = 64 * 1024 * 1024
MAX_BODY = 1024 * 1024 * 1024
"""Four hours of float32 at 16 kHz are 0.92 GB."""
_BUFFERS = "$buffers"
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class ProtocolError(Exception):
    """The other side sent what is no frame of ours."""


class UnknownMessage(ProtocolError):
    """A frame of ours with a message, or a value in it, that only another release knows."""

    def __init__(self, name: str, call: int | None, what: str) -> None:
        super().__init__(f"this release does not know {what}")
        self.name = name
        """Of the message."""
        self.call = call
        """The call that it belongs to."""


def encode(message: object) -> list[Buffer]:
    """Write one message as pieces to send in order; arrays are not copied."""
    buffers: list[memoryview] = []
    header = pack(message, buffers)
    if buffers:
        header[_BUFFERS] = [buffer.nbytes for buffer in buffers]
    text = _to_json(header).encode("utf-8", "surrogatepass")
    body = sum(buffer.nbytes for buffer in buffers)
    return [PREFIX.pack(len(text), body) + text, *buffers]


def decode(expected: type[T] | Any, header: bytes | bytearray, body: Buffer) -> T:
    """Read one message of the expected types; its arrays are views of the body."""
    try:
        data: Plain = json.loads(header.decode("utf-8", "surrogatepass"))
        view, buffers, start = memoryview(body), [], 0
        for length in data.pop(_BUFFERS, ()):
            buffers.append(view[start : start + length])
            start += length
        message: T = unpack(expected, data, buffers)
    except UnknownValue as error:
        call = data.get("call")
        raise UnknownMessage(str(data.get("$type")), call, str(error)) from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ProtocolError(f"a frame could not be read: {error}") from error
    return message


def lengths(prefix: bytes | bytearray) -> tuple[int, int]:
    """Read a frame's prefix; raises ProtocolError for lengths that no frame of ours has."""
    header, body = PREFIX.unpack(prefix)
    if header > MAX_HEADER or body > MAX_BODY:
        raise ProtocolError(f"a frame announces {header} and {body} bytes")
    return header, body


async def read_async(reader: StreamReader, expected: type[T] | Any) -> T:
    """Read the next message; raises IncompleteReadError at the end of the stream."""
    header, body = lengths(await reader.readexactly(PREFIX.size))
    text = await reader.readexactly(header)
    message: T = decode(expected, text, await reader.readexactly(body) if body else b"")
    return message


def read_blocking(connection: socket.socket, expected: type[T] | Any) -> T:
    """Read the next message; raises EOFError at the end of the stream. One thread only."""
    header, body = lengths(_receive(connection, PREFIX.size))
    text = _receive(connection, header)
    # A bytearray, so that arrays are writable for engines that work in place.
    message: T = decode(expected, text, _receive(connection, body))
    return message


def _receive(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return data
