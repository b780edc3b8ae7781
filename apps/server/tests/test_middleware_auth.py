from __future__ import annotations

import logging
import socket

import pytest

from open_speech_server.middleware.auth import METADATA_PATHS, PUBLIC_PATHS, AuthMiddleware

KEY = "right-key"
RIGHT = {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    "headers",
    [
        RIGHT,
        {"Authorization": f"bearer   {KEY}  "},
        {"X-API-Key": KEY},
        {"api-key": KEY},
        {"xi-api-key": KEY},
        {"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": KEY},
        {"Authorization": "Bearer ", "X-API-Key": KEY},
    ],
)
async def test_the_key_opens(client, headers):
    async with client(os_api_key=KEY) as web:
        assert (await web.get("/v1/models", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": KEY},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": f"Bearer {KEY.upper()}"},
        {"Authorization": "Bearer wrong", "X-API-Key": KEY},
        {"Authorization": "Bearer käse".encode()},
        {"Authorization": b"Bearer \xff\xfe\x80"},
        {"Authorization": "Bearer " + "x" * 1_000_000},
        {"X-API-Key": b"\xff"},
        {"X-API-Key": ""},
        {"Cookie": f"api_key={KEY}"},
        {"Upgrade": "websocket"},
        {"Upgrade": "websocket", "Connection": "Upgrade"},
    ],
    ids=range(18),
)
async def test_anything_else_is_a_401(client, headers):
    async with client(os_api_key=KEY) as web:
        response = await web.get("/v1/models", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    error = response.json()["error"]
    assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")


async def test_a_key_of_any_letters_works(client):
    async with client(os_api_key="schlüssel") as web:
        for word, status in (("schlüssel", 200), ("schlussel", 401)):
            headers = {"Authorization": f"Bearer {word}".encode()}
            assert (await web.get("/v1/models", headers=headers)).status_code == status


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", "Basic x", "nonsense"])
async def test_without_a_key_set_every_header_is_fine(client, header):
    async with client() as web:
        response = await web.get("/v1/models", headers={"Authorization": header})
    assert response.status_code == 200


async def test_the_query_opens_no_http_request(client):
    async with client(os_api_key=KEY) as web:
        assert (await web.get(f"/v1/models?api_key={KEY}")).status_code == 401


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
async def test_health_is_public_to_read_alone(client, path):
    async with client(os_api_key=KEY) as web:
        assert (await web.get(path)).status_code in {200, 404}
        assert (await web.head(path)).status_code != 401
        assert (await web.post(path)).status_code == 401


async def test_every_route_and_mount_needs_the_key(tiny, ask):
    app = tiny(os_api_key=KEY)
    paths = [
        "/",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/metrics",
        "/v1/models",
        "/static/conftest.py",
    ]
    for path in paths:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"):
            for headers in ([], [(b"upgrade", b"websocket")], [(b"origin", b"http://x")]):
                answer = await ask(app, path=path, method=method, headers=headers)
                assert answer.status == 401, (method, path, headers)


@pytest.mark.parametrize(
    "raw",
    [
        "//v1/models",
        "/v1/models/",
        "/V1/models",
        "/health/../v1/models",
        "/health/%2e%2e/v1/models",
        "/v1/../health",
        "/%68ealth",
        "/HEALTH",
        "/health%00",
        "/health?",
        "/health;x",
        "/web/../v1/models",
        "/web/%2e%2e/v1/models",
        "/web/..%2fv1",
        "/web/.env",
        "/web",
        "/website",
    ],
)
async def test_other_spellings_open_nothing(tiny, ask, raw):
    answer = await ask(tiny(os_api_key=KEY), path=raw, raw_path=raw.encode())
    assert answer.status == 401


async def test_the_raw_path_counts_and_not_the_decoded_one(tiny, ask):
    app = tiny(os_api_key=KEY)
    assert (await ask(app, path="/health", raw_path=b"/%68ealth")).status == 401
    assert (await ask(app, path="/health", raw_path=b"/health")).status == 200


@pytest.mark.parametrize("path", ["/web/app.js", "/web/a/b-c_d.1.css"])
async def test_a_public_prefix_opens_plain_paths(tiny, ask, path):
    assert (await ask(tiny(os_api_key=KEY), path=path)).status == 404


async def test_public_metadata_opens_three_lists_to_read(client):
    assert len(METADATA_PATHS) == 3
    async with client(os_api_key=KEY, os_public_metadata=True) as web:
        for path in METADATA_PATHS:
            assert (await web.get(path)).status_code == 200
            assert (await web.post(path)).status_code == 401
        assert (await web.get("/docs")).status_code == 401


async def test_a_refused_list_gives_the_hint_once(client, caplog):
    async with client(os_api_key=KEY) as web:
        with caplog.at_level(logging.WARNING, "open_speech_server.auth"):
            for path in ["/docs", *METADATA_PATHS]:
                assert (await web.get(path)).status_code == 401
    hints = [line for line in caplog.messages if "OS_PUBLIC_METADATA" in line]
    assert len(hints) == 1


async def _accepting(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    assert all(KEY not in name for name in scope.get("subprotocols", ()))


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": [(b"authorization", f"Bearer {KEY}".encode())]},
        {"headers": [(b"x-api-key", KEY.encode())]},
        {"query_string": f"model=x&api_key={KEY}".encode()},
        {"query_string": b"api_key=right%2Dkey"},
        {"subprotocols": ["realtime", f"openai-insecure-api-key.{KEY}"]},
    ],
)
async def test_a_websocket_may_send_the_key_four_ways(ask, fields):
    app = AuthMiddleware(_accepting, key=KEY)
    answer = await ask(app, type="websocket", path="/v1/realtime", **fields)
    assert answer.types == ["websocket.accept"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"query_string": b"api_key=wrong"},
        {"query_string": b"api_key="},
        {"query_string": b"API_KEY=" + KEY.encode()},
        {"query_string": b"\xff&" * 500},
        {"subprotocols": ["openai-insecure-api-key."]},
        {"subprotocols": ["openai-insecure-api-key.käse"]},
        {"path": "/health"},
    ],
    ids=range(8),
)
async def test_a_websocket_is_refused_before_it_is_accepted(ask, fields):
    app = AuthMiddleware(_accepting, key=KEY)
    fields = {"path": "/v1/realtime", **fields}
    closed = await ask(app, type="websocket", **fields)
    assert [(m["type"], m.get("code")) for m in closed.messages] == [("websocket.close", 4001)]
    answered = await ask(
        app, type="websocket", extensions={"websocket.http.response": {}}, **fields
    )
    assert answered.types[0] == "websocket.http.response.start"
    assert answered.status == 401


