"""The catalogue: data only, complete, with names that core can parse."""

from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatchcase
from importlib import metadata

import pytest

from open_speech import Capability, LoadContext, ModelId, ModelInfo, SpeechRequest
from open_speech_provider_espeak import EspeakBackend, open_speech_backends
from open_speech_provider_espeak.voices import VOICES

OPENAI_NAMES = "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar"


def _templates() -> list[ModelInfo]:
    return [pattern.template for pattern in EspeakBackend.patterns]


def test_entry_point_leads_to_the_hook() -> None:
    (entry,) = metadata.entry_points(group="open_speech", name="espeak")
    module = entry.load()
    assert [type(backend) for backend in module.open_speech_backends()] == [EspeakBackend]


def test_importing_and_listing_loads_no_engine() -> None:
    code = """if True:
        import sys
        import open_speech_provider_espeak as provider
        backends = provider.open_speech_backends()
        assert all(backend.list_available() for backend in backends)
        assert "espeakng_loader" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_catalogue_is_one_model_with_every_language() -> None:
    (backend,) = open_speech_backends()
    (model,) = backend.list_available()
    assert model.id == "espeak/en-us"
    assert model.default_voice == model.voices[0].id == "en-us"
    assert len(model.languages) > 100
    assert model.sources == ()
    assert Capability.WORD_TIMESTAMPS in model.capabilities


@pytest.mark.parametrize("model", [*EspeakBackend().list_available(), *_templates()])
def test_every_model_has_sane_names(model: ModelInfo) -> None:
    assert ModelId.parse(model.id).name == model.id
    ids = [voice.id for voice in model.voices]
    assert len(ids) == len(set(ids))
    assert model.default_voice in ids
    assert set(model.voice_aliases) == set(OPENAI_NAMES.split())
    assert len(set(model.voice_aliases.values())) == 13
    assert set(model.voice_aliases.values()) <= set(ids)


def test_each_pattern_claims_its_own_name_alone() -> None:
    names = [template.id for template in _templates()]
    assert len(names) == len(set(names)) == len(VOICES) - 1
    for pattern in EspeakBackend.patterns:
        assert [name for name in names if fnmatchcase(name, pattern.glob)] == [pattern.template.id]
    assert not any(fnmatchcase("espeak/en-us", pattern.glob) for pattern in EspeakBackend.patterns)


def test_a_model_named_by_its_language_speaks_it() -> None:
    (german,) = (template for template in _templates() if template.id == "espeak/de")
    model = EspeakBackend().load(german, LoadContext())
    assert german.default_voice == "de"
    assert list(model.synthesize(SpeechRequest(text="Guten Tag", voice="de")))
    model.close()
    model.close()
