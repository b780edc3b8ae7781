"""The least that a provider has to write, and what core fills in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from open_speech import Audio, Kind, ModelInfo, ModelPattern, SpeechRequest, TTSBackend, TTSModel
from open_speech._plugins.backends import Backend, LoadContext, with_kind
from open_speech._plugins.discovery import InstalledProvider, load_backends
from open_speech._plugins.inspection import inspections
from open_speech._plugins.manifest import describe
from open_speech.errors import ProviderBroken
from open_speech.testing import sine


class LeastModel(TTSModel):
    def __init__(self, info: ModelInfo, context: LoadContext) -> None:
        self.given = (info, context)

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        yield sine(0.1)

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(id="least", description="known once loaded")


class LeastBackend(TTSBackend):
    name = "least"
    models = (ModelInfo(id="least"),)
    patterns = (ModelPattern(glob="least-*", template=ModelInfo(id="")),)
    model_class = LeastModel

    def inspect(self, path: Path) -> ModelInfo | None:
        return ModelInfo(id="found")


class NoModelBackend(TTSBackend):
    name = "least"
    models = (ModelInfo(id="least"),)


class BareBackend(Backend):
    name = "least"
    kind = Kind.TTS


class LoadingBackend(NoModelBackend):
    def load(self, model: ModelInfo, context: LoadContext) -> LeastModel:
        return LeastModel(model, context)


def installed(attribute: str) -> InstalledProvider:
    return InstalledProvider(
        name="least",
        module=f"{__name__}:{attribute}",
        distribution="least",
        version="1",
        location=Path(__file__).parent,
    )


def test_an_entry_point_may_name_the_class_of_the_backend():
    (backend,) = load_backends(installed("LeastBackend"))
    assert isinstance(backend, LeastBackend)


def test_the_kind_of_a_model_is_that_of_its_backend():
    (described,) = describe(installed("LeastBackend")).backends
    assert [model.kind for model in described.models] == [Kind.TTS]
    assert [pattern.template.kind for pattern in described.patterns] == [Kind.TTS]


def test_the_kind_of_an_inspected_path_is_that_of_its_backend():
    (inspection,) = inspections(installed("LeastBackend"), [Path()])
    assert [claim.model.kind for claim in inspection.claims] == [Kind.TTS]


def test_a_kind_that_a_model_states_is_kept_for_the_conformance_suite_to_find():
    assert with_kind(LeastBackend(), ModelInfo(id="x", kind=Kind.STT)).kind is Kind.STT


def test_load_makes_the_model_class_with_what_it_is_given():
    backend, context = LeastBackend(), LoadContext(device="cuda")
    model = backend.load(backend.models[0], context)
    assert isinstance(model, LeastModel)
    assert model.given == (backend.models[0], context)


@pytest.mark.parametrize("attribute", ["NoModelBackend", "BareBackend"])
def test_a_backend_that_can_load_nothing_is_broken_with_the_reason(attribute):
    with pytest.raises(ProviderBroken, match="neither `model_class` nor `load`"):
        load_backends(installed(attribute))


def test_a_backend_may_load_in_its_own_way():
    assert load_backends(installed("LoadingBackend"))
