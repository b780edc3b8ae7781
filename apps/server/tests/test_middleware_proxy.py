from __future__ import annotations

import pytest

from open_speech_server.middleware.proxy import proxy_layer, proxy_warning
from open_speech_server.settings.settings import Settings

LIST = "10.1.0.0/16,2001:db8::/32,192.0.2.1"


@pytest.mark.parametrize(
    ("trust", "peer", "forwarded", "expected"),
    [
        ("false", "10.1.0.1", ["198.51.100.1"], "10.1.0.1"),
        ("false", "127.0.0.1", ["198.51.100.1"], "127.0.0.1"),
        (LIST, "10.1.0.1", ["198.51.100.1"], "198.51.100.1"),
        (LIST, "192.0.2.1", ["198.51.100.1"], "198.51.100.1"),
        (LIST, "2001:db8::5", ["198.51.100.1"], "198.51.100.1"),
        (LIST, "10.2.0.1", ["198.51.100.1"], "10.2.0.1"),
        (LIST, "10.1.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        (LIST, "10.1.0.1", ["1.1.1.1, 198.51.100.1, 10.1.0.9"], "198.51.100.1"),
        (LIST, "10.1.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        (LIST, "10.1.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        (LIST, "10.1.0.1", ["[2001:470::1]:4711"], "2001:470::1"),
        (LIST, "10.1.0.1", [""], "10.1.0.1"),
        (LIST, "10.1.0.1", [], "10.1.0.1"),
        ("true", "192.168.1.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("true", "127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("true", "8.8.8.8", ["198.51.100.1"], "8.8.8.8"),
    ],
)
async def test_the_rightmost_untrusted_hop_is_the_client(client, trust, peer, forwarded, expected):
    headers = [("X-Forwarded-For", value) for value in forwarded]
    async with client(os_trust_proxy=trust, address=peer) as web:
        assert (await web.get("/health", headers=headers)).json()["client"] == expected


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("10.1.0.1", "https", "https"),
        ("10.1.0.1", "javascript", "http"),
        ("192.0.2.9", "https", "http"),
    ],
)
async def test_the_scheme_is_the_proxys(client, peer, proto, scheme):
    async with client(os_trust_proxy="10.1.0.0/16", address=peer) as web:
        response = await web.get("/health", headers={"X-Forwarded-Proto": proto})
    assert response.json()["scheme"] == scheme


def test_true_comes_with_advice():
    warning = proxy_warning(Settings(os_trust_proxy="true"))
    assert warning is not None
    assert "OS_TRUST_PROXY=172.18.0.0/16" in warning
    assert proxy_warning(Settings()) is None
    assert proxy_warning(Settings(os_trust_proxy="10.0.0.0/8")) is None


def test_without_networks_there_is_no_layer():
    async def app(scope, receive, send): ...

    assert proxy_layer(app, ()) is app
