"""The seed's compose examples as plain environments: from an empty volume to the first answers.

The providers are stand-ins under the names of the real ones, so that the cases differ in nothing
but their environment: routing, fetching, devices, fallbacks and swapping models are the real ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from live import Live, live_server
from open_speech.testing import install_provider, sine, wav_bytes
from open_speech.testing.hub import FakeHub

STAND_IN = '''
"""Tones under the names of {name}."""

from dataclasses import replace

from open_speech import Kind, ModelInfo, ModelPattern, ModelSource, STTBackend, TTSBackend, hookimpl
from open_speech.testing.tone import EchoModel, ToneModel, EchoBackend, ToneBackend

STT, TTS = EchoBackend().list_available()[0], ToneBackend().list_available()[0]
NAMES = {names!r}


def info(name, repository):
    return replace(
        {kind}, id=name, devices=("cpu", "cuda"), compute_types=("int8", "float16"),
        sources=(ModelSource(repo_id=repository),), aliases=(), voice_aliases={{}},
    )


class StandIn({kind}Backend):
    name = "{name}"
    patterns = tuple(
        ModelPattern(glob=name, template=info("any", repository))
        for name, repository in NAMES.items() if "*" in name
    )

    def list_available(self):
        return [info(name, repository) for name, repository in NAMES.items() if "*" not in name]

    def load(self, model, context):
        path = context.paths["model"] / "model.bin"
        assert path.stat().st_size > 100_000
        return EchoModel(model) if {kind!r} == "STT" else ToneModel(model, context.options)


@hookimpl
def open_speech_backends():
    return [StandIn()]
'''
PROVIDERS = {
    "whisper": (
        "STT",
        {
            "Systran/faster-whisper-tiny": "Systran/faster-whisper-tiny",
            "Systran/faster-whisper-base": "Systran/faster-whisper-base",
            "deepdml/faster-whisper-*": "{name}",
        },
    ),
    "kokoro": ("TTS", {"kokoro": "hexgrad/Kokoro-82M"}),
    "piper": ("TTS", {"piper/en_US-lessac-medium": "rhasspy/piper-voices"}),
    "qwen3": ("TTS", {"qwen3-tts-0.6b": "Qwen/Qwen3-TTS-12Hz-0.6B-Base"}),
}
REPOSITORIES = [
    "Systran/faster-whisper-tiny",
    "Systran/faster-whisper-base",
    "deepdml/faster-whisper-large-v3-turbo-ct2",
    "hexgrad/Kokoro-82M",
    "rhasspy/piper-voices",
    "Qwen/Qwen3-TTS-12Hz-0.6B-Base",
]
CASES = {
    "minimal": {
        "STT_MODEL": "Systran/faster-whisper-tiny",
        "STT_DEVICE": "cpu",
        "TTS_MODEL": "piper/en_US-lessac-medium",
        "TTS_DEVICE": "cpu",
    },
    "balanced": {
        "STT_MODEL": "Systran/faster-whisper-base",
        "STT_DEVICE": "cpu",
        "STT_COMPUTE_TYPE": "int8",
        "TTS_MODEL": "kokoro",
        "TTS_DEVICE": "cpu",
    },
    "workstation": {
        "STT_MODEL": "deepdml/faster-whisper-large-v3-turbo-ct2",
        "STT_DEVICE": "cuda",
        "STT_COMPUTE_TYPE": "float16",
        "TTS_MODEL": "kokoro",
        "TTS_DEVICE": "cuda",
    },
    "cloning": {
        "STT_MODEL": "deepdml/faster-whisper-large-v3-turbo-ct2",
        "STT_DEVICE": "cuda",
        "TTS_MODEL": "qwen3-tts-0.6b",
        "TTS_DEVICE": "cuda",
        "TTS_VOICE": "default",
    },
    "split": {
        "STT_MODEL": "Systran/faster-whisper-base",
        "STT_DEVICE": "cpu",
        "TTS_MODEL": "qwen3-tts-0.6b",
        "TTS_DEVICE": "cuda",
    },
}
pytestmark = pytest.mark.deep


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        for name in REPOSITORIES:
            hub.add(name, {"model.bin": random.Random(name).randbytes(200_000)})
        yield hub


@pytest.fixture
def base(tmp_path: Path, hub: FakeHub) -> dict[str, str]:
    for name, (kind, names) in PROVIDERS.items():
        source = STAND_IN.format(name=name, kind=kind, names=names)
        install_provider(tmp_path / "site", name, source)
    return {
        "PYTHONPATH": str(tmp_path / "site"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path / "nobodys"),
        "TTS_VOICE": "af_heart",  # the server's default, which most of these models lack
    }


def answers(live: Live) -> None:
    """It speaks and listens with its defaults, as a client that names none asks for."""
    with live.client() as client:
        spoken = client.post("/v1/audio/speech", json={"input": "Hello", "model": "tts-1"})
        assert spoken.status_code == 200, spoken.text
        assert len(spoken.content) > 500
        heard = client.post(
            "/v1/audio/transcriptions",
            files={"file": ("a.wav", wav_bytes(sine(1.0)))},
            data={"model": "whisper-1"},
        )
        assert heard.status_code == 200, heard.text
        assert heard.json()["text"].startswith("16000 samples")


def loaded(client: httpx.Client) -> dict[str, tuple[str, str | None]]:
    models = client.get("/api/ps").json()["models"]
    return {each["id"]: (each["device"], each["compute_type"]) for each in models}


@pytest.mark.parametrize("name", CASES)
def test_from_an_empty_volume_to_the_first_answers(name, base, hub, tmp_path):
    case = CASES[name]
    with live_server(tmp_path, {**base, **case}) as live, live.client() as client:
        answers(live)
        running = loaded(client)
        assert set(running) == {case["STT_MODEL"], case["TTS_MODEL"]}
        stt = case.get("STT_COMPUTE_TYPE", "int8")
        assert running[case["STT_MODEL"]] == (case["STT_DEVICE"], stt)
        assert running[case["TTS_MODEL"]][0] == case["TTS_DEVICE"]
    assert len(hub.gets("*/model.bin")) == 2


def test_a_model_is_swapped_by_one_line_and_a_restart(base, hub, tmp_path):
    with live_server(tmp_path, {**base, **CASES["balanced"]}) as live:
        answers(live)
    hub.forget()
    changed = {**CASES["balanced"], "TTS_MODEL": "piper/en_US-lessac-medium"}
    with live_server(tmp_path, {**base, **changed}) as live, live.client() as client:
        answers(live)
        assert set(loaded(client)) == {changed["STT_MODEL"], changed["TTS_MODEL"]}
    assert {exchange.key for exchange in hub.gets()} == {"rhasspy/piper-voices/model.bin"}
    hub.forget()
    with live_server(tmp_path, {**base, **CASES["balanced"]}) as live:
        answers(live)
    assert hub.exchanges == []
