"""What is offered: names, sizes, abilities; which pattern a name falls under."""

from __future__ import annotations

import pytest

from open_speech import Capability, ModelInfo
from open_speech._plugins.manifest import BackendManifest, ProviderManifest
from open_speech._plugins.resolution import Router
from open_speech_provider_whisper import WhisperBackend
from open_speech_provider_whisper.catalogue import MODELS


@pytest.fixture(scope="module")
def router() -> Router:
    backend = WhisperBackend()
    offered = BackendManifest(
        name=backend.name,
        kind=backend.kind,
        models=tuple(backend.list_available()),
        patterns=backend.patterns,
    )
    provider = ProviderManifest(
        name="whisper", distribution="tests", version="0", backends=(offered,)
    )
    return Router([provider])


def found(router: Router, name: str) -> ModelInfo:
    return router.resolve(name).model


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_model_is_what_its_name_says(model: ModelInfo) -> None:
    english = model.id.endswith(".en") or "distil" in model.id
    translates = not english and "turbo" not in model.id
    assert (model.languages == ("en",)) is english
    assert (Capability.TRANSLATION in model.capabilities) is translates
    assert (Capability.LANGUAGE_DETECTION in model.capabilities) is not english
    assert Capability.VOICE_ACTIVITY in model.capabilities
    (source,) = model.sources
    assert source.repo_id == model.id
    assert source.size_bytes == model.size_bytes
    assert model.license == "MIT"


def test_cantonese_came_with_large_v3(router: Router) -> None:
    assert "yue" in found(router, "Systran/faster-whisper-large-v3").languages
    assert "yue" not in found(router, "Systran/faster-whisper-large-v2").languages


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("faster-whisper-base", "Systran/faster-whisper-base"),
        ("faster-whisper-large-v3-turbo-ct2", "deepdml/faster-whisper-large-v3-turbo-ct2"),
        ("faster-whisper-large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
        ("distil-large-v3.5-ct2", "distil-whisper/distil-large-v3.5-ct2"),
        ("faster-distil-whisper-small.en", "Systran/faster-distil-whisper-small.en"),
    ],
)
def test_short_names_work(router: Router, name: str, id: str) -> None:  # noqa: A002
    assert found(router, name).id == id


@pytest.mark.parametrize(
    ("name", "english", "translates"),
    [
        ("guillaumekln/faster-whisper-base", False, True),
        ("guillaumekln/faster-whisper-base.en", True, False),
        ("somebody/faster-whisper-large-v3-turbo-german", False, False),
        ("somebody/faster-distil-whisper-large-v3-fr", False, False),
        ("somebody/whisper-small-ct2-int8", False, True),
        ("somebody/whisper-small.en-ct2", True, False),
        ("somebody/whisper-large-v3-turbo-ct2", False, False),
        ("somebody/my-whisper-ctranslate2", False, True),
    ],
)
def test_other_repositories_fall_under_a_pattern(
    router: Router, name: str, english: bool, translates: bool
) -> None:
    model = found(router, name)
    assert model.id == name
    assert model.sources[0].repo_id == name
    assert (model.languages == ("en",)) is english
    assert (Capability.TRANSLATION in model.capabilities) is translates


@pytest.mark.parametrize("name", ["openai/whisper-base", "openai/whisper-base.en", "a/kokoro-ct2"])
def test_other_formats_are_not_claimed(router: Router, name: str) -> None:
    with pytest.raises(Exception, match="No installed provider"):
        router.resolve(name)
