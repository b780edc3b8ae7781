"""Which models strangers may have."""

from __future__ import annotations

import pytest

from open_speech import Kind, ModelInfo, ModelSource
from open_speech._plugins.manifest import ProviderManifest
from open_speech._plugins.resolution import ResolvedModel
from open_speech.errors import ModelNotAllowed
from open_speech_server.api.models.access import permission
from open_speech_server.settings.settings import Settings

PROVIDER = ProviderManifest(name="any", distribution="any", version="1")


def resolved(
    name: str, revision: str | None = None, aliases: tuple[str, ...] = ()
) -> ResolvedModel:
    source = ModelSource(repo_id=name)
    model = ModelInfo(id=name, kind=Kind.TTS, sources=(source,), aliases=aliases)
    return ResolvedModel(provider=PROVIDER, backend="any", model=model, revision=revision)


@pytest.mark.parametrize(
    ("name", "revision", "listed", "allowed"),
    [
        ("org/listed", None, True, True),
        ("org/listed", "main", True, False),
        ("org/other", None, False, False),
        ("org/configured", None, False, True),
        ("org/configured", "abc", False, False),
        ("org/fixed", "abc", False, True),
        ("org/fixed", None, False, False),
    ],
)
def test_without_a_key_the_catalogue_and_what_is_configured(name, revision, listed, allowed):
    settings = Settings(tts_model="kokoro,org/configured,any:org/fixed@abc", stt_model="a//b")
    check = permission(settings)
    if allowed:
        check(resolved(name, revision), listed)
    else:
        with pytest.raises(ModelNotAllowed) as caught:
            check(resolved(name, revision), listed)
        assert "OS_API_KEY" in str(caught.value)
        assert "OS_ALLOW_ANY_MODEL" in str(caught.value)


def test_a_configured_short_name_means_its_model():
    check = permission(Settings(stt_model="short@abc"))
    check(resolved("org/long", "abc", ("short",)), True)
    with pytest.raises(ModelNotAllowed):
        check(resolved("org/long", "abd", ("short",)), True)


@pytest.mark.parametrize("open_", [{"os_api_key": "secret"}, {"os_allow_any_model": True}])
def test_with_a_key_or_leave_any_model(open_):
    permission(Settings(**open_))(resolved("org/other", "main"), False)
