"""Stands in the place of the conftest of Speaches' tests: the same fixtures, around our server."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from pydantic import SecretStr
from speaches.config import Config, WhisperConfig

from peers import servers

DEFAULT_WHISPER_CONFIG = WhisperConfig()
DEFAULT_CONFIG = Config(
    whisper=DEFAULT_WHISPER_CONFIG,
    stt_model_ttl=0,
    tts_model_ttl=0,
    vad_model_ttl=0,
    enable_ui=False,
    chat_completion_base_url="https://api.openai.com/v1",
    chat_completion_api_key=SecretStr("cant-be-empty"),
    loopback_host_url=None,
)
TIMEOUT = httpx.Timeout(60.0)


class AclientFactory:
    """For annotations."""


def _environment(config: Config) -> dict[str, str]:
    """What an operator of theirs would have set for this."""
    found = {
        "OS_COMPAT": "speaches",
        "STT_MODEL_TTL": str(config.stt_model_ttl),
        "TTS_MODEL_TTL": str(config.tts_model_ttl),
        "CHAT_COMPLETION_BASE_URL": servers.chat_api(),
        "STT_MODEL": "Systran/faster-whisper-tiny.en",
        "TTS_MODEL": "kokoro",
    }
    if config.api_key:
        found["API_KEY"] = config.api_key.get_secret_value()
    return found


@pytest_asyncio.fixture()
async def aclient_factory():
    @asynccontextmanager
    async def inner(config: Config = DEFAULT_CONFIG):
        url = servers.address(**_environment(config))
        async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
            yield client

    return inner


@pytest_asyncio.fixture()
async def aclient(aclient_factory):
    async with aclient_factory() as client:
        yield client


def _openai(client: Any) -> AsyncOpenAI:
    return AsyncOpenAI(
        api_key="cant-be-empty",
        base_url=f"{str(client.base_url).rstrip('/')}/v1",
        http_client=client,
        max_retries=0,
    )


@pytest.fixture
def openai_client(aclient):
    return _openai(aclient)


@pytest.fixture
def actual_openai_client():
    pytest.skip("asks OpenAI itself")


@pytest_asyncio.fixture()
async def dynamic_openai_client(target, aclient_factory):
    if target == "openai":
        pytest.skip("asks OpenAI itself")
    async with aclient_factory() as client:
        yield _openai(client)


@pytest_asyncio.fixture()
async def pull_model_without_cleanup(request, aclient):
    answer = await aclient.post(f"/v1/models/{request.param}")
    answer.raise_for_status()
