"""What a pattern makes of a name, its parts included."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Kind, ModelInfo, ModelPattern, ModelSource
from open_speech._plugins.manifest import BackendManifest, ProviderManifest
from open_speech._plugins.patterns import claimed, placeholders
from open_speech._plugins.resolution import Router
from open_speech._types.ids import MAX_LENGTH
from open_speech._worker.serialization import pack, unpack

VOICES = ModelPattern(
    glob="family/*_*-*-*",
    fields="family/{language}_{region}-{who}-{quality}",
    template=ModelInfo(
        id="any",
        kind=Kind.TTS,
        languages=("{language}-{region}",),
        sources=(
            ModelSource(
                repo_id="org/voices",
                files=("{language}/{who}/{quality}.bin", "{name}.{unknown}"),
            ),
        ),
    ),
)


def test_parts_of_a_name_fill_the_template() -> None:
    model = claimed(VOICES, "family/en_US-anna_b-very-low")
    assert model is not None
    assert (model.id, model.languages) == ("family/en_US-anna_b-very-low", ("en-US",))
    (source,) = model.sources
    assert source.files == ("en/anna_b/very-low.bin", "family/en_US-anna_b-very-low.{unknown}")
    assert placeholders(VOICES) == {"name", "language", "region", "who", "quality"}


@pytest.mark.parametrize(
    "name", ["family/en-US_anna-low", "family/_US-anna-low", "family/en_US-a/b-low", "family/en"]
)
def test_what_is_made_up_otherwise_is_not_claimed(name: str) -> None:
    assert claimed(VOICES, name) is None


def test_without_fields_the_glob_decides() -> None:
    pattern = ModelPattern(glob="*/x-*", template=ModelInfo(id="any", kind=Kind.STT))
    assert claimed(pattern, "org/x-large") is not None
    assert claimed(pattern, "org/y-large") is None
    assert placeholders(pattern) == {"name"}


@pytest.mark.parametrize(
    "fields", ["x/{a}{b}", "x/{a}-{a}", "x/{name}", "x/{A}", "x/{", "x/}a{", "x/{a b}"]
)
def test_a_shape_that_cannot_be_is_refused(fields: str) -> None:
    pattern = ModelPattern(glob="*", template=VOICES.template, fields=fields)
    with pytest.raises(ValueError, match="no shape of a name"):
        placeholders(pattern)
    backend = BackendManifest(name="b", kind=Kind.TTS, patterns=(pattern, VOICES))
    provider = ProviderManifest(name="b", distribution="b", version="1", backends=(backend,))
    assert Router([provider]).resolve("family/en_US-anna-low").backend == "b"


@given(
    st.lists(st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True), min_size=1, max_size=6),
    st.sampled_from(["-", "_", ".", "/", "__", "-x-"]),
)
def test_parts_are_read_as_they_were_written(parts: list[str], between: str) -> None:
    fields = between.join(f"{{p{number}}}" for number in range(len(parts)))
    source = ModelSource(repo_id="/".join(f"{{p{number}}}" for number in range(len(parts))))
    template = ModelInfo(id="any", kind=Kind.STT, sources=(source,))
    pattern = ModelPattern(glob="*", template=template, fields=fields)
    clean = [part.replace("x", "y") for part in parts]
    model = claimed(pattern, between.join(clean))
    assert model is not None
    assert model.sources[0].repo_id == "/".join(clean)


@given(st.text("a-", min_size=1, max_size=MAX_LENGTH))
def test_hostile_shapes_and_names_take_no_time(name: str) -> None:
    fields = "-a".join(f"{{p{number}}}" for number in range(60)) + "b"
    pattern = ModelPattern(glob="*", template=VOICES.template, fields=fields)
    assert claimed(pattern, name) is None  # would not end if it went back and forth


def test_manifests_of_other_cores_stay_readable() -> None:
    data = json.loads(json.dumps(pack(VOICES)))
    assert unpack(ModelPattern, {**data, "of_a_newer_core": 1}) == VOICES
    del data["fields"]
    assert unpack(ModelPattern, data).fields is None
