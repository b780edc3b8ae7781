"""Licences that have to be accepted before weights under them are fetched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from open_speech._lifecycle.states import ModelState
from open_speech._types.models import Kind, ModelInfo, ModelSource
from open_speech.errors import InvalidRequest, LicenseNotAccepted
from open_speech.store import DownloadPolicy, Licenses, Store
from open_speech.testing.hub import FakeHub, fake_hub

hub = pytest.fixture(fake_hub, name="hub")
URL = "https://tone.example/license"
FREE = ModelInfo(id="org/free", kind=Kind.TTS, sources=(ModelSource(repo_id="org/model"),))
BOUND = replace(
    FREE,
    id="org/bound",
    license="LicenseRef-Research",
    license_url=URL,
    must_accept_license=True,
)
LICENSED = "tone/licensed-voice"


@pytest.fixture(autouse=True)
def weights(hub: FakeHub) -> None:
    for repo in ("org/model", LICENSED):
        hub.add(repo, {"config.json": b"{}"})


def make_store(hub: FakeHub, folder: Path, licenses: Licenses | None = None) -> Store:
    policy = DownloadPolicy(backoff_s=0.001)
    return Store(folder, endpoint=hub.url, policy=policy, licenses=licenses)


def test_nothing_is_fetched_before_the_license_is_accepted(hub: FakeHub, tmp_path: Path) -> None:
    store = make_store(hub, tmp_path)
    with pytest.raises(LicenseNotAccepted) as caught:
        store.ensure(BOUND)
    assert not hub.exchanges
    said = str(caught.value)
    assert "LicenseRef-Research" in said
    assert URL in said
    assert "open-speech models pull org/bound --accept-license" in said
    with pytest.raises(LicenseNotAccepted):
        store.update(BOUND)
    assert not hub.exchanges

    store.accept_license(BOUND)
    assert store.ensure(BOUND)


def test_models_without_such_a_license_need_nothing(hub: FakeHub, tmp_path: Path) -> None:
    store = make_store(hub, tmp_path)
    store.accept_license(FREE)
    assert store.ensure(FREE)
    assert not (tmp_path / "licenses").exists()


def test_acceptance_is_kept_once_for_all_models_under_the_license(tmp_path: Path) -> None:
    folder = tmp_path / "licenses"
    Licenses(folder).accept(BOUND)
    other = replace(BOUND, id="org/other")
    assert not Licenses(folder).pending(other)
    Licenses(folder).accept(other)
    (kept,) = folder.iterdir()
    fact = json.loads(kept.read_text())
    assert (fact["license"], fact["url"], fact["model"]) == ("LicenseRef-Research", URL, BOUND.id)


@pytest.mark.parametrize("changed", [{"license": "LicenseRef-Other"}, {"license_url": URL + "/2"}])
def test_another_license_is_asked_for_again(tmp_path: Path, changed: dict[str, str]) -> None:
    licenses = Licenses(tmp_path)
    licenses.accept(BOUND)
    assert licenses.pending(replace(BOUND, **changed))


def test_operator_may_accept_beforehand_by_name(hub: FakeHub, tmp_path: Path) -> None:
    licenses = Licenses(tmp_path / "licenses", accepted=["licenseref-research"])
    assert make_store(hub, tmp_path, licenses).ensure(BOUND)
    assert not (tmp_path / "licenses").exists()


def test_what_is_here_already_is_used(hub: FakeHub, tmp_path: Path) -> None:
    make_store(hub, tmp_path).ensure(replace(BOUND, must_accept_license=False))
    assert make_store(hub, tmp_path).ensure(BOUND)


async def test_refused_model_is_no_failed_one(make_speech, hub: FakeHub, tmp_path: Path) -> None:
    store = make_store(hub, tmp_path)
    async with make_speech(weights=store, isolated=False) as speech:
        with pytest.raises(InvalidRequest):
            await speech.load(LICENSED)
        status = await speech.catalog.status(LICENSED)
        assert status.state is ModelState.AVAILABLE
        assert "LicenseRef-Tone" in (status.error or "")
        assert status.license_pending

        await speech.catalog.accept_license(LICENSED)
        await speech.catalog.download(LICENSED)
        assert (await speech.catalog.status(LICENSED)).error is None
        await speech.load(LICENSED)
        status = await speech.catalog.status(LICENSED)
        assert (status.state, status.license_pending) == (ModelState.LOADED, False)
        assert status.error is None
