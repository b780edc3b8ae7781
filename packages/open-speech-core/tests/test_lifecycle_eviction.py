"""Memory is limited as it is measured, and the right models go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from open_speech import OpenSpeech, Policy
from open_speech._lifecycle import eviction
from open_speech.testing.install import install_provider

HEAVY = '''
"""Models that hold as much device memory as they are told."""

import os

from open_speech import Audio, Kind, ModelInfo, TTSBackend, TTSModel, hookimpl

NAMES = ("a", "b", "c")


class HeavyModel(TTSModel):
    def __init__(self, name):
        self.name = name

    def synthesize(self, request):
        return iter(())

    def device_memory_bytes(self):
        return int(os.environ.get("HEAVY_MB", "100")) * 2**20


class HeavyBackend(TTSBackend):
    name = "heavy"

    def list_available(self):
        return [ModelInfo(id=f"heavy/{name}", kind=Kind.TTS) for name in NAMES]

    def load(self, model, context):
        return HeavyModel(model.id)


@hookimpl
def open_speech_backends():
    return [HeavyBackend()]
'''


@pytest.fixture
def heavy(site, make_speech):
    """``heavy(megabytes)``: a service with a budget of so much, in this process."""
    install_provider(site, "heavy", HEAVY)

    @asynccontextmanager
    async def make(megabytes: int) -> AsyncIterator[OpenSpeech]:
        policy = Policy(device_memory_budget_bytes=megabytes * 2**20, ttl_s=0)
        options = {"install": (), "providers": {"heavy"}, "isolated": False}
        async with make_speech(policy=policy, **options) as speech:
            yield speech

    return make


def loaded(speech: OpenSpeech) -> set[str]:
    return {each.key.name[-1] for each in speech.manager.instances if each.host}


async def load(speech: OpenSpeech, name: str, **how: bool) -> None:
    await speech.manager.load(f"heavy/{name}", **how)
    await asyncio.gather(*speech.manager._tasks)


async def test_the_least_recently_used_idle_one_goes(heavy):
    async with heavy(250) as speech:
        for name in "abab":
            await load(speech, name)
        assert loaded(speech) == {"a", "b"}
        await load(speech, "c")
        assert loaded(speech) == {"b", "c"}


async def test_defaults_go_last_and_pinned_ones_never(heavy):
    async with heavy(250) as speech:
        await load(speech, "a", default=True)
        await load(speech, "b")
        await load(speech, "c")
        assert loaded(speech) == {"a", "c"}
        await load(speech, "c", pin=True)
        await load(speech, "b")
        assert loaded(speech) == {"b", "c"}


async def test_what_is_in_use_stays_and_the_log_says_so_once(heavy, caplog):
    async with heavy(150) as speech:
        async with speech.manager.lease("heavy/a"):
            await load(speech, "b")
            for _ in range(2):
                await speech.manager._evictor.keep_budgets(new=speech.manager.instance("heavy/b"))
            assert loaded(speech) == {"a", "b"}
            said = [line for line in caplog.messages if "is exceeded by heavy/a, heavy/b" in line]
            assert len(said) == 1
        await speech.manager._evictor.keep_budgets()
        assert loaded(speech) == {"a"}  # the last one used


async def test_one_that_is_too_large_alone_stays(heavy, caplog):
    async with heavy(50) as speech:
        await load(speech, "a")
        assert loaded(speech) == {"a"}
        await speech.manager._evictor.keep_budgets()
        assert loaded(speech) == {"a"}
        assert "budget of device memory (50 MiB) is exceeded by heavy/a" in caplog.text
        await load(speech, "b")
        assert loaded(speech) == {"b"}


async def test_models_that_grow_are_noticed(heavy, monkeypatch, caplog):
    monkeypatch.setattr(eviction, "BUDGET_PERIOD_S", 0.01)
    caplog.set_level(logging.INFO)
    async with heavy(250) as speech:
        await load(speech, "a")
        await load(speech, "b")
        with speech.events.listen() as events:
            monkeypatch.setenv("HEAVY_MB", "200")
            async with asyncio.timeout(60):
                while (news := await events.get()).kind != "evicted":
                    pass
        assert (news.model, news.data["by"]) == ("heavy/a", "budget")
        assert "the budget of device memory is used up" in caplog.text


async def test_without_a_budget_nothing_is_measured(heavy):
    async with heavy(0) as speech:
        for name in "abc":
            await load(speech, name)
        assert loaded(speech) == {"a", "b", "c"}