def _exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_on_a_real_socket_no_header_opens_the_door(serve, tiny, http):
    port = serve(tiny(os_api_key=KEY), http=http)
    upgrade = b"Upgrade: websocket\r\n"
    asked = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    for version in (b"1.0", b"1.1"):
        for extra in (
            b"",
            upgrade,
            upgrade + b"Connection: Upgrade\r\n",
            upgrade + b"Connection: Upgrade\r\n" + asked,
            b"X-Forwarded-For: 127.0.0.1\r\n",
            b"Authorization: Bearer k\xc3\xa4se\r\n",
            b"Authorization: Bearer \xff\xfe\r\n",
            b"Authorization: Bearer\r\n",
        ):
            for path in (
                b"/v1/models",
                b"//v1/models",
                b"/health/../v1/models",
                b"http://x/v1/models",
            ):
                for method in (b"GET", b"OPTIONS"):
                    head = method + b" " + path + b" HTTP/" + version + b"\r\nHost: localhost\r\n"
                    reply = _exchange(port, head + extra + b"\r\n")
                    status = reply.split()[1]
                    if b"Connection: Upgrade" in extra and status in {b"400", b"405", b"426"}:
                        assert b"invalid_websocket" in reply  # no handshake, so no application
                        continue
                    assert status == b"401", (head, extra, reply[:200])
                    assert b"www-authenticate: bearer" in reply.lower()


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_a_post_with_an_upgrade_header_is_refused(serve, tiny, http):
    port = serve(tiny(os_api_key=KEY), http=http)
    body = b'{"model": "m"}'
    head = (
        b"POST /v1/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n" % len(body)
    )
    allowed = head + b"X-API-Key: right-key\r\n\r\n" + body
    assert _exchange(port, allowed).split()[1] == b"200"
    assert _exchange(port, head + b"Upgrade: websocket\r\n\r\n" + body).split()[1] == b"401"


def test_a_megabyte_of_token_on_a_real_socket_is_no_500(serve, tiny):
    port = serve(tiny(os_api_key=KEY))
    reply = _exchange(
        port,
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer "
        + b"x" * 1_000_000
        + b"\r\n\r\n",
    )
    assert reply.split()[1] in {b"400", b"401", b"431"}
