from __future__ import annotations

import pytest

from open_speech_server.cors import OriginMiddleware, websocket_origin_allowed

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
async def test_c17_n4_a_preflight_needs_no_key_and_allows_every_header(client, origin):
    async with client(os_api_key="right", os_rate_limit=1) as web:
        for _ in range(3):
            response = await web.options("/v1/audio/speech", headers=_preflight(origin))
            assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-headers"] == SENT
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("origin", PAGES)
async def test_n4_named_origins_are_allowed_and_no_others(client, origin):
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


async def test_n4_a_page_can_read_refusals(client):
    async with client(os_api_key="right") as web:
        response = await web.get("/v1/models", headers={"Origin": "app://obsidian.md"})
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == "*"
    assert "X-Request-Id" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize(("origins", "status"), [("*", 400), ("https://page.example", 200)])
async def test_n4_the_private_network_is_for_named_origins(client, origins, status):
    more = {"Access-Control-Request-Private-Network": "true"}
    async with client(os_cors_origins=origins) as web:
        headers = _preflight("https://page.example", **more)
        assert (await web.options("/v1/models", headers=headers)).status_code == status


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
async def test_n5_websocket_origins(ask, origin, host, origins, allowed):
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    assert websocket_origin_allowed({"type": "websocket", "headers": headers}, origins) is allowed

    async def accepting(scope, receive, send):
        await send({"type": "websocket.accept"})

    app = OriginMiddleware(accepting, origins=origins)
    answer = await ask(app, type="websocket", path="/v1/realtime", headers=headers)
    assert answer.types == ["websocket.accept" if allowed else "websocket.close"]
