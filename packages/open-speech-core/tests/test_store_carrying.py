"""The user's own hub cache, and weights carried between machines as plain folders."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from open_speech._types.models import Kind, ModelInfo, ModelSource
from open_speech.errors import DeleteRefused, DownloadFailed, NotDownloaded, Offline
from open_speech.store import DownloadPolicy, Store
from open_speech.testing.hub import FakeHub, fake_hub

hub = pytest.fixture(fake_hub, name="hub")
QUICK = DownloadPolicy(backoff_s=0.001)
FILES = {"config.json": b"{}", "model.bin": bytes(range(256)) * 300, "README.md": b"read me"}
MODEL = ModelInfo(
    id="org/model",
    kind=Kind.STT,
    sources=(ModelSource(repo_id="org/model", files=("*.json", "*.bin")),),
)


@pytest.fixture
def cache(hub: FakeHub, tmp_path: Path) -> Path:
    """A hub cache with the whole model, filled by the hub's own client."""
    hub.add("org/model", FILES)
    folder = tmp_path / "user" / "hub"
    snapshot_download("org/model", endpoint=hub.url, cache_dir=folder, token=False)
    hub.forget()
    return folder


@pytest.fixture
def store(hub: FakeHub, cache: Path, tmp_path: Path) -> Store:
    return Store(tmp_path / "models", endpoint=hub.url, user_cache=cache, policy=QUICK)


def snapshot(cache: Path) -> Path:
    (folder,) = (cache / "models--org--model" / "snapshots").iterdir()
    return folder


def tree(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_what_the_user_has_is_used_in_place(hub, store, cache):
    before = tree(cache)
    assert store.ensure(MODEL) == {"model": snapshot(cache)}
    assert hub.gets() == []
    assert store.is_downloaded(MODEL)
    (stored,) = store.list()
    assert stored.in_user_cache
    assert stored.path == snapshot(cache)
    assert store.size_bytes(MODEL) == len(FILES["config.json"]) + len(FILES["model.bin"])
    assert tree(cache) == before


def test_what_the_user_has_is_not_deleted_but_named(store, cache):
    store.ensure(MODEL)
    before = tree(cache)
    with pytest.raises(DeleteRefused, match=str(snapshot(cache))):
        store.delete(MODEL)
    assert tree(cache) == before
    assert store.is_downloaded(MODEL)


def test_what_the_user_has_at_an_older_commit_will_do_until_an_update(hub, store, cache):
    old = snapshot(cache).name
    new = hub.add("org/model", FILES | {"config.json": b"{ }"})
    store.ensure(MODEL)
    assert store.revision(MODEL) == old
    before = tree(cache)
    assert store.update(MODEL) == new
    assert store.paths(MODEL)["model"].is_relative_to(store.root)
    assert tree(cache) == before
    store.delete(MODEL)
    assert tree(cache) == before


def test_a_pinned_commit_that_the_user_lacks_is_fetched(hub, store):
    new = hub.add("org/model", FILES | {"config.json": b"{ }"})
    source = ModelSource(repo_id="org/model", revision=new, files=("*.json", "*.bin"))
    pinned = ModelInfo(id="org/model", kind=Kind.STT, sources=(source,))
    assert store.ensure(pinned)["model"].name == f"model@{new}"


def test_a_cache_with_a_part_of_the_files_is_not_enough(hub, store, cache):
    (snapshot(cache) / "model.bin").unlink()
    new = hub.add("org/model", FILES | {"config.json": b"{ }"})
    assert store.ensure(MODEL)["model"].name == f"model@{new}"  # fetched: then the newest
    assert store.ensure(MODEL)["model"].is_relative_to(store.root)


@pytest.mark.parametrize("offline", [False, True])
def test_a_rotten_file_of_the_user_is_not_used(hub, store, cache, tmp_path, offline):
    blob = (snapshot(cache) / "model.bin").resolve()
    blob.write_bytes(b"x" * len(FILES["model.bin"]))
    other = Store(tmp_path / "m", endpoint=hub.url, user_cache=cache, offline=offline, policy=QUICK)
    if offline:
        with pytest.raises(Offline):
            other.ensure(MODEL)
    else:
        folder = other.ensure(MODEL)["model"]
        assert folder.is_relative_to(other.root)
        assert (folder / "model.bin").read_bytes() == FILES["model.bin"]


def test_offline_with_the_users_cache_contacts_nothing(hub, cache, tmp_path):
    offline = Store(tmp_path / "models", endpoint=hub.url, user_cache=cache, offline=True)
    assert offline.ensure(MODEL) == {"model": snapshot(cache)}
    assert hub.exchanges == []


def test_the_users_cache_serves_while_the_hub_is_down(hub, store, cache):
    hub.close()
    assert store.ensure(MODEL) == {"model": snapshot(cache)}


def test_a_cache_without_links_is_used_too(hub, cache, tmp_path):
    plain = tmp_path / "plain"
    shutil.copytree(cache / "models--org--model", plain / "models--org--model")
    shutil.rmtree(plain / "models--org--model" / "blobs")
    offline = Store(tmp_path / "models", endpoint=hub.url, user_cache=plain, offline=True)
    assert (offline.ensure(MODEL)["model"] / "model.bin").read_bytes() == FILES["model.bin"]


def test_what_the_user_deletes_is_fetched(hub, store, cache):
    store.ensure(MODEL)
    shutil.rmtree(cache)
    assert not store.is_downloaded(MODEL)
    folder = store.ensure(MODEL)["model"]
    assert folder.is_relative_to(store.root)
    assert len(hub.gets()) == 2


def test_verify_forgets_a_rotten_file_of_the_user_and_changes_nothing_there(store, cache):
    store.ensure(MODEL)
    blob = (snapshot(cache) / "model.bin").resolve()
    blob.write_bytes(b"x" * len(FILES["model.bin"]))
    before = tree(cache)
    assert store.verify(MODEL) == (snapshot(cache) / "model.bin",)
    assert not store.is_downloaded(MODEL)
    assert tree(cache) == before


# -- export and import ---------------------------------------------------------------------------


@pytest.fixture
def exported(hub: FakeHub, store: Store, tmp_path: Path) -> Path:
    store.ensure(MODEL)
    store.ensure(MODEL, revision=store.revision(MODEL))
    folder = tmp_path / "carried"
    store.export(MODEL, folder)
    return folder


@pytest.fixture
def away(tmp_path: Path) -> Store:
    """A store on a machine without a network."""
    return Store(tmp_path / "away", offline=True)


def test_weights_are_carried_to_a_machine_without_a_network(exported, store, away):
    (taken,) = away.import_(exported)
    assert (taken.id, taken.revision) == ("org/model", store.revision(MODEL))
    assert not taken.in_user_cache
    folder = away.ensure(MODEL)["model"]
    assert folder.is_relative_to(away.root)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        name: FILES[name] for name in ("config.json", "model.bin")
    }
    assert away.verify(MODEL) == ()
    shutil.rmtree(exported)
    assert away.verify(MODEL) == ()
    away.delete(MODEL)


