"""A model's name decides who serves it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Kind, ModelId, ModelInfo, ModelPattern, ModelSource
from open_speech._plugins.manifest import BackendManifest, ProviderManifest
from open_speech._plugins.resolution import Hint, Router
from open_speech.errors import (
    InvalidModelId,
    ModelConflict,
    ModelNotFound,
    ProviderBroken,
    ProviderMissing,
)


def provider(name: str, *models: str, patterns: tuple[str, ...] = (), **fields) -> ProviderManifest:
    backend = BackendManifest(
        name=name,
        kind=Kind.STT,
        models=tuple(
            ModelInfo(id=model, kind=Kind.STT, aliases=(f"{model}-short",)) for model in models
        ),
        patterns=tuple(
            ModelPattern(
                glob=glob,
                template=ModelInfo(
                    id="any", kind=Kind.STT, sources=(ModelSource(repo_id="{name}"),)
                ),
            )
            for glob in patterns
        ),
    )  # fmt: skip
    fields.setdefault("backends", (backend,))
    return ProviderManifest(name=name, distribution=f"dist-{name}", version="1", **fields)


def test_a_listed_name_finds_its_provider():
    router = Router([provider("a", "org/one"), provider("b", "org/two")])
    assert router.resolve("org/two").provider.name == "b"
    assert router.resolve("org/two-short").model.id == "org/two"


def test_a_pattern_makes_a_model_of_the_name():
    router = Router([provider("a", patterns=("*/whisper-*",))])
    resolved = router.resolve("somebody/whisper-large")
    assert resolved.model.id == "somebody/whisper-large"
    assert resolved.model.sources[0].repo_id == "somebody/whisper-large"


def test_a_listed_name_goes_before_a_pattern():
    router = Router([provider("a", patterns=("org/*",)), provider("b", "org/one")])
    assert router.resolve("org/one").provider.name == "b"
    assert router.resolve("org/other").provider.name == "a"


def test_a_revision_is_carried_along():
    resolved = Router([provider("a", "one")]).resolve("one@abc123")
    assert (resolved.revision, resolved.id) == ("abc123", "one@abc123")


@pytest.mark.parametrize("names", [{"patterns": ("o*",)}, {}])
def test_two_providers_for_one_name_are_a_conflict_settled_by_prefix(names):
    models = () if names else ("one",)
    router = Router([provider("a", *models, **names), provider("b", *models, **names)])
    with pytest.raises(ModelConflict, match="a, b") as caught:
        router.resolve("one")
    assert "'a:one' or 'b:one'" in str(caught.value)
    assert router.resolve("b:one").provider.name == "b"
    assert set(router.conflicts) == ({"one", "one-short"} if models else set())


def test_an_unknown_name_lists_near_matches():
    router = Router([provider("a", "org/whisper-base", "org/whisper-small")])
    with pytest.raises(ModelNotFound, match="Did you mean 'org/whisper-base'"):
        router.resolve("org/wisper-base")


def test_a_name_that_an_absent_provider_would_serve_says_what_to_install():
    advice = "Install it with 'pip install piper-thing'."
    hints = [Hint(glob="piper/*", distribution="piper-thing", advice=advice)]
    with pytest.raises(ProviderMissing, match="pip install piper-thing"):
        Router([provider("a", "piper/enn")], hints).resolve("piper/en")
    installed = replace(provider("a", "piper/enn"), distribution="piper-thing")
    with pytest.raises(ModelNotFound, match="Did you mean 'piper/enn'") as caught:
        Router([installed], hints).resolve("piper/en")
    assert not isinstance(caught.value, ProviderMissing)


@pytest.mark.parametrize("name", ["one", "one-short", "other", "a:one", "one@abc123"])
def test_a_name_that_was_served_before_says_by_whom(name):
    router = Router([provider("b", "two")], gone=[provider("a", "one", patterns=("o*",))])
    with pytest.raises(ProviderMissing, match="no longer installed") as caught:
        router.resolve(name)
    assert provider("a").distribution in str(caught.value)
    with pytest.raises(ModelNotFound) as unknown:
        router.resolve("never")
    assert not isinstance(unknown.value, ProviderMissing)


def test_a_model_of_a_broken_provider_says_why():
    router = Router([provider("a", error="It is broken: no engine.", backends=())])
    with pytest.raises(ProviderBroken, match="no engine"):
        router.resolve("a:one")


_part = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True)


@given(
    st.none() | st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
    st.lists(_part, min_size=1, max_size=4).map("/".join),
    st.none() | _part,
)
def test_ids_are_read_as_they_are_written(prefix, name, revision):
    written = ModelId(name=name, provider=prefix, revision=revision)
    assert ModelId.parse(str(written)) == written


@pytest.mark.parametrize(
    "text",
    [
        "", "..", "a/..", "../a", "a/../b", "a/./b", "a//b", "/a", "a/", "a\\b", "C:\\a", "a\0b",
        "a b", "a%2fb", "a\u2215b", "https://host/a", "a@", "@r", ":a", "A:b", "a:b:c", "a\n",
        "a?b", "a..b", "x/.", "x.", "é", "a" * 300, "a/b/c/d/e", "a@b/c", "a@..", "~/a", "-a",
    ],
)  # fmt: skip
def test_what_is_no_id_is_refused(text):
    with pytest.raises(InvalidModelId) as caught:
        ModelId.parse(text)
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)


@given(st.text(max_size=300))
def test_an_id_is_safe_in_a_path(text):
    try:
        found = ModelId.parse(text)
    except InvalidModelId:
        return
    for part in found.name.split("/"):
        assert part.isascii()
        assert part not in ("", ".", "..")
        assert not set(part) & set("\\:%\0 ")
