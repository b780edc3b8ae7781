"""The list of all models: what is in it, and what of it is written anew."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from open_speech import Config, OpenSpeech
from open_speech._hosts import ThisProcess
from open_speech.store import Store
from open_speech.testing import install_provider
from open_speech_server.api.models import model_list
from open_speech_server.api.models.model_json import model_json
from open_speech_server.api.models.model_list import ModelList
from open_speech_server.graphics import devices
from open_speech_server.settings.settings import Settings


@pytest_asyncio.fixture
async def speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenSpeech]:
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    config = Config(
        providers={"tone"},
        home=ThisProcess(),
        weights=Store(tmp_path / "models", offline=True),
        local_models={"mine/notes": tmp_path / "site"},
    )
    async with OpenSpeech(config) as speech:
        yield speech


@pytest.fixture
def models(speech: OpenSpeech) -> ModelList:
    return ModelList(speech, Settings(stt_model="nobody/hears", tts_model="tone/sine,nobody/sings"))


async def listed(models: ModelList) -> dict[str, dict[str, object]]:
    return {each["id"]: each for each in json.loads(f"{{{await models.members()}}}")["models"]}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that were turned into JSON, in their order."""
    names: list[str] = []

    def noting(status):
        names.append(status.id)
        return model_json(status)

    monkeypatch.setattr(model_list, "model_json", noting)
    return names


async def test_it_tells_what_the_statuses_say_and_what_the_machine_has(speech, models):
    told = json.loads(f"{{{await models.members()}}}")
    assert told["devices"] == list(devices())
    assert told["default_device"] == {"stt": "cpu", "tts": "cpu"}
    expected = [model_json(status) for status in await speech.models()]
    assert told["models"][: len(expected)] == json.loads(json.dumps(expected))


async def test_an_entry_is_written_again_only_when_something_happened(speech, models, written):
    served = {status.id for status in await speech.models()}
    first = await listed(models)
    assert served <= set(written)
    written.clear()
    assert await listed(models) == first
    assert not served & set(written)
    speech.manager.pin("tone/plain")
    pinned = await listed(models)
    assert served & set(written) == {"tone/plain"}
    assert pinned["tone/plain"]["pinned"]
    written.clear()
    await speech.rescan()
    assert (await listed(models)).keys() == first.keys()
    assert served <= set(written)


async def test_a_local_model_that_nobody_recognises_says_why_and_what_to_do(models):
    entry = (await listed(models))["mine/notes"]
    assert (entry["type"], entry["state"]) == ("unknown", "provider_missing")
    assert "no installed provider recognises" in entry["error"]
    assert "a format that an installed provider reads" in entry["error"]


async def test_configured_models_that_nobody_serves_say_why(models):
    found = await listed(models)
    for name, kind, default in (("nobody/hears", "stt", True), ("nobody/sings", "tts", False)):
        entry = found[name]
        assert (entry["type"], entry["is_default"]) == (kind, default)
        assert "No installed provider serves" in entry["error"]


async def test_what_is_on_disk_without_a_provider_says_why(speech, models, tmp_path, monkeypatch):
    assert models.why_not("tone/sine") is None
    next((tmp_path / "site").glob("*tone*.dist-info")).rename(tmp_path / "gone")
    await speech.rescan()
    # What was found out before does not outlive the providers it was about.
    assert "no longer installed" in str(models.why_not("tone/sine"))
    entry = (await listed(models))["tone/sine"]
    assert entry["state"] == "provider_missing"
    assert entry["is_default"]
