"""Recordings above thirty minutes, heard chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from hearing import events_of, send
from live import Live, live_server
from open_speech.testing import install_provider
from sound_files import write

MINUTES = 31


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("long")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    models = {"STT_MODEL": "tone/echo", "TTS_MODEL": "tone/sine"}
    with live_server(folder, {"PYTHONPATH": str(folder / "site"), **models}) as server:
        yield server


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


@pytest.fixture(scope="module")
def talk() -> bytes:
    """A long recording of little size: tones a minute apart, silence otherwise."""
    minute = np.zeros(60 * 8_000, np.float32)
    minute[2_000:6_000] = np.sin(np.arange(4_000) / 3) * 0.5
    return write("flac", "flac", np.tile(minute, MINUTES)[None], 8_000)


class TestLongRecordings:
    """Above thirty minutes a recording is heard chunk by chunk."""

    def test_times_are_those_of_the_whole(self, client, talk):
        answer = send(client, talk, model="tone/echo", response_format="verbose_json").json()
        assert answer["duration"] == MINUTES * 60
        starts = np.array([each["start"] for each in answer["segments"]])
        minutes = np.round(starts / 60)
        assert set(minutes) == set(range(MINUTES))
        # Seconds are counted anew from where the recording was cut, which is no whole second.
        assert np.all(np.abs(starts - 60 * minutes) <= 1.01)
        assert np.all(np.diff(starts) > 0)

    def test_events_come_before_the_last_stretch_is_decoded(self, client, talk):
        answer = send(client, talk, model="tone/echo", stream="true")
        *deltas, done = events_of(answer)
        assert len(deltas) == len(done["text"].split(" samples peaking at ")) - 1 >= MINUTES
        assert done["usage"]["input_tokens"] == MINUTES * 600
