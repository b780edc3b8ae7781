from __future__ import annotations

import re
import socket

import pytest
import uvicorn

from open_speech_server.middleware.stack import exposure_warning, uvicorn_options, wrap
from open_speech_server.settings.settings import Settings
from open_speech_server.tls import Certificate, self_signed


@pytest.mark.parametrize(
    ("host", "key", "warned"),
    [
        ("0.0.0.0", None, True),
        ("::", None, True),
        ("192.168.1.5", None, True),
        ("speech.example", None, True),
        ("0.0.0.0", "key", False),
        ("127.0.0.1", None, False),
        ("127.8.8.8", None, False),
        ("::1", None, False),
        ("[::1]", None, False),
        ("localhost", None, False),
    ],
)
def test_exposure_is_said_aloud(host, key, warned):
    warning = exposure_warning(Settings(os_host=host, os_api_key=key))
    assert (warning is not None) is warned
    if warning:
        assert host in warning
        assert "OS_API_KEY" in warning


def test_the_options_are_ones_that_uvicorn_takes(tmp_path):
    made = self_signed(tmp_path, host="0.0.0.0")
    config = uvicorn.Config("none:app", **uvicorn_options(Settings(), made))
    assert (config.host, config.port) == ("0.0.0.0", 8100)
    assert config.is_ssl
    assert not config.proxy_headers
    assert config.timeout_graceful_shutdown < 1  # Server waits itself
    plain = uvicorn.Config("none:app", **uvicorn_options(Settings(), None))
    assert not plain.is_ssl
    assert isinstance(made, Certificate)


async def test_other_scopes_pass_through_all_layers(ask):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    settings = Settings(os_api_key="k", os_rate_limit=1, os_trust_proxy="true")
    await ask(wrap(app, settings), type="lifespan")
    assert seen == ["lifespan"]


def test_answers_do_not_name_the_software(serve, tiny):
    port = serve(tiny())
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        reply = connection.makefile("rb").read()
    assert reply.startswith(b"HTTP/1.1 200")
    assert not re.search(rb"(?mi)^server:", reply)
    assert re.search(rb"(?mi)^x-request-id:", reply)
