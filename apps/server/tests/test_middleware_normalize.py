"""Requests that can only have been meant one way."""

from __future__ import annotations

import http.client
import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech_server.middleware.normalize import NormalizeMiddleware

KEY = "right-key"


def _sent(port: int, method: str, path: str, body: bytes = b"", **headers: str):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("parser", ["httptools", "h11"])
@pytest.mark.parametrize("path", ["//v1/models", "/v1//models", "/v1/models/", "///v1///models//"])
def test_slashes_are_taken_as_meant(serve, tiny, parser, path):
    port = serve(tiny(), http=parser)
    answer, body = _sent(port, "GET", path)
    assert (answer.status, json.loads(body)) == (200, {"data": []})


@pytest.mark.parametrize("path", ["//v1/speech", "/v1/speech/"])
def test_a_post_keeps_its_body(serve, tiny, path):
    answer, body = _sent(serve(tiny()), "POST", path, b'{"model": "x", "speed": 2}')
    assert (answer.status, json.loads(body)) == (200, {"speed": 2.0})


async def test_slashes_open_no_other_path(tiny, ask):
    app = tiny(os_api_key=KEY)
    for raw in (b"//health", b"/health/"):
        assert (await ask(app, path=raw.decode(), raw_path=raw)).status == 200
    for raw in (b"//v1//models", b"/health/%2e%2e/v1/models/", b"/health%2f/", b"/%2fhealth"):
        assert (await ask(app, path=raw.decode(), raw_path=raw)).status == 401


@given(st.text("/ab.%2f", min_size=1))
def test_the_path_and_the_raw_path_agree(path: str) -> None:
    middleware = NormalizeMiddleware(lambda *_: None)
    scope = {"type": "http", "path": path, "raw_path": path.encode()}
    meant = middleware._plain_path(scope)
    assert b"//" not in meant["raw_path"]
    assert middleware._plain_path(meant) == meant
    assert [p for p in meant["raw_path"].split(b"/") if p] == [
        p for p in path.encode().split(b"/") if p
    ]


@pytest.mark.parametrize("parser", ["httptools", "h11"])
@pytest.mark.parametrize("path", ["/health", "/v1/models", "/v1/none", "/v1/speech", "/breaks"])
def test_head_is_get_without_its_body(serve, tiny, parser, path):
    port = serve(tiny(), http=parser)
    expected, _ = _sent(port, "GET", path) if path != "/breaks" else (None, b"")
    answer, body = _sent(port, "HEAD", path)
    assert body == b""
    if expected is not None:
        assert answer.status == expected.status
        assert answer.headers["Content-Length"] == expected.headers["Content-Length"]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        head = f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        raw.sendall((head + head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).encode())
        received = b""
        while part := raw.recv(65536):
            received += part
    answers = received.split(b"\r\n\r\n")
    assert [each[:8] for each in answers] == [b"HTTP/1.1", b"HTTP/1.1", b""]


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/octet-stream"]
)
def test_json_is_json_whatever_its_header_says(serve, tiny, kind):
    port = serve(tiny())
    headers = {} if kind is None else {"Content_Type": kind}
    answer, body = _sent(port, "POST", "/v1/speech", b'{"model": "x", "speed": 2}', **headers)
    assert (answer.status, json.loads(body)) == (200, {"speed": 2.0})
    answer, body = _sent(port, "POST", "/v1/speech", b"model=x&speed=2", **headers)
    error = json.loads(body)["error"]
    assert (answer.status, error["code"]) == (400, "invalid_parameter")
    assert "Content-Type: application/json" in error["message"]
    assert (kind or "without a Content-Type") in error["message"]


def test_broken_json_with_its_header_is_not_told_about_it(serve, tiny):
    kind = {"Content_Type": "application/json"}
    answer, body = _sent(serve(tiny()), "POST", "/v1/speech", b"{", **kind)
    assert (answer.status, json.loads(body)["error"]["message"]) == (
        400, "The body is not valid JSON.",
    )  # fmt: skip


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"3", b"true"])
def test_a_body_that_is_no_object_is_said_plainly(serve, tiny, body):
    kind = {"Content_Type": "application/json"}
    answer, told = _sent(serve(tiny()), "POST", "/v1/speech", body, **kind)
    error = json.loads(told)["error"]
    assert (answer.status, error["message"]) == (400, "The body must be a JSON object.")