def test_an_exported_folder_is_a_store_itself(exported):
    assert Store(exported, offline=True).ensure(MODEL)["model"].is_dir()


def test_exporting_what_is_not_here_says_so(away, tmp_path):
    with pytest.raises(NotDownloaded):
        away.export(MODEL, tmp_path / "x")


def test_nothing_is_taken_from_a_folder_without_models(away, tmp_path):
    (tmp_path / "stt" / "not a model").mkdir(parents=True)
    (tmp_path / "stt" / "empty").mkdir()
    assert away.import_(tmp_path) == ()


def test_a_carried_file_with_wrong_bytes_is_refused(exported, away):
    path = next(exported.rglob("model.bin"))
    path.unlink()
    path.write_bytes(b"x" * len(FILES["model.bin"]))
    with pytest.raises(DownloadFailed, match="checksum"):
        away.import_(exported)
    assert not away.is_downloaded(MODEL)


def test_a_carried_link_is_refused(exported, away, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(FILES["model.bin"])
    path = next(exported.rglob("model.bin"))
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(DownloadFailed, match="plain file"):
        away.import_(exported)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DownloadFailed, match="plain file"):
        away.import_(exported)


def test_a_carried_record_cannot_name_folders(exported, away):
    record = next(exported.rglob("current.json"))
    record.write_text(record.read_text().replace('"folder": null', '"folder": "/etc"'))
    with pytest.raises(DownloadFailed, match="exported"):
        away.import_(exported)
    record.write_text(record.read_text().replace('"folder": "/etc"', '"folder": null'))
    record.write_text(record.read_text().replace('"model": "org/model"', '"model": "other"'))
    with pytest.raises(DownloadFailed, match="exported"):
        away.import_(exported)


def test_weights_that_are_swapped_in_the_users_cache_are_noticed(hub, store, cache):
    store.ensure(MODEL)
    blob = (snapshot(cache) / "model.bin").resolve()
    again = blob.stat().st_mtime_ns + 10**9
    os.utime(blob, ns=(again, again))  # written again, with the same content
    assert store.is_downloaded(MODEL)
    blob.write_bytes(b"x" * len(FILES["model.bin"]))
    assert not store.is_downloaded(MODEL)
    assert (store.ensure(MODEL)["model"] / "model.bin").read_bytes() == FILES["model.bin"]
