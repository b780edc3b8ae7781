"""A folder of installed providers, and an ``OpenSpeech`` that finds them there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from open_speech import Config, OpenSpeech, Policy
from open_speech._hosts import ThisProcess, WorkerOptions, Workers
from open_speech.testing.install import install_provider

MakeSpeech = Callable[..., AbstractAsyncContextManager[OpenSpeech]]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder on the path of this process and of the workers."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def environment(site: Path) -> dict[str, str]:
    """The workers' environment variables; add to it before the first worker starts."""
    return {**os.environ, "PYTHONPATH": str(site)}


@pytest.fixture
def make_speech(site: Path, environment: dict[str, str]) -> MakeSpeech:
    """Make an ``OpenSpeech`` with the tone and the faulty provider."""

    @asynccontextmanager
    async def make(
        *, install: tuple[str, ...] = ("tone", "faulty"), isolated: bool = True, **config: Any
    ) -> AsyncIterator[OpenSpeech]:
        for name in install:
            install_provider(site, name, f"open_speech.testing.{name}")
        config.setdefault("policy", Policy(call_timeout_s=60.0, drain_timeout_s=60.0))
        config.setdefault("providers", install)  # not what the developer has installed
        config.setdefault("home", Workers() if isolated else ThisProcess())
        workers = WorkerOptions(environment=environment)
        async with OpenSpeech(Config(workers=workers, **config)) as speech:
            yield speech

    return make
