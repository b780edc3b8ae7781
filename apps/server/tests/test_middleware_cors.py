from __future__ import annotations

import pytest

from open_speech_server.middleware.cors import OriginMiddleware, websocket_origin_allowed

PAGES = ["app://obsidian.md", "https://page.example", "null", "chrome-extension://abc"]
SENT = "authorization,content-type,x-stainless-lang,x-stainless-retry-count,x-anything"


def _preflight(origin: str, **more: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": SENT,
        **more,
    }


@pytest.mark.parametrize("origin", PAGES)
async def test_a_preflight_needs_no_key_and_allows_every_header(client, origin):
    async with client(os_api_key="right", os_rate_limit=1) as web:
        for _ in range(3):
            response = await web.options("/v1/audio/speech", headers=_preflight(origin))
            assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-headers"] == SENT
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("origin", PAGES)
async def test_named_origins_are_allowed_and_no_others(client, origin):
    async with client(os_cors_origins=origin) as web:
        for asking in PAGES:
            response = await web.options("/v1/models", headers=_preflight(asking))
            plain = await web.get("/v1/models", headers={"Origin": asking})
            expected = asking if asking == origin else None
            assert response.status_code == (200 if expected else 400)
            assert response.headers.get("access-control-allow-origin") == expected
            assert plain.headers.get("access-control-allow-origin") == expected
            assert "access-control-allow-credentials" not in plain.headers
            assert "Origin" in plain.headers["vary"]


async def test_a_page_can_read_refusals(client):
    async with client(os_api_key="right") as web:
        response = await web.get("/v1/models", headers={"Origin": "app://obsidian.md"})
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == "*"
    assert "X-Request-Id" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize(("origins", "status"), [("*", 400), ("https://page.example", 200)])
async def test_the_private_network_is_for_named_origins(client, origins, status):
    more = {"Access-Control-Request-Private-Network": "true"}
    async with client(os_cors_origins=origins) as web:
        headers = _preflight("https://page.example", **more)
        assert (await web.options("/v1/models", headers=headers)).status_code == status


async def test_where_a_key_guards_pages_may_reach_the_private_network(client):
    more = {"Access-Control-Request-Private-Network": "true"}
    async with client(os_api_key="right") as web:
        headers = _preflight("https://page.example", **more)
        answer = await web.options("/v1/models", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-private-network"] == "true"


async def test_options_that_is_no_preflight_needs_the_key(client):
    async with client(os_api_key="right") as web:
        for headers in ({}, {"Origin": "http://x"}, {"Access-Control-Request-Method": "GET"}):
            assert (await web.options("/v1/models", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("origin", "host", "origins", "allowed"),
    [
        (None, "server:8100", (), True),
        ("http://server:8100", "server:8100", (), True),
        ("https://server", "server", (), True),
        ("http://server", "server:8100", (), False),
        ("https://evil.example", "server:8100", (), False),
        ("https://evil.example", "server:8100", ("https://good.example",), False),
        ("https://good.example", "server:8100", ("https://good.example",), True),
        ("https://good.example.evil", "server", ("https://good.example",), False),
        ("https://evil.example", "server:8100", ("*",), True),
        ("null", "server", (), False),
        ("null", "null", (), False),
        ("null", "server", ("null",), True),
        ("app://obsidian.md", "server", (), False),
        ("http://user@server", "server", (), False),
        ("http://[::1", "server", (), False),
        ("", "", (), False),
        ("", "server", (), False),
    ],
)
async def test_websocket_origins(ask, origin, host, origins, allowed):
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    assert websocket_origin_allowed({"type": "websocket", "headers": headers}, origins) is allowed

    async def accepting(scope, receive, send):
        await send({"type": "websocket.accept"})

    app = OriginMiddleware(accepting, origins=origins)
    answer = await ask(app, type="websocket", path="/v1/realtime", headers=headers)
    assert answer.types == ["websocket.accept" if allowed else "websocket.close"]


FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
NAMED = {"Origin": "https://page.example", "Sec-Fetch-Site": "cross-site"}
OURS = {"Origin": "http://server", "Sec-Fetch-Site": "same-origin"}
PLAIN = {"Content-Type": "text/plain"}
"""What a page may send to any server without a preflight."""


@pytest.mark.parametrize(
    ("origins", "key", "sent", "refused"),
    [
        ("https://page.example", None, FOREIGN, True),
        ("https://page.example", "k", FOREIGN, True),
        ("https://page.example", None, NAMED, False),
        ("https://page.example", None, OURS, False),
        ("https://page.example", None, {}, False),  # not a browser
        ("https://page.example", None, {"Origin": "null"}, True),
        ("https://page.example", None, {"Sec-Fetch-Site": "cross-site"}, True),
        ("https://page.example", None, {"Sec-Fetch-Site": "none"}, False),
        ("https://page.example", None, {"Origin": "http://server"}, False),  # an older browser
        ("*", None, FOREIGN, True),
        ("*", None, OURS, False),
        ("*", None, {}, False),
        ("*", "k", FOREIGN, False),  # the page knows the key
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_pages_of_others_change_nothing(client, method, origins, key, sent, refused):
    settings = {"os_cors_origins": origins, **({"os_api_key": key} if key else {})}
    headers = {**PLAIN, **sent, **({"X-API-Key": key} if key else {})}
    async with client(**settings) as web:
        response = await web.request(method, "/api/models/m/load", headers=headers)
    assert (response.status_code == 403) is refused
    if refused:
        assert response.json()["error"]["code"] == "origin_not_allowed"


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/audio/transcriptions"])
async def test_pages_of_others_may_speak_and_transcribe(client, path):
    async with client() as web:
        response = await web.post(path, headers={**PLAIN, **FOREIGN})
    assert response.status_code == 404  # the tiny app has no such route
