"""The suite that every provider runs, over a server that speaks upstream's routes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fish_upstream import running

from open_speech import LoadContext
from open_speech.testing import TTSConformance
from open_speech_provider_fish import FishBackend


class TestFishServer(TTSConformance):
    """The engine that is elsewhere; the local one needs an environment of its own."""

    backend = FishBackend
    models = ("fish-server",)
    engine_modules = ("fish_speech", "dac", "audiotools")
    # The repository belongs to others; which commit is loaded is fixed at the first download.
    allow_unpinned = True
    streams = True
    reference_text = "A tone."

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _server(cls) -> Iterator[None]:
        for upstream in running():
            cls.context = LoadContext(options={"url": upstream.url})
            yield
