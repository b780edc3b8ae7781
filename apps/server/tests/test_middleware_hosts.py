from __future__ import annotations

import pytest

KEY = {"X-API-Key": "k"}
REBOUND = ["evil.example", "evil.example:8100", "10.0.0.5", "LOCALHOST.evil.example"]
OWN = ["localhost", "LocalHost:8100", "127.0.0.1:8100", "127.9.9.9", "[::1]:8100",
       "host.docker.internal", "speech.local", "my.localhost"]  # fmt: skip


@pytest.mark.parametrize("host", OWN)
async def test_a_loopback_server_answers_to_its_own_names(client, host):
    async with client(os_host="127.0.0.1") as web:
        assert (await web.get("/v1/models", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", REBOUND)
async def test_a_loopback_server_without_a_key_answers_to_no_other(client, host):
    async with client(os_host="127.0.0.1") as web:
        response = await web.get("/v1/models", headers={"Host": host})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "host_not_allowed"
    assert "OS_ALLOWED_HOSTS" in response.json()["error"]["message"]


@pytest.mark.parametrize("settings", [{"os_host": "0.0.0.0"}, {"os_api_key": "k"}])
async def test_a_key_or_an_open_address_allows_every_name(client, settings):
    async with client(**{"os_host": "127.0.0.1", **settings}) as web:
        response = await web.get("/v1/models", headers={**KEY, "Host": "speech.example"})
    assert response.status_code == 200


@pytest.mark.parametrize("settings", [{}, {"os_api_key": "k"}, {"os_host": "0.0.0.0"}])
async def test_named_hosts_are_the_only_ones(client, settings):
    async with client(os_allowed_hosts="speech.example, 10.0.0.5", **settings) as web:
        for host, status in (("Speech.Example:443", 200), ("10.0.0.5", 200), ("localhost", 403)):
            response = await web.get("/v1/models", headers={**KEY, "Host": host})
            assert response.status_code == status, host


async def test_a_star_allows_all(client):
    async with client(os_host="127.0.0.1", os_allowed_hosts="*") as web:
        response = await web.get("/v1/models", headers={"Host": "evil.example"})
    assert response.status_code == 200


async def test_probes_call_the_server_by_any_address(client):
    async with client(os_allowed_hosts="speech.example") as web:
        for path in ("/health", "/health/live", "/health/ready"):
            response = await web.get(path, headers={"Host": "10.1.2.3:8100"})
            assert response.status_code != 403, path
