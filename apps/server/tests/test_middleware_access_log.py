from __future__ import annotations

import io
import json
import socket
import time

import pytest
from starlette.requests import Request

from open_speech_server.logs import configure_logging
from open_speech_server.middleware.access_log import AccessLogMiddleware, shown_path

SECRETS = ("canary-api-key", "canary-hf-token")


@pytest.fixture
def lines():
    stream = io.StringIO()
    configure_logging(level="debug", form="json", secrets=(), stream=stream)

    def read() -> list[dict[str, object]]:
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    return read


def _requests(found):
    return [line for line in found if line["event"] == "request"]


async def test_one_line_for_each_request(client, lines):
    async with client(os_api_key="right") as web:
        await web.get("/v1/models?model=x", headers={"X-Request-Id": "mine"})
        await web.get("/health")
    first, health = _requests(lines())
    assert first["method"] == "GET"
    assert first["path"] == "/v1/models?model=x"
    assert (first["status"], first["client"], first["request_id"]) == (401, "192.0.2.7", "mine")
    assert first["ms"] >= 0
    assert (first["level"], health["level"]) == ("info", "debug")


async def test_the_client_is_the_one_behind_the_proxy(client, lines):
    async with client(os_trust_proxy="192.0.2.0/24") as web:
        await web.get("/v1/models", headers={"X-Forwarded-For": "198.51.100.1"})
    assert _requests(lines())[0]["client"] == "198.51.100.1"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (b"", "/v1/x"),
        (b"a=1&b=2", "/v1/x?a=1&b=2"),
        (b"api_key=canary", "/v1/x?api_key=***"),
        (b"a=1&API_KEY=canary&b", "/v1/x?a=1&API_KEY=***&b"),
        (b"%61pi%5Fkey=canary", "/v1/x?%61pi%5Fkey=***"),
        (b"+api_key=canary", "/v1/x?+api_key=***"),
        (b"token=canary&key=canary", "/v1/x?token=***&key=***"),
        (b"api_key=canary=canary&api_key=canary", "/v1/x?api_key=***&api_key=***"),
    ],
)
def test_secret_parameters_are_hidden(query, shown):
    scope = {"path": "/v1/x", "raw_path": b"/v1/x", "query_string": query}
    assert shown_path(scope) == shown


def test_a_long_path_is_cut():
    scope = {"path": "/x", "raw_path": b"/" + b"x" * 9000, "query_string": b"y" * 9000}
    assert len(shown_path(scope)) < 1100


async def test_no_secret_reaches_the_log(client, lines):
    key, token = SECRETS
    async with client(os_api_key=key, hf_token=token) as web:
        for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}, {}):
            await web.get(f"/v1/models?api_key={key}", headers=headers)
            await web.get("/boom", headers=headers)
            await web.post("/v1/speech", json={"model": "canary-text"}, headers=headers)
            await web.post("/v1/speech", json={"speed": "canary-text"}, headers=headers)
    assert len(_requests(lines())) == 12
    assert all(word not in json.dumps(lines()) for word in (*SECRETS, "canary-text"))


async def test_a_crash_is_logged_once_with_its_traceback(client, lines):
    async with client() as web:
        await web.get("/boom", headers={"X-Request-Id": "mine"})
    (failure,) = [line for line in lines() if line["level"] == "error"]
    assert failure["request_id"] == "mine"
    assert "RuntimeError: canary-detail" in failure["exception"]
    assert _requests(lines())[0]["status"] == 500


async def test_a_crash_of_a_layer_is_a_500_too(ask, lines):
    async def broken(scope, receive, send):
        raise RuntimeError

    answer = await ask(AccessLogMiddleware(broken))
    assert answer.status == 500
    assert json.loads(answer.body)["error"]["code"] == "internal_error"


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_an_answer_that_breaks_off_is_seen_to_fail(serve, tiny, lines, http):
    port = serve(tiny(), http=http)
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(b"GET /breaks HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reply = b""
        while part := connection.recv(65536):
            reply += part
    assert reply.split()[1] == b"200"
    assert b"first" in reply
    assert not reply.endswith(b"0\r\n\r\n"), "a short answer must not look complete"
    found = lines()
    assert sum("half-way" in str(line.get("exception")) for line in found) == 1
    assert _requests(found)[0]["complete"] is False


async def test_websockets_are_logged(ask, lines):
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1001})

    await ask(AccessLogMiddleware(app), type="websocket", method=None, path="/v1/realtime")
    line = _requests(lines())[0]
    assert (line["path"], line["status"]) == ("/v1/realtime", 1001)


def test_an_upload_whose_client_leaves_is_one_line(serve, lines):
    async def upload(scope, receive, send):
        async with Request(scope, receive).form() as form:
            assert form

    head = (
        b"POST /v1/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
        b"Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF'
    )
    with socket.create_connection(("127.0.0.1", serve(AccessLogMiddleware(upload)))) as connection:
        connection.sendall(head)
    deadline = time.monotonic() + 30
    while not (found := _requests(lines())):
        assert time.monotonic() < deadline, "the request was not logged"
        time.sleep(0.02)
    assert len(found) == 1
    assert (found[0]["level"], found[0]["status"]) == ("info", 499)
    assert [line for line in lines() if line["level"] not in ("debug", "info")] == []
