from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message

from open_speech_server.api.errors import install_error_handlers
from open_speech_server.middleware.body_limits import (
    FORM_OVERHEAD,
    MIB,
    BodyMiddleware,
    json_limit,
    upload_limit,
)
from open_speech_server.settings.settings import Settings


class Meter:
    """Counts what the app behind it read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.bytes = 0
        self.spooled: set[str] = set()

    async def __call__(self, scope, receive, send) -> None:
        async def metered() -> Message:
            message = await receive()
            self.bytes += len(message.get("body", b""))
            self.spooled |= _temporary_files()
            return message

        await self.app(scope, metered, send)


def _temporary_files() -> set[str]:
    """Deleted files that this process holds open: how a spooled upload looks."""
    folder = Path("/proc/self/fd")
    found = set()
    for link in folder.iterdir() if folder.is_dir() else ():
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("/tmp/") and target.endswith("(deleted)"):
            found.add(target)
    return found


HEAD = (
    b"POST /v1/upload HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: multipart/form-data; boundary=edge\r\n"
)
PART = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


def _send(port: int, pieces: Iterator[bytes]) -> tuple[int, bytes]:
    """Send until the server hangs up; how much went out, and the answer."""
    sent, parts = 0, []
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except OSError:
            pass
    return sent, b"".join(parts)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _chunked(megabytes: int) -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + _chunk(PART)
    for _ in range(megabytes * 4):
        yield _chunk(bytes(MIB // 4))


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_a_chunked_body_is_cut_at_the_cap(serve, tiny, http):
    before = _temporary_files()
    meter = Meter(tiny(os_max_upload_mb=2))
    port = serve(meter, http=http)
    sent, answer = _send(port, _chunked(600))
    assert answer.split()[1] == b"413"
    assert b'"code":"request_too_large"' in answer
    assert b"connection: close" in answer.lower()
    assert meter.bytes <= 2 * MIB + FORM_OVERHEAD + MIB
    assert sent < 64 * MIB, "the connection must end, not be read to its end"
    assert _temporary_files() <= before
    assert _send(
        port, iter([b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"])
    )[1]


@pytest.mark.parametrize("http", ["httptools", "h11"])
@pytest.mark.parametrize("path", [b"/v1/upload", b"/v1/speech", b"/v1/nothing"])
def test_a_huge_announcement_is_refused_before_a_byte_is_read(serve, tiny, http, path):
    meter = Meter(tiny(os_max_upload_mb=2))
    port = serve(meter, http=http)
    head = HEAD.replace(b"/v1/upload", path) + b"Content-Length: 600000000\r\n\r\n"
    _, answer = _send(port, iter([head]))
    assert answer.split()[1] == b"413"
    assert b'"error"' in answer
    assert meter.bytes == 0


@pytest.mark.parametrize("http", ["httptools", "h11"])
@pytest.mark.parametrize(
    "length", [b"-1", b"abc", b"1e3", b"99999999999999999999999999", b"1, 2", b"+5"]
)
def test_a_length_that_is_none_is_refused(serve, tiny, http, length):
    port = serve(tiny(os_max_upload_mb=2), http=http)
    _, answer = _send(port, iter([HEAD + b"Content-Length: " + length + b"\r\n\r\n" + PART]))
    assert answer.split()[1] in {b"400", b"413"}


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_a_length_too_small_is_a_400(serve, tiny, http):
    port = serve(tiny(), http=http)
    _, answer = _send(port, iter([HEAD + b"Content-Length: 10\r\n\r\n" + PART + bytes(1000)]))
    assert answer.split()[1] == b"400"


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_json_has_a_lower_cap(serve, tiny, http):
    meter = Meter(tiny(os_max_text_chars=1000))
    port = serve(meter, http=http)
    head = b"POST /v1/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

    def pieces() -> Iterator[bytes]:
        yield head + b"Transfer-Encoding: chunked\r\n\r\n"
        for _ in range(800):
            yield _chunk(b" " * (MIB // 4))

    sent, answer = _send(port, pieces())
    assert answer.split()[1] == b"413"
    assert meter.bytes <= 2 * MIB
    assert sent < 64 * MIB
    announced = head + b"Content-Length: 50000000\r\n\r\n"
    _, answer = _send(port, iter([announced]))
    assert answer.split()[1] == b"413"
    assert b'"code":"request_too_large"' in answer
    assert b"connection: close" in answer.lower()


def test_a_refused_client_is_not_read_on(serve, tiny):
    meter = Meter(tiny(os_api_key="right"))
    sent, answer = _send(serve(meter), _chunked(600))
    assert answer.split()[1] == b"401"
    assert sent < 64 * MIB
    assert meter.bytes == 0


def test_an_upload_within_the_limit_passes(serve, tiny):
    port = serve(tiny(os_max_upload_mb=1))
    body = PART + bytes(MIB) + b"\r\n--edge--\r\n"
    head = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    _, answer = _send(port, iter([head + body]))
    assert answer.split()[1] == b"200"
    assert answer.endswith(b'{"bytes":1048576}')


def test_limits_follow_from_the_settings():
    settings = Settings(os_max_upload_mb=3, os_max_text_chars=1000)
    assert upload_limit(settings) == 3 * MIB + FORM_OVERHEAD
    assert json_limit(settings) == 12_000 + FORM_OVERHEAD
    assert json_limit(settings, audio_bytes=4) == 12_000 + FORM_OVERHEAD + 8
    assert json_limit(settings, audio_bytes=100 * MIB) == upload_limit(settings)


async def test_a_body_that_trickles_in_is_cut_off(ask):
    now = 0.0
    read = 0

    async def app(scope, receive, send):
        while True:
            await receive()

    async def one_byte_a_second() -> Message:
        nonlocal now, read
        now += 1.0
        read += 1
        return {"type": "http.request", "body": b"x", "more_body": True}

    layer = BodyMiddleware(app, max_bytes=MIB, grace_s=20, clock=lambda: now)
    scope = {"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}
    with pytest.raises(Exception, match="408"):
        await layer(scope, one_byte_a_second, None)
    assert read <= 30


async def test_a_fast_body_and_what_comes_after_it_have_no_deadline():
    now = 0.0
    messages = [
        {"type": "http.request", "body": bytes(MIB), "more_body": True},
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]
    seen = []

    async def app(scope, receive, send):
        seen.extend([await receive() for _ in range(4)])

    async def receive() -> Message:
        nonlocal now
        now += 500.0 if len(messages) == 1 else 15.0
        return messages.pop(0)

    layer = BodyMiddleware(app, max_bytes=2 * MIB, clock=lambda: now)
    await layer({"type": "http", "headers": [(b"content-length", b"1048576")]}, receive, None)
    assert seen[-1] == {"type": "http.disconnect"}


def test_a_silent_sender_gets_a_408(serve):
    web = FastAPI()
    install_error_handlers(web)

    @web.post("/v1/speech")
    async def speech(request: Request) -> int:
        return len(await request.body())

    port = serve(BodyMiddleware(web, max_bytes=MIB, grace_s=0.2))
    _, answer = _send(
        port, iter([b"POST /v1/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"])
    )
    assert answer.split()[1] == b"408"
    assert b"connection: close" in answer.lower()
