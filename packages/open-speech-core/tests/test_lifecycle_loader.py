"""What a backend is told when a model is loaded."""

from __future__ import annotations

import pytest
from huggingface_hub import snapshot_download

from open_speech import Policy
from open_speech.errors import ModelLoadFailed
from open_speech.store import Store
from open_speech.testing.hub import fake_hub
from open_speech.testing.install import install_provider

hub = pytest.fixture(fake_hub, name="hub")

REPORTING = """
from dataclasses import replace

from open_speech import hookimpl
from open_speech.testing.tone import ToneBackend, ToneModel


class Reporting(ToneModel):
    @property
    def info(self):
        return self._info


class ReportingBackend(ToneBackend):
    name = "reporting"
    patterns = ()

    def load(self, model, context):
        told = f"{context.threads} threads, {dict(context.options)}"
        return Reporting(replace(model, description=told), {})


@hookimpl
def open_speech_backends():
    return [ReportingBackend()]
"""

PICKY = """
from open_speech import ModelInfo, ModelSource, hookimpl
from open_speech.errors import ModelLoadFailed
from open_speech.testing.tone import ToneBackend


class PickyBackend(ToneBackend):
    name = "picky"
    patterns = ()

    def list_available(self):
        (sine, *_) = super().list_available()
        source = ModelSource(repo_id="org/model", files=("*",))
        return [ModelInfo(id="picky", kind=sine.kind, voices=sine.voices, sources=(source,))]

    def load(self, model, context):
        raise ModelLoadFailed("A file is damaged.", hint="Delete the model and download it again.")


@hookimpl
def open_speech_backends():
    return [PickyBackend()]
"""


@pytest.mark.parametrize("owned", [True, False], ids=["of the user", "ours"])
async def test_a_damaged_file_is_to_be_deleted_where_it_lies(
    make_speech, site, hub, tmp_path, owned
):
    install_provider(site, "picky", PICKY)
    hub.add("org/model", {"model.bin": b"damaged"})
    cache = tmp_path / "user" / "hub"
    snapshot_download("org/model", endpoint=hub.url, cache_dir=cache, token=False)
    store = Store(tmp_path / "models", endpoint=hub.url, user_cache=cache if owned else None)
    async with make_speech(install=(), providers=("picky",), weights=store) as speech:
        with pytest.raises(ModelLoadFailed) as caught:
            await speech.manager.load("picky")
    if owned:
        assert str(cache) in caught.value.hint
        assert "delete them there" in caught.value.hint
    else:
        assert "Delete the model" in caught.value.hint


@pytest.mark.parametrize("isolated", [True, False])
async def test_threads_and_settings_of_its_own_reach_it(make_speech, site, isolated):
    install_provider(site, "reporting", REPORTING)
    async with make_speech(
        install=(),
        providers=("reporting",),
        isolated=isolated,
        policy=Policy(threads=3),
        options={"reporting": {"pace": 2}},
    ) as speech:
        instance = await speech.manager.load("tone/sine")
        assert instance.model.description == "3 threads, {'pace': 2}"


async def test_without_settings_it_is_left_to_the_engine(make_speech, site):
    install_provider(site, "reporting", REPORTING)
    async with make_speech(install=(), providers=("reporting",)) as speech:
        instance = await speech.manager.load("tone/sine")
        assert instance.model.description == "0 threads, {}"
