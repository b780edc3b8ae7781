"""Servers that hear with Whisper models out of a fake hub, and what is sent to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from live import Live, live_server
from open_speech.testing import install_provider
from open_speech.testing.hub import FakeHub
from sound_files import KINDS, bare_decode, write

DATA = Path(__file__).parents[1] / "packages" / "open-speech-provider-whisper" / "tests" / "data"
DIGITS = DATA / "whisper-digits"
"""A tiny model that knows digits and some commands."""
TINY = "Systran/faster-whisper-tiny"
CLIP = DATA / "audio" / "digits_us_m4.wav"
SPOKEN = "one two three four five"
"""What is said in CLIP."""
PAUSE = DATA / "audio" / "two_phrases_2s_pause_gb_m4.wav"
URL = "/v1/audio/transcriptions"


@contextmanager
def hearing_server(folder: Path, models: Mapping[str, Path]) -> Iterator[Live]:
    """A server beside the tone provider; its default is the first of the models, from a hub."""
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    with FakeHub() as hub:
        for name, files in models.items():
            hub.add(name, files)
        environment = {
            "PYTHONPATH": str(folder / "site"),
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(folder / "nobodys"),
            "STT_MODEL": ",".join(models),
            "TTS_MODEL": "tone/sine",
        }
        with live_server(folder, environment) as server:
            yield server


def send(client: httpx.Client, audio: bytes, name: str = "a.wav", **fields: Any) -> httpx.Response:
    """Ask for a transcription."""
    return client.post(URL, files={"file": (name, audio)}, data=fields)


def as_kind(clip: Path, kind: str) -> bytes:
    """A clip as another kind of file."""
    if kind == "wav":
        return clip.read_bytes()
    muxer, codec, rate = KINDS[kind]
    return write(muxer, codec, bare_decode(clip.read_bytes(), rate)[None], rate)


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The events of a streamed answer."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data:")]
