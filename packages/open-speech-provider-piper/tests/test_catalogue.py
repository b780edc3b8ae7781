"""What is offered: names, files, sizes, speakers; which pattern a name falls under."""

from __future__ import annotations

import pytest

from open_speech import Capability, ModelId, ModelInfo
from open_speech._plugins.manifest import BackendManifest, ProviderManifest
from open_speech._plugins.patterns import claimed
from open_speech._plugins.resolution import Router
from open_speech.errors import ModelNotFound
from open_speech_provider_piper import PiperBackend
from open_speech_provider_piper._speakers import SPEAKERS
from open_speech_provider_piper._voices import LANGUAGES, SIZES
from open_speech_provider_piper.catalogue import MODELS, PATTERNS, primary


@pytest.fixture(scope="module")
def router() -> Router:
    backend = PiperBackend()
    offered = BackendManifest(
        name=backend.name,
        kind=backend.kind,
        models=tuple(backend.list_available()),
        patterns=backend.patterns,
    )
    provider = ProviderManifest(
        name="piper", distribution="tests", version="0", backends=(offered,)
    )
    return Router([provider])


def found(router: Router, name: str) -> ModelInfo:
    return router.resolve(name).model


def test_every_voice_of_the_catalogue_is_there() -> None:
    assert len(MODELS) == len(SIZES) == 176
    assert {name.partition("-")[0] for name in SIZES} == set(LANGUAGES)
    assert set(SPEAKERS) <= set(SIZES)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_voice_is_what_its_name_says(model: ModelInfo) -> None:
    ModelId.parse(model.id)
    (source,) = model.sources
    (graph, config), (card,) = source.files, source.optional
    assert source.repo_id == "rhasspy/piper-voices"
    assert config == f"{graph}.json"
    language, code, dataset, quality, file = graph.split("/")
    assert file == f"{code}-{dataset}-{quality}.onnx"
    assert card == f"{language}/{code}/{dataset}/{quality}/MODEL_CARD"
    assert model.id.isascii()
    assert len(model.languages) == 1
    assert model.languages[0].split("-")[0] == language
    assert model.sample_rate == (16_000 if quality.endswith("low") else 22_050)
    assert 1 << 20 < (model.size_bytes or 0) == source.size_bytes


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("piper/en_US-lessac", "piper/en_US-lessac-medium"),
        ("piper/en_US-libritts", "piper/en_US-libritts-high"),
        ("piper/en_US-danny", "piper/en_US-danny-low"),
        ("piper/ca_ES-upc_ona", "piper/ca_ES-upc_ona-medium"),
        ("piper/pt_PT-tugao", "piper/pt_PT-tugao-medium"),
    ],
)
def test_short_forms_mean_the_usual_quality(router: Router, name: str, id: str) -> None:  # noqa: A002
    assert found(router, name).id == id


def test_all_speakers_are_voices(router: Router) -> None:
    libritts = found(router, "piper/en_US-libritts-high")
    assert len(libritts.voices) == 904
    assert libritts.voices[0].id == "p3922"
    emotional = found(router, "piper/de_DE-thorsten_emotional-medium")
    assert [voice.id for voice in emotional.voices][:2] == ["amused", "angry"]
    (only,) = found(router, "piper/en_US-lessac-medium").voices
    assert (only.id, only.languages) == ("lessac", ("en-US",))


def test_names_outside_of_ascii_keep_their_files(router: Router) -> None:
    model = found(router, "piper/pt_PT-tugao-medium")
    assert model.sources[0].files[0] == "pt/pt_PT/tugão/medium/pt_PT-tugão-medium.onnx"
    assert model.voices[0].id == "tugao"


def test_what_a_voice_can_do_follows_its_language(router: Router) -> None:
    english = found(router, "piper/en_US-lessac-medium").capabilities
    german = found(router, "piper/de_DE-thorsten-medium").capabilities
    assert german == english == {Capability.WORD_TIMESTAMPS, Capability.PHONEMES}
    assert Capability.PHONEMES not in found(router, "piper/he_IL-saspeech-medium").capabilities


def test_tags_are_those_of_the_world(router: Router) -> None:
    assert found(router, "piper/ja_JA-hi_fi_captain-medium").languages == ("ja-JP",)
    assert primary("nb-NO") == primary("no")
    assert primary("cmn") == primary("zh-CN") != primary("yue")


@pytest.mark.parametrize(
    "name", ["csukuangfj/vits-piper-en_US-amy-low", "somebody/piper-de_DE-me-high"]
)
def test_a_repository_with_one_voice_falls_under_a_pattern(router: Router, name: str) -> None:
    model = found(router, name)
    assert (model.id, model.sources[0].repo_id) == (name, name)


@pytest.mark.parametrize(
    ("name", "rate"),
    [("piper/en_US-bob_a-medium", 22_050), ("piper/kmr_TR-new-x_low", 16_000),
     ("piper/de_DE-new-low", 16_000), ("piper/de_DE-thorsten-x_low", 16_000)],
)  # fmt: skip
def test_a_voice_newer_than_the_catalogue_is_where_its_name_says(
    router: Router, name: str, rate: int
) -> None:
    model = found(router, name)
    file = name.partition("/")[2]
    code, dataset, quality = file.split("-")
    (source,) = model.sources
    folder = f"{code[: code.index('_')]}/{code}/{dataset}/{quality}"
    assert source.repo_id == "rhasspy/piper-voices"
    assert source.files == (f"{folder}/{file}.onnx", f"{folder}/{file}.onnx.json")
    assert source.optional == (f"{folder}/MODEL_CARD",)
    assert (model.id, model.sample_rate) == (name, rate)
    assert model.languages == (code.replace("_", "-"),)


@pytest.mark.parametrize("known", MODELS, ids=lambda model: model.id)
def test_the_pattern_agrees_with_the_catalogue(known: ModelInfo) -> None:
    (made,) = [model for each in PATTERNS if (model := claimed(each, known.id)) is not None]
    if "/".join(known.sources[0].files).isascii():
        assert made.sources[0].files == known.sources[0].files
    assert made.sample_rate == known.sample_rate


@pytest.mark.parametrize(
    "name",
    ["piper/en_US-lessac", "piper/lessac-medium", "piper/en-lessac-high", "piper/a_B-c-best"],
)
def test_what_no_voice_is_called_is_not_claimed(router: Router, name: str) -> None:
    if name != "piper/en_US-lessac":  # a short form of the catalogue
        with pytest.raises(ModelNotFound):
            router.resolve(name)
    assert not any(claimed(each, name) for each in PATTERNS)


@pytest.mark.parametrize("name", ["rhasspy/piper-voices", "rhasspy/piper-checkpoints", "a/b"])
def test_whole_collections_are_not_claimed(router: Router, name: str) -> None:
    with pytest.raises(ModelNotFound):
        router.resolve(name)


def test_a_voice_that_is_misspelt_gets_a_hint(router: Router) -> None:
    with pytest.raises(ModelNotFound, match="piper/en_US-lessac-medium"):
        router.resolve("piper/en_US-lessac-mediun")
    assert "piper/en_US-lessac-medium" in router.similar("piper/en_US-lessak-medium")
