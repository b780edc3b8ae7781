"""Stands in the place of the conftest of Kokoro-FastAPI's tests: requests go to our server.

Their tests put mocks in the place of their own service. These change nothing here; the voices that
only the mocks have become voices of the model.
"""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree as ET

import httpx
import pytest
from api.src.services.text_processing import ssml as translator
from fastapi import testclient

from peers import servers

VOICES = {"test_voice": "af_heart", "voice1": "af_bella", "voice2": "am_michael"}


class _Client(httpx.Client):
    def __init__(self, app: object) -> None:
        super().__init__(timeout=60)

    def request(self, method, url, **options):
        if "json" in options:
            text = json.dumps(options["json"])
            for theirs, ours in VOICES.items():
                text = text.replace(theirs, ours)
            options["json"] = json.loads(text)
        address = servers.address(OS_COMPAT="kokoro", TTS_MODEL="kokoro", **_switches())
        return super().request(method, address + str(url), **options)


def _switches() -> dict[str, str]:
    """The environment for what a test has patched in their settings."""
    from api.src.core.config import settings

    names = ("enable_voice_tags", "enable_ssml", "enable_debug_endpoints", "allow_dev_unload")
    return {name.upper(): str(getattr(settings, name)).lower() for name in names} | {
        "STT_MODEL": "pocketsphinx/en-us"
    }


def _translate(text: str, default_voice: str = "", allow_voice_tags: bool = False) -> str:
    """Their function, by the route that has it."""
    asked = {"text": text, "voice": default_voice if allow_voice_tags else ""}
    answer = _Client(None).post("/dev/ssml", json=asked)
    if answer.status_code == 400:
        raise ET.ParseError(answer.json()["detail"]["message"])
    return str(answer.json()["text"])


translator.translate_ssml = _translate
setattr(testclient, "TestClient", _Client)  # noqa: B010 - of their types, not ours


@pytest.fixture
def test_voice():
    return "voice1"


@pytest.fixture(scope="session", autouse=True)
def server_at_its_address():
    """Tests that go to a running server find it at the address that they are told."""
    servers.address(
        OS_COMPAT="kokoro", TTS_MODEL="kokoro", STT_MODEL="pocketsphinx/en-us",
        ADDRESS=os.environ["KOKORO_BASE_URL"],
    )  # fmt: skip
