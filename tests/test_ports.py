"""Ports that tests which run side by side can have."""

from __future__ import annotations

import socket

import pytest

from ports import free_port


def test_no_port_is_given_twice() -> None:
    assert len({free_port() for _ in range(200)}) == 200


def test_a_server_may_have_it_and_the_system_gives_it_to_nobody_else() -> None:
    port = free_port()
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname()[1] == port
