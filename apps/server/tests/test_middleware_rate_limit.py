from __future__ import annotations

import inspect
import ipaddress
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech_server.middleware.rate_limit import MAX_CLIENTS, RateLimiter, client_key


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_may_come_at_once_and_then_one_by_one():
    clock = Clock()
    limiter = RateLimiter(60, clock=clock)
    assert [limiter.take(b"a") for _ in range(60)] == [0.0] * 60
    assert limiter.take(b"a") == pytest.approx(1.0)
    assert limiter.take(b"b") == 0.0
    clock.now += 1.0
    assert limiter.take(b"a") == 0.0
    assert limiter.take(b"a") > 0


def test_the_burst_is_what_may_come_at_once():
    clock = Clock()
    limiter = RateLimiter(60, burst=5, clock=clock)
    assert [bool(limiter.take(b"a")) for _ in range(7)] == [False] * 5 + [True] * 2
    clock.now += 2.0
    assert [bool(limiter.take(b"a")) for _ in range(3)] == [False, False, True]


@given(
    rate=st.integers(1, 600),
    burst=st.integers(0, 50),
    steps=st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=200),
)
def test_no_pattern_gets_more_than_burst_and_rate(rate, burst, steps):
    clock = Clock()
    limiter = RateLimiter(rate, burst=burst, clock=clock)
    passed = 0
    for step in steps:
        clock.now += step
        wait = limiter.take(b"a")
        passed += not wait
        if wait:
            clock.now += wait
            assert limiter.take(b"a") == 0.0
            passed += 1
    assert passed <= (burst or rate) + (clock.now - 1000.0) * rate / 60 + 1e-6


def test_the_wall_clock_has_no_say():
    assert inspect.signature(RateLimiter).parameters["clock"].default is time.monotonic


def test_however_many_addresses_stay_within_bounds():
    limiter = RateLimiter(60)
    tracemalloc.start()
    try:
        for number in range(MAX_CLIENTS + 1000):
            limiter.take(number.to_bytes(8, "big"))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 50_000_000
    assert len(limiter) == MAX_CLIENTS


def test_a_client_that_keeps_coming_is_not_forgotten():
    limiter = RateLimiter(1, max_clients=100, clock=Clock())
    assert limiter.take(b"steady") == 0.0
    for number in range(1000):
        limiter.take(number.to_bytes(4, "big"))
        assert number % 50 or limiter.take(b"steady") > 0
    assert len(limiter) == 100


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("testclient", "another", False),
        (None, "", True),
    ],
)
def test_what_counts_as_one_client(one, other, same):
    assert (client_key(one) == client_key(other)) is same


@given(st.ip_addresses(v=6) | st.ip_addresses(v=4) | st.text(max_size=300))
def test_a_key_is_short(host):
    assert len(client_key(str(host))) <= 256
    if isinstance(host, ipaddress.IPv6Address):
        assert len(client_key(str(host))) <= 8


async def test_too_many_get_a_429_in_openai_form(client):
    async with client(os_rate_limit=60, os_rate_limit_burst=2) as web:
        answers = [await web.get("/v1/models", headers={"Origin": "http://x"}) for _ in range(3)]
        health = await web.get("/health")
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert int(refused.headers["retry-after"]) == 1
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert refused.headers["access-control-allow-origin"] == "*"
    assert health.status_code == 200


async def test_guessing_keys_is_limited(client):
    async with client(os_api_key="right", os_rate_limit=60, os_rate_limit_burst=1) as web:
        answers = [await web.get("/v1/models") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [401, 429]


async def test_a_forged_forwarded_for_does_not_help(client):
    values = {"os_rate_limit": 60, "os_rate_limit_burst": 1}
    for trust, address, codes in (
        ("false", "192.0.2.7", [200, 429]),
        ("10.0.0.0/8", "192.0.2.7", [200, 429]),
        ("10.0.0.0/8", "10.0.0.1", [200, 429]),
    ):
        async with client(os_trust_proxy=trust, address=address, **values) as web:
            answers = [
                await web.get(
                    "/v1/models", headers={"X-Forwarded-For": f"198.51.100.{n}, 192.0.2.9"}
                )
                for n in range(2)
            ]
        assert [answer.status_code for answer in answers] == codes
