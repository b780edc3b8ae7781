"""Ports for the servers of tests, which may run side by side."""

from __future__ import annotations

import socket

_reserved: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on, and that no other test is given while this process lives.

    The socket stays bound, so the system gives its port to nobody who asks for any; a server that
    asks for this one may have it, because both allow the address to be reused.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    _reserved.append(reserved)
    port: int = reserved.getsockname()[1]
    return port
