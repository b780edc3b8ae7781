"""``open-speech migrate``: compose files and variables of other servers."""

from __future__ import annotations

import pytest
import yaml

from open_speech_server.cli import exits
from open_speech_server.cli.main import cli

SPEACHES = """
services:
  speaches:
    image: ghcr.io/speaches-ai/speaches:latest-cpu
    ports: ["9000:8000"]
    environment:
      - API_KEY=secret
      - STT_MODEL_TTL=-1
      - ENABLE_UI=false
    volumes:
      - hf-hub-cache:/home/ubuntu/.cache/huggingface/hub
  other: {image: nginx}
"""
KOKORO = """
services:
  kokoro-tts:
    build: .
    ports: ["8880:8880"]
    env_file: .env
    environment: {USE_GPU: true, ALLOW_DEV_UNLOAD: true, DEFAULT_VOICE: af_sky}
"""
VARIABLES = """
# Of open-speech 0.6
export STT_API_KEY="secret"
STT_DEFAULT_MODEL=Systran/faster-whisper-small
STT_PRELOAD_MODELS=Systran/faster-whisper-tiny
OS_PORT=8200
"""


@pytest.fixture
def migrate(tmp_path, capsys):
    def run(server: str, text: str, name: str = "compose.yaml"):
        file = tmp_path / name
        file.write_text(text)
        status = exits.run(cli, ["migrate", server, str(file)])
        out, err = capsys.readouterr()
        return status, yaml.safe_load(out) if out else None, err

    return run


def test_speaches(migrate):
    status, made, notes = migrate("speaches", SPEACHES)
    service = made["services"]["open-speech"]
    assert status == 0
    assert service["ports"] == ["9000:8000"]
    assert service["environment"] == [
        "OS_COMPAT=speaches",
        "OS_API_KEY=secret",
        "OS_COMPAT_KEEP_ALIVE_S=-1",
        "HF_HUB_CACHE=/old",
    ]
    assert "hf-hub-cache:/old:ro" in service["volumes"]
    assert made["volumes"]["hf-hub-cache"] == {"external": True}
    assert "The web page is always served" in notes
    assert "docker volume ls" in notes


def test_kokoro_fastapi(migrate):
    _, made, notes = migrate("kokoro", KOKORO)
    assert made["services"]["open-speech"]["environment"] == [
        "OS_COMPAT=kokoro",
        "TTS_VOICE=af_sky",
        "OS_COMPAT_ALLOW=voice-tags,ssml,unload",
    ]
    assert "TTS_DEVICE=cuda" in notes
    assert "env_file" in notes


def test_variables_of_our_own_past(migrate):
    _, made, _ = migrate("open-speech-0.6", VARIABLES, ".env")
    service = made["services"]["open-speech"]
    assert sorted(service["environment"]) == [
        "OS_API_KEY=secret",
        "OS_PORT=8200",
        "STT_MODEL=Systran/faster-whisper-small,Systran/faster-whisper-tiny",
    ]
    assert service["ports"] == ["8200:8200"]


def test_variables_of_the_shell(capsys, monkeypatch):
    monkeypatch.setenv("DEFAULT_VOICE", "af_sky")
    assert exits.run(cli, ["migrate", "kokoro"]) == 0
    assert "TTS_VOICE=af_sky" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {", "is not YAML"),
        ("- a list", "has no 'services'"),
        ("services: {a: {image: x}, b: {image: y}}", "has 0 services of that server"),
        ("services: {kokoro: {}, kokoro2: {}}", "has 2 services of that server"),
        ("services: {kokoro: {environment: 3}}", "'environment' is neither"),
    ],
)
def test_what_cannot_be_read_is_said(migrate, text, said):
    status, made, notes = migrate("kokoro", text)
    assert status != 0
    assert made is None
    assert said in notes
