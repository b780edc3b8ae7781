"""What a stranger may send before any layer of the app sees it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from open_speech_server import http_protocol
from open_speech_server.http_protocol import MAX_FIELDS, MAX_HEAD, MAX_LINE, BoundedProtocol

Serve = Callable[..., int]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, then tell the header fields and the body's length; in two pieces."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    fields = sorted(f"{name.decode()}={value.decode()}" for name, value in scope["headers"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = json.dumps({"length": length, "fields": fields}).encode()
    await send({"type": "http.response.body", "body": body[:3], "more_body": True})
    await send({"type": "http.response.body", "body": body[3:]})


def talk(port: int, *parts: bytes) -> bytes:
    """Send, then read until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        for part in parts:
            sock.sendall(part)
        answer = b""
        while data := sock.recv(65_536):
            answer += data
    return answer


def head(*fields: str, target: str = "/", version: str = "1.1", host: str = "Host: x") -> bytes:
    lines = [f"GET {target} HTTP/{version}", *([host] if host else []), *fields]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode()


TOO_MUCH = {
    "a long field": (head("X: " + "a" * MAX_LINE), 431, "headers_too_large"),
    "many fields": (head(*(f"X{n}: a" for n in range(MAX_FIELDS))), 431, "headers_too_large"),
    "a long head": (head(*(f"X{n}: {'a' * 4_000}" for n in range(10))), 431, "headers_too_large"),
    "a long target": (head(target="/" + "a" * MAX_LINE), 414, "uri_too_long"),
    "no host": (head(host=""), 400, "invalid_host"),
    "two hosts": (head("Host: y"), 400, "invalid_host"),
    "two hosts in 1.0": (head("Host: y", version="1.0"), 400, "invalid_host"),
    "another coding": (head("Transfer-Encoding: gzip, chunked"), 501, None),
    "another coding in parts": (
        head("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"), 501, None,
    ),
    "not HTTP": (b"\x16\x03\x01 hello\r\n\r\n", 400, "invalid_http"),
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_head_beyond_its_bounds_is_refused_in_our_shape(serve: Serve, name: str) -> None:
    request, status, code = TOO_MUCH[name]
    port = serve(echo)
    answer, _, body = talk(port, request).partition(b"\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"connection: close" in answer.lower()
    error = json.loads(body)["error"]
    assert error["message"]
    assert code in (None, error["code"])
    assert talk(port, head()).startswith(b"HTTP/1.1 200 ")


def test_a_head_within_its_bounds_is_taken(serve: Serve) -> None:
    fields = [f"X{n}: {'a' * 200}" for n in range(MAX_FIELDS - 2)]
    answer = talk(serve(echo), head(*fields, target="/" + "a" * (MAX_LINE - 10)))
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("times", [1, 2])
def test_the_bounds_hold_for_each_request_of_a_connection(serve: Serve, times: int) -> None:
    good = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", serve(echo)), timeout=20) as sock:
        for _ in range(times):
            sock.sendall(good)
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                answer += sock.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 ")
        sock.sendall(head("X: " + "a" * MAX_LINE))
        assert sock.recv(65_536).startswith(b"HTTP/1.1 431 ")


def test_a_head_without_end_keeps_nobody_waiting(serve: Serve) -> None:
    port = serve(echo)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        for _ in range(64):
            try:
                sock.sendall(b"a" * 65_536)
            except OSError:  # refused, and closed by now
                break
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200


def test_what_follows_a_chunked_body_is_no_header(serve: Serve) -> None:
    fields = "X: 1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    body = "3\r\nabc\r\n0\r\nAuthorization: Bearer k\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n"
    answer = talk(serve(echo), f"POST / HTTP/1.1\r\nHost: x\r\n{fields}{body}".encode())
    assert b'ength": 3' in answer
    assert b"x=1" in answer
    assert b"authorization" not in answer
    assert b"forwarded" not in answer


@pytest.mark.parametrize("kind", ["a long trailer", "many trailers", "a long extension"])
def test_what_stands_beside_a_body_is_bounded_too(serve: Serve, kind: str) -> None:
    flood = {
        "a long trailer": b"3\r\nabc\r\n0\r\nX: " + b"a" * (1 << 22),
        "many trailers": b"3\r\nabc\r\n0\r\n" + b"X: a\r\n" * (1 << 20),
        "a long extension": b"3\r\nabc\r\n3;x=" + b"a" * (1 << 22),
    }[kind]
    port = serve(echo)
    request = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        try:
            sock.sendall(request + flood)
            assert sock.recv(65_536) == b""  # closed, without an answer from the app
        except ConnectionError:
            pass  # or cut off while it sends; a TimeoutError is a failure
    assert talk(port, head()).startswith(b"HTTP/1.1 200 ")


def test_a_large_body_in_small_chunks_is_taken(serve: Serve) -> None:
    body = b"400\r\n" + b"a" * 1024 + b"\r\n"
    fields = b"Host: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = talk(serve(echo), b"POST / HTTP/1.1\r\n" + fields + body * 2_000 + b"0\r\n\r\n")
    assert b'ength": 2048000' in answer


def test_http_1_0_gets_its_answer_without_chunks(serve: Serve) -> None:
    answer, _, body = talk(serve(echo), head("X: 1", version="1.0")).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in answer.lower()
    assert json.loads(body)["length"] == 0


def test_a_slow_head_and_an_idle_connection_are_closed(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.2)
    port = serve(echo)
    assert talk(port, b"GET / HTTP/1.1\r\nHost: ").startswith(b"HTTP/1.1 408 ")
    assert talk(port) == b""


def test_connections_beyond_the_bound_are_refused(serve: Serve) -> None:
    port = serve(echo, http=partial(BoundedProtocol, max_connections=3))
    held = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(3)]
    for sock in held:  # each is taken once it has been answered
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(65_536)
    answer = talk(port)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 5" in answer.lower()
    for sock in held:
        sock.close()
    assert MAX_HEAD > MAX_LINE
