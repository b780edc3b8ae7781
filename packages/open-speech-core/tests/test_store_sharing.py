"""Several processes on one volume, leases, revisions and what is left behind: D7, D9, D11."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from open_speech._files.lock import FileLock
from open_speech._types.models import Kind, ModelInfo, ModelSource
from open_speech.errors import InvalidModelId, ModelInUse, ModelNotFound, NotDownloaded, Offline
from open_speech.store import DownloadPolicy, Store
from open_speech.testing.hub import FakeHub, Fault, Mode, fake_hub

hub = pytest.fixture(fake_hub, name="hub")
QUICK = DownloadPolicy(backoff_s=0.001)
CHILD = Path(__file__).with_name("store_child.py")
FILES = {f"part-{n}.bin": random.Random(n).randbytes(120_000) for n in range(6)}
MODEL = ModelInfo(id="model", kind=Kind.STT, sources=(ModelSource(repo_id="org/model"),))


@pytest.fixture
def store(hub: FakeHub, tmp_path: Path) -> Store:
    hub.add("org/model", FILES)
    return Store(tmp_path / "models", endpoint=hub.url, policy=QUICK)


def voice(name: str) -> ModelInfo:
    source = ModelSource(repo_id="org/voices", files=(f"{name}/*.onnx", f"{name}/*.json"))
    return ModelInfo(id=f"voices/{name}", kind=Kind.TTS, sources=(source,))


@contextmanager
def process(verb: str, store: Store, hub: FakeHub, **more: object):
    task = {
        "root": str(store.root),
        "endpoint": hub.url,
        "repo": "org/model",
        "model": "model",
        **more,
    }
    command = [sys.executable, str(CHILD), verb, json.dumps(task)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def test_a_copied_descriptor_does_not_hold_what_was_released(tmp_path):
    path = tmp_path / "a.lease"
    with FileLock(path, shared=True) as lease:
        assert lease.try_acquire()
        # What a process has that is forked now, until it runs its program.
        [opened] = [file.fd for file in psutil.Process().open_files() if file.path == str(path)]
        copy = os.dup(opened)
    try:
        with FileLock(path) as alone:
            assert alone.try_acquire()
    finally:
        os.close(copy)


# -- D7 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locks", [True, False])
def test_two_processes_on_one_volume_fetch_each_file_once(hub, store, locks):
    hub.rate = 1e6
    with (
        process("ensure", store, hub, locks=locks) as one,
        process("ensure", store, hub, locks=locks) as two,
    ):
        for child in (one, two):
            assert child.stdout.readline() == "ready\n"
        for child in (one, two):
            child.stdin.write("\n")
            child.stdin.flush()
        assert [child.stdout.readline() for child in (one, two)] == ["downloaded\n"] * 2
    counts = {key: len(hub.gets(f"org/model/{key}")) for key in FILES}
    if locks:
        assert counts == dict.fromkeys(FILES, 1)
    # Where locks do nothing a file may be fetched twice, but it is whole.
    assert store.verify(MODEL) == ()
    assert {p.name: p.read_bytes() for p in store.paths(MODEL)["model"].iterdir()} == FILES


def test_two_threads_fetch_each_file_once(hub, store):
    threads = [threading.Thread(target=store.ensure, args=(MODEL,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.is_downloaded(MODEL)
    assert len(hub.gets()) == len(FILES)


def test_a_model_that_another_process_holds_is_not_deleted(hub, store):
    store.ensure(MODEL)
    with process("hold", store, hub) as child:
        assert child.stdout.readline() == "holding\n"
        with pytest.raises(ModelInUse, match="in use"):
            store.delete(MODEL)
        assert store.verify(MODEL) == ()
        with store.hold(MODEL):  # holding is shared
            pass
        child.kill()
        child.wait()
    store.delete(MODEL)  # a killed holder leaves no lock
    assert not store.is_downloaded(MODEL)


def test_a_model_that_is_being_fetched_is_not_deleted(hub, store):
    hub.fault("org/model/part-3.bin", Fault(Mode.STALL, after_bytes=10))
    cancelled = threading.Event()

    def download():
        with pytest.raises(Exception, match="stopped"):
            store.ensure(MODEL, cancelled=cancelled)

    thread = threading.Thread(target=download)
    thread.start()
    while hub.pending("*/part-3.bin") == 0:
        time.sleep(0.01)
    with pytest.raises(ModelInUse, match="being downloaded"):
        store.delete(MODEL)
    cancelled.set()
    thread.join()
    store.delete(MODEL)
    assert list((store.root / "stt").iterdir()) == []


def test_what_is_held_is_whole_or_not_there(hub, store):
    """One thread deletes and fetches over and over while others load."""
    store.ensure(MODEL)
    done = threading.Event()
    seen = {"whole": 0, "gone": 0}

    def load():
        while not done.is_set():
            try:
                with store.hold(MODEL) as paths:
                    found = {p.name: p.read_bytes() for p in paths["model"].iterdir()}
                    assert found == FILES
                    seen["whole"] += 1
            except NotDownloaded:
                seen["gone"] += 1
            done.wait(0.001)

    errors = []

    def guarded():
        try:
            load()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(3)]
    for thread in threads:
        thread.start()
    deleted = 0
    while deleted < 10 and not errors:
        try:
            store.delete(MODEL)
            deleted += 1
        except ModelInUse:
            continue
        store.ensure(MODEL)
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert seen["whole"] > 0


def test_holding_what_is_not_here_says_so(store):
    with pytest.raises(NotDownloaded, match="not downloaded"), store.hold(MODEL):
        pass
    with pytest.raises(NotDownloaded):
        store.delete(MODEL)
    with pytest.raises(NotDownloaded):
        store.paths(MODEL)


# -- several models in one repository ----------------------------------------------------------


def test_models_of_one_repository_have_only_their_files(hub, tmp_path):
    voices = {
        f"{name}/{file}": f"{name} {file}".encode()
        for name in ("amy", "joe")
        for file in ("v.onnx", "v.json", "README.md")
    }
    hub.add("org/voices", voices)
    store = Store(tmp_path, endpoint=hub.url, policy=QUICK)
    amy, joe = voice("amy"), voice("joe")
    folder = store.ensure(amy)["model"]
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*")) == [
        "amy/v.json",
        "amy/v.onnx",
    ]
    assert not store.is_downloaded(joe)
    store.ensure(joe)
    assert [m.id for m in store.list()] == ["voices/amy", "voices/joe"]
    store.delete(amy)
    assert not store.is_downloaded(amy)
    assert store.verify(joe) == ()
    assert store.is_downloaded(joe)


def test_a_content_that_the_store_has_is_not_fetched_again(hub, store, tmp_path):
    store.ensure(MODEL)
    hub.add("other/copy", FILES | {"small.json": b"{}", "twin.json": b"{}"})
    hub.forget()
    other = ModelInfo(id="other", kind=Kind.TTS, sources=(ModelSource(repo_id="other/copy"),))
    store.ensure(other)
    assert len(hub.gets()) == 1  # and both small files are one content
    store.delete(MODEL)
    assert store.verify(other) == ()
    assert store.size_bytes(other) == sum(map(len, FILES.values())) + 4


def test_several_sources_come_by_their_keys(hub, store):
    hub.add("org/tokens", {"tokens.txt": b"a b c"})
    model = ModelInfo(
        id="two",
        kind=Kind.TTS,
        sources=(
            ModelSource(repo_id="org/model", files=("part-0.bin",)),
            ModelSource(repo_id="org/tokens", key="tokens"),
        ),
    )
    paths = store.ensure(model)
    assert (paths["model"] / "part-0.bin").read_bytes() == FILES["part-0.bin"]
    assert (paths["tokens"] / "tokens.txt").read_bytes() == b"a b c"


def test_a_provider_that_asks_for_one_more_file_gets_that_file(hub, store):
    first = ModelInfo(
        id="m", kind=Kind.STT, sources=(ModelSource(repo_id="org/model", files=("part-0.bin",)),)
    )
    commit = store.ensure(first)["model"].name
    hub.add("org/model", {"part-0.bin": b"new", "part-1.bin": b"new"})
    hub.forget()
    more = ModelInfo(
        id="m", kind=Kind.STT, sources=(ModelSource(repo_id="org/model", files=("part-[01].bin",)),)
    )
    assert not store.is_downloaded(more)
    assert store.ensure(more)["model"].name == commit  # at the revision that is recorded
    assert [e.key for e in hub.gets()] == ["org/model/part-1.bin"]


# -- D11 -----------------------------------------------------------------------------------------


def test_a_revision_stays_until_an_update(hub, store):
    store.ensure(MODEL)
    old = store.revision(MODEL)
    new = hub.add("org/model", FILES | {"part-0.bin": b"changed"})
    hub.forget()
    assert store.ensure(MODEL)["model"].name == f"model@{old}"
    assert hub.exchanges == []
    assert store.update(MODEL) == new
    assert [e.key for e in hub.gets()] == ["org/model/part-0.bin"]  # the others are linked
    assert store.revision(MODEL) == new
    assert store.verify(MODEL) == ()
    assert [p.name for p in store.root.glob("stt/model/model@*")] == [f"model@{new}"]


def test_a_file_lost_after_upstream_moved_comes_at_the_old_revision(hub, store):
    folder = store.ensure(MODEL)["model"]
    hub.add("org/model", dict.fromkeys(FILES, b"changed"))
    (folder / "part-2.bin").unlink()
    assert store.ensure(MODEL)["model"] == folder
    assert (folder / "part-2.bin").read_bytes() == FILES["part-2.bin"]


def test_an_update_leaves_what_is_loaded_alone(hub, store):
    store.ensure(MODEL)
    with store.hold(MODEL) as paths:
        hub.add("org/model", {"part-0.bin": b"changed"})
        store.update(MODEL)
        assert {p.name: p.read_bytes() for p in paths["model"].iterdir()} == FILES
    stored = DownloadPolicy(keep_partial_s=0.0)
    assert Store(store.root, policy=stored).sweep() >= sum(map(len, FILES.values()))
    assert not paths["model"].exists()
    assert store.verify(MODEL) == ()


def test_the_catalogues_commit_is_fetched_and_an_update_moves_to_a_new_one(hub, store):
    first = hub.repository("org/model").refs["main"]
    second = hub.add("org/model", {"part-0.bin": b"two"})
    hub.add("org/model", {"part-0.bin": b"three"})

    def pinned(commit: str) -> ModelInfo:
        source = ModelSource(repo_id="org/model", revision=commit)
        return ModelInfo(id="model", kind=Kind.STT, sources=(source,))

    store.ensure(pinned(first))
    assert store.revision(MODEL) == first
    store.ensure(pinned(second))
    assert store.revision(MODEL) == first
    assert store.update(pinned(second)) == second
    assert (store.paths(MODEL)["model"] / "part-0.bin").read_bytes() == b"two"


def test_a_named_revision_stands_beside_the_current_one(hub, store):
    hub.add("org/model", {"part-0.bin": b"one"}, revision="v1")
    store.ensure(MODEL)
    tagged = store.ensure(MODEL, revision="v1")["model"]
    assert (tagged / "part-0.bin").read_bytes() == b"one"
    assert store.is_downloaded(MODEL, "v1")
    assert store.paths(MODEL)["model"] != tagged
    hub.add("org/model", {"part-0.bin": b"moved"}, revision="v1")
    hub.forget()
    assert store.ensure(MODEL, revision="v1")["model"] == tagged
    commit = store.revision(MODEL)
    assert store.ensure(MODEL, revision=commit) == store.paths(MODEL)
    assert hub.exchanges == []
    assert {(m.requested, m.revision) for m in store.list()} == {
        (None, commit),
        ("v1", store.revision(MODEL, "v1")),
    }
    store.delete(MODEL, "v1")
    assert not tagged.exists()
    assert store.verify(MODEL) == ()
    with pytest.raises(NotDownloaded):
        store.delete(MODEL, "v1")


def test_a_revision_that_is_not_there(store):
    with pytest.raises(ModelNotFound, match="v9"):
        store.ensure(MODEL, revision="v9")
    with pytest.raises(InvalidModelId):
        store.ensure(MODEL, revision="../v9")


# -- D9 ------------------------------------------------------------------------------------------


def test_offline_contacts_nothing(hub, store):
    paths = store.ensure(MODEL)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        offline = Store(store.root, endpoint=f"http://127.0.0.1:{port}", offline=True)
        assert offline.is_downloaded(MODEL)
        assert offline.ensure(MODEL) == paths
        with offline.hold(MODEL) as held:
            assert held == paths
        other = ModelInfo(id="other", kind=Kind.STT, sources=MODEL.sources)
        with pytest.raises(Offline, match="offline mode"):
            offline.ensure(other)
        with pytest.raises(Offline):
            offline.update(MODEL)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_cached_weights_need_no_hub_and_no_hub_client(hub, store):
    store.ensure(MODEL)
    hub.close()
    code = (
        "import sys, pathlib; from store_child import Store, model, json\n"
        "data = json.loads(sys.argv[1])\n"
        "print(len(Store(pathlib.Path(data['root']), endpoint='http://127.0.0.1:9')"
        ".ensure(model(data))))\n"
    )
    task = {"root": str(store.root), "repo": "org/model", "model": "model"}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(task)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(CHILD.parent)},
    )
    assert done.stdout == "1\n"
    lean = (
        "import sys; import open_speech.store\n"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "{'huggingface_hub', 'httpx', 'httpx2'}])"
    )
    done = subprocess.run([sys.executable, "-c", lean], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# -- orphans -------------------------------------------------------------------------------------


def test_sweeping_deletes_what_is_old_and_unneeded_unless_locked(hub, store):
    store.ensure(MODEL)
    slot = store.root / "stt" / "model"
    needed = store.paths(MODEL)["model"]
    orphans = [slot / ".partial" / f"{'0' * 64}.abcd.part", slot / ".current.json.12.tmp"]
    for orphan in orphans:
        orphan.parent.mkdir(exist_ok=True)
        orphan.write_bytes(b"12345")
    old = slot / f"model@{'1' * 40}"
    old.mkdir()
    (old / "model.bin").write_bytes(b"123")
    assert store.sweep() == 0  # a download may still go on from them
    for path in [*orphans, old]:
        os.utime(path, (0, 0))
    with store.hold(MODEL):
        assert store.sweep() == 10
        assert old.exists()
    assert store.sweep() == 3
    assert not any(path.exists() for path in [*orphans, old])
    assert needed.is_dir()
    assert store.verify(MODEL) == ()
