from __future__ import annotations

import pytest


@pytest.mark.parametrize("given", ["abc", "a.b-c_D9", "x" * 128])
async def test_a_sane_id_is_kept(client, given):
    async with client() as web:
        response = await web.get("/health", headers={"X-Request-Id": given})
    assert response.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "a\tb", "x" * 129, "<script>", "a;b", "\x7f"])
async def test_another_is_replaced(client, given):
    async with client() as web:
        first = await web.get("/health", headers={"X-Request-Id": given})
        second = await web.get("/health")
    made = first.headers["x-request-id"]
    assert made != given
    assert len(made) == 32
    assert second.headers["x-request-id"] != made


async def test_a_refusal_carries_the_id_too(client):
    async with client(os_api_key="right") as web:
        response = await web.get("/v1/models", headers={"X-Request-Id": "mine"})
    assert (response.status_code, response.headers["x-request-id"]) == (401, "mine")
