"""Downloads against a hub that fails in every way."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._types.models import Kind, ModelInfo, ModelSource
from open_speech.errors import (
    DiskFull,
    DownloadCancelled,
    DownloadFailed,
    ModelNotFound,
    Unavailable,
)
from open_speech.store import DownloadPolicy, Progress, Store
from open_speech.store._hub import _retry_after
from open_speech.store._progress import ProgressMeter
from open_speech.testing.hub import FakeHub, Fault, Mode, fake_hub

hub = pytest.fixture(fake_hub, name="hub")
QUICK = DownloadPolicy(backoff_s=0.001)
WEIGHTS = random.Random(1).randbytes(300_000)
CONFIG = b'{"layers": 2}'
MODEL = ModelInfo(
    id="org/model",
    kind=Kind.STT,
    sources=(ModelSource(repo_id="org/model", files=("*.json", "model.bin")),),
)
CHILD = Path(__file__).with_name("store_child.py")
MakeStore = Callable[..., Store]


@pytest.fixture
def commit(hub: FakeHub) -> str:
    files = {"config.json": CONFIG, "model.bin": WEIGHTS, "README.md": b"not asked for"}
    return hub.add("org/model", files)


@pytest.fixture
def store(hub: FakeHub, commit: str, tmp_path: Path) -> Store:
    return Store(tmp_path / "models", endpoint=hub.url, policy=QUICK)


def content(store: Store) -> dict[str, bytes]:
    folder = store.paths(MODEL)["model"]
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def left_over(store: Store) -> list[Path]:
    return [p for p in store.root.rglob("*") if p.suffix in {".part", ".tmp"}]


def test_a_model_is_fetched_once_and_then_needs_nobody(hub, store, commit):
    assert not store.is_downloaded(MODEL)
    paths = store.ensure(MODEL)
    assert paths == store.paths(MODEL)
    assert paths["model"].is_relative_to(store.root / "stt")
    assert content(store) == {"config.json": CONFIG, "model.bin": WEIGHTS}
    assert store.revision(MODEL) == commit
    assert store.size_bytes(MODEL) == len(CONFIG) + len(WEIGHTS)
    hub.close()
    assert store.is_downloaded(MODEL)
    assert store.ensure(MODEL) == paths


def test_a_model_without_sources_is_always_there(store, hub):
    embedded = ModelInfo(id="embedded", kind=Kind.TTS)
    assert store.is_downloaded(embedded)
    assert store.ensure(embedded) == {}
    with store.hold(embedded) as paths:
        assert paths == {}
    assert hub.exchanges == []


def test_a_file_that_is_missing_or_short_is_fetched_again_alone(hub, store):
    folder = store.ensure(MODEL)["model"]
    (folder / "config.json").unlink()
    assert not store.is_downloaded(MODEL)
    hub.forget()
    store.ensure(MODEL)
    assert [e.key for e in hub.gets()] == ["org/model/config.json"]
    os.truncate(folder / "model.bin", 10)
    assert not store.is_downloaded(MODEL)
    store.ensure(MODEL)
    assert content(store)["model.bin"] == WEIGHTS


def test_a_repository_without_the_files_is_no_model(hub, store):
    other = ModelInfo(
        id="m", kind=Kind.STT, sources=(ModelSource(repo_id="org/model", files=("*.onnx",)),)
    )
    with pytest.raises(DownloadFailed, match=r"\*\.onnx"):
        store.ensure(other)
    assert hub.gets() == []


# -- D1 ------------------------------------------------------------------------------------------


def test_fifty_kills_at_random_offsets_leave_no_torn_file(hub, tmp_path):
    size = 2_000_000
    data = random.Random(2).randbytes(size)
    hub.add("org/model", {"config.json": CONFIG, "model.bin": data})
    store = Store(tmp_path / "models", endpoint=hub.url, policy=QUICK)
    task = {
        "root": str(store.root),
        "endpoint": hub.url,
        "repo": "org/model",
        "model": "org/model",
        "files": ["*.json", "model.bin"],
    }
    chance = random.Random()
    hub.rate = 30e6  # slow enough for the reader to keep up: what is sent is what is killed
    kills = resumed = 0
    command = [sys.executable, str(CHILD), "fork", json.dumps(task)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        try:
            while kills < 50:
                begun = max((p.stat().st_size for p in left_over(store)), default=0)
                most = chance.choice([size // 20, size])  # some kills early, some anywhere
                offset = chance.randint(1, max(1, min(most, size - begun)))
                child, born = [0], threading.Event()

                def kill(key, sent, offset=offset, child=child, born=born):
                    if key.endswith("model.bin") and sent >= offset:
                        born.wait(10)
                        os.kill(child[0], signal.SIGKILL)

                hub.on_block = kill
                nursery.stdin.write("\n")
                nursery.stdin.flush()
                child[0] = int(nursery.stdout.readline())
                born.set()
                killed = nursery.stdout.readline() == "killed\n"
                kills += killed
                for file in store.root.glob("stt/*/model@*/*"):
                    assert file.read_bytes() in {CONFIG, data}
                assert len(left_over(store)) <= 3  # one for each file under way, and a record
                if store.is_downloaded(MODEL):
                    assert store.verify(MODEL) == ()
                    store.delete(MODEL)
                else:
                    assert killed
            resumed = sum(e.start > 0 for e in hub.gets("*/model.bin"))
        finally:
            hub.on_block = hub.rate = None
            nursery.kill()
    store.ensure(MODEL)
    assert content(store) == {"config.json": CONFIG, "model.bin": data}
    assert left_over(store) == []
    assert resumed > 0


def test_a_later_process_goes_on_where_a_killed_one_stopped(hub, store):
    hub.fault("*/model.bin", Fault(Mode.RESET, after_bytes=200_000))
    with pytest.raises(DownloadFailed):
        Store(store.root, endpoint=hub.url, policy=DownloadPolicy(tries=1)).ensure(MODEL)
    hub.heal()
    hub.forget()
    store.ensure(MODEL)
    (get,) = hub.gets("*/model.bin")
    assert get.start > 0
    assert content(store)["model.bin"] == WEIGHTS


def test_a_whole_part_that_was_never_named_is_not_fetched_again(hub, store, monkeypatch):
    rename = Path.replace

    def die(path: Path, target: Path) -> Path:
        if target.name == "model.bin":
            raise ZeroDivisionError
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(ZeroDivisionError):
            store.ensure(MODEL)
    hub.forget()
    store.ensure(MODEL)
    assert hub.gets("*/model.bin") == []
    assert content(store)["model.bin"] == WEIGHTS


# -- D2 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.bin", "config.json"])  # SHA-256, and git's SHA-1
def test_wrong_bytes_of_the_right_length_never_count(hub, store, name):
    hub.fault(f"*/{name}", Fault(Mode.CORRUPT))
    with pytest.raises(DownloadFailed, match="checksum"):
        store.ensure(MODEL)
    assert not store.is_downloaded(MODEL)
    assert not list(store.root.rglob(f"model@*/{name}"))
    hub.heal()
    store.ensure(MODEL)
    assert content(store) == {"config.json": CONFIG, "model.bin": WEIGHTS}


def test_wrong_once_is_right_the_second_time(hub, store):
    hub.fault("*/model.bin", Fault(Mode.CORRUPT, times=1))
    store.ensure(MODEL)
    assert content(store)["model.bin"] == WEIGHTS


def test_verify_finds_what_rotted_on_the_disk(store):
    path = store.ensure(MODEL)["model"] / "model.bin"
    assert store.verify(MODEL) == ()
    path.write_bytes(WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1]))
    assert store.verify(MODEL) == (path,)
    assert not store.is_downloaded(MODEL)
    store.ensure(MODEL)
    assert path.read_bytes() == WEIGHTS


# -- D3 and D4 -----------------------------------------------------------------------------------

PASSING = {
    "truncated": Fault(Mode.TRUNCATE, after_bytes=100_000, times=2),
    "no length, cut": Fault(Mode.NO_LENGTH, after_bytes=100_000, times=2),
    "no length": Fault(Mode.NO_LENGTH),
    "gzip": Fault(Mode.GZIP, times=1),
    "redirect loop": Fault(Mode.REDIRECT_LOOP, times=6),
    "other content half-way": Fault(Mode.ETAG_CHANGE, after_bytes=100_000, times=2),
    "range ignored": Fault(Mode.IGNORE_RANGE),
    "500": Fault(Mode.STATUS, status=500, times=4),
    "502": Fault(Mode.STATUS, status=502, times=2),
    "503": Fault(Mode.STATUS, status=503, times=1),
    "429": Fault(Mode.STATUS, status=429, times=1),
    "reset": Fault(Mode.RESET, times=2),
    "reset half-way": Fault(Mode.RESET, after_bytes=150_000, times=3),
}
LASTING = {
    "truncated": Fault(Mode.TRUNCATE, after_bytes=10),
    "no length, cut": Fault(Mode.NO_LENGTH, after_bytes=10),
    "gzip": Fault(Mode.GZIP),
    "redirect loop": Fault(Mode.REDIRECT_LOOP),
    "other content half-way": Fault(Mode.ETAG_CHANGE, after_bytes=100_000),
    "500": Fault(Mode.STATUS, status=500),
    "503": Fault(Mode.STATUS, status=503),
    "429": Fault(Mode.STATUS, status=429),
    "reset": Fault(Mode.RESET),
    "404": Fault(Mode.STATUS, status=404),
    "302 to nowhere": Fault(Mode.STATUS, status=302),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_failure_of_a_file_is_got_over(hub, store, fault):
    hub.fault("*/model.bin", fault)
    store.ensure(MODEL)
    assert content(store) == {"config.json": CONFIG, "model.bin": WEIGHTS}
    assert left_over(store) == []


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
def test_a_lasting_failure_of_a_file_is_an_error_and_no_model(hub, store, fault):
    hub.fault("*/model.bin", fault)
    with pytest.raises((DownloadFailed, ModelNotFound)):
        store.ensure(MODEL)
    assert not store.is_downloaded(MODEL)
    assert store.list() == ()
    asked = [e for e in hub.gets("*/model.bin") if e.status != 307]
    assert len(asked) <= QUICK.tries


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_failure_of_the_description_is_got_over(hub, store, fault):
    hub.fault("api/*", fault)
    store.ensure(MODEL)
    assert content(store)["model.bin"] == WEIGHTS


def test_five_tries_and_the_cause(hub, store):
    hub.fault("api/*", Fault(Mode.STATUS, status=503))
    with pytest.raises(DownloadFailed, match=r"after 5 tries: the hub answered 503") as caught:
        store.ensure(MODEL)
    assert caught.value.__cause__ is not None
    assert len(hub.exchanges) == 5


def test_a_host_without_a_name_is_tried_and_named(tmp_path):
    store = Store(tmp_path, endpoint="http://hub.invalid", policy=QUICK)
    with pytest.raises(DownloadFailed, match="5 tries"):
        store.ensure(MODEL)


def test_retry_after_is_honoured(hub, store):
    hub.fault("api/*", Fault(Mode.STATUS, status=429, retry_after="1", times=1))
    started = time.monotonic()
    store.ensure(MODEL)
    assert time.monotonic() - started >= 1.0


def test_a_long_retry_after_is_handed_on(hub, store):
    hub.fault("api/*", Fault(Mode.STATUS, status=429, retry_after="3600"))
    with pytest.raises(DownloadFailed) as caught:
        store.ensure(MODEL)
    assert caught.value.retry_after == 3600
    assert len(hub.exchanges) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
    ],
)
def test_retry_after_in_every_form(text, seconds):
    response = types.SimpleNamespace(headers={"Retry-After": text})
    assert _retry_after(response) == seconds


def test_a_pause_grows_and_differs():
    policy = DownloadPolicy()
    pauses = [policy.pause_s(1) for _ in range(50)]
    assert len(set(pauses)) > 1
    assert max(pauses) <= 0.75
    assert min(policy.pause_s(4) for _ in range(50)) >= 2.0
    assert policy.pause_s(60) <= policy.longest_pause_s * 1.5


# -- D5 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["stall", "slow"])
@pytest.mark.parametrize("after_bytes", [0, 100_000])
def test_a_stalled_stream_is_left_and_resumed(hub, store, mode, after_bytes):
    fault = Fault(Mode(mode), after_bytes=after_bytes or None, rate=1.0, times=1)
    hub.fault("*/model.bin", fault)
    patient = DownloadPolicy(backoff_s=0.001, stall_s=0.3)
    Store(store.root, endpoint=hub.url, policy=patient).ensure(MODEL)
    assert content(store)["model.bin"] == WEIGHTS


@pytest.mark.parametrize(
    ("key", "after_bytes"), [("*/model.bin", 100_000), ("*/model.bin", None), ("api/*", None)]
)
def test_cancelling_works_while_nothing_comes(hub, store, key, after_bytes):
    hub.fault(key, Fault(Mode.STALL, after_bytes=after_bytes))
    cancelled, caught = threading.Event(), []

    def download():
        try:
            store.ensure(MODEL, cancelled=cancelled)
        except DownloadCancelled as error:
            caught.append(error)

    thread = threading.Thread(target=download)
    thread.start()
    while hub.pending(key) == 0:
        assert thread.is_alive()
        time.sleep(0.01)
    cancelled.set()
    thread.join(20)
    assert not thread.is_alive()
    assert len(caught) == 1
    assert not store.is_downloaded(MODEL)
    hub.heal()
    store.ensure(MODEL)
    assert content(store)["model.bin"] == WEIGHTS


def test_cancelling_works_while_another_downloads(hub, store):
    hub.fault("*/model.bin", Fault(Mode.STALL, after_bytes=10))
    stop_first, stop_second = threading.Event(), threading.Event()
    outcomes = []

    def download(stop):
        try:
            store.ensure(MODEL, cancelled=stop)
        except DownloadCancelled:
            outcomes.append(stop)

    first = threading.Thread(target=download, args=(stop_first,))
    first.start()
    while hub.pending("*/model.bin") == 0:
        time.sleep(0.01)
    second = threading.Thread(target=download, args=(stop_second,))
    second.start()
    stop_second.set()
    second.join(20)
    assert outcomes == [stop_second]
    stop_first.set()
    first.join(20)
    assert outcomes == [stop_second, stop_first]


def test_cancelled_before_it_began(store, hub):
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(DownloadCancelled):
        store.ensure(MODEL, cancelled=cancelled)


# -- D6 ------------------------------------------------------------------------------------------


def test_too_little_room_is_found_before_anything_is_fetched(hub, store, monkeypatch):
    usage = shutil.disk_usage("/")
    free = int((len(WEIGHTS) + len(CONFIG)) * 1.05)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    with pytest.raises(DiskFull, match="MiB free"):
        store.ensure(MODEL)
    assert hub.gets() == []


def test_a_disk_that_fills_up_half_way_leaves_no_part(hub, store):
    task = {
        "root": str(store.root),
        "endpoint": hub.url,
        "repo": "org/model",
        "model": "org/model",
        "files": ["*.json", "model.bin"],
        "file_bytes": 100_000,
    }
    done = subprocess.run(
        [sys.executable, str(CHILD), "ensure", json.dumps(task)],
        input="\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["ready", "disk_full"]
    assert left_over(store) == []
    assert not store.is_downloaded(MODEL)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(hub, store):
    store.root.parent.chmod(0o555)
    try:
        with pytest.raises(Unavailable, match=str(store.root)):
            store.ensure(MODEL)
    finally:
        store.root.parent.chmod(0o755)


def test_a_root_that_is_a_file_is_named(hub, store):
    store.root.write_text("in the way")
    with pytest.raises(Unavailable, match=str(store.root)):
        store.ensure(MODEL)


# -- D12 -----------------------------------------------------------------------------------------


def never_goes_back(reports: list[Progress]) -> bool:
    return all(
        a.bytes_done <= b.bytes_done <= b.bytes_total and a.bytes_total == b.bytes_total
        for a, b in itertools.pairwise(reports)
    )


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_progress_never_goes_back_and_ends_with_everything(hub, store, fault):
    hub.fault("*/model.bin", fault)
    reports: list[Progress] = []
    store.ensure(MODEL, progress=reports.append)
    assert never_goes_back(reports)
    assert reports[-1].bytes_done == reports[-1].bytes_total == len(WEIGHTS) + len(CONFIG)


def test_progress_of_a_resumed_download_begins_where_it_was(hub, store):
    hub.fault("*/model.bin", Fault(Mode.RESET, after_bytes=200_000))
    with pytest.raises(DownloadFailed):
        Store(store.root, endpoint=hub.url, policy=DownloadPolicy(tries=1)).ensure(MODEL)
    hub.heal()
    hub.fault("*/model.bin", Fault(Mode.STALL))
    reports: list[Progress] = []
    hasty = DownloadPolicy(tries=1, stall_s=0.5)
    with pytest.raises(DownloadFailed):
        Store(store.root, endpoint=hub.url, policy=hasty).ensure(MODEL, progress=reports.append)
    assert never_goes_back(reports)
    assert len(CONFIG) < reports[-1].bytes_done < reports[-1].bytes_total


@given(
    sizes=st.lists(st.integers(1, 1000), min_size=1, max_size=5),
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1000), st.booleans()), max_size=30),
)
def test_the_sum_never_goes_back_whatever_files_do(sizes, steps):
    reports: list[Progress] = []
    meter = ProgressMeter(reports.append)
    meter.expect(sum(sizes))
    for file, done, network in steps:
        number = file % len(sizes)
        meter.at(number, min(done, sizes[number]), received=done if network else 0)
        meter._last = float("-inf")  # report each step
        meter.tick()
    meter.finish()
    assert never_goes_back(reports)
    assert reports[-1].bytes_done == sum(sizes)
    assert all(report.bytes_per_second >= 0 for report in reports)


@pytest.mark.parametrize("has_card", [True, False])
def test_optional_files_are_fetched_where_they_are(hub, tmp_path, has_card):
    source = ModelSource(repo_id="org/voice", files=("*.onnx",), optional=("CARD",))
    model = ModelInfo(id="org/voice", kind=Kind.TTS, sources=(source,))
    hub.add("org/voice", {"a.onnx": b"voice", "x": b"", **({"CARD": b"!"} if has_card else {})})
    folder = Store(tmp_path / "models", endpoint=hub.url, policy=QUICK).ensure(model)["model"]
    found = sorted(path.name for path in folder.iterdir())
    assert found == (["CARD", "a.onnx"] if has_card else ["a.onnx"])


def test_a_hub_that_lists_a_file_as_a_folder_is_told_so(hub, tmp_path):
    source = ModelSource(repo_id="org/voice")
    model = ModelInfo(id="org/voice", kind=Kind.TTS, sources=(source,))
    hub.add("org/voice", {"a/b": b"1", "a/b/c": b"2"})
    store = Store(tmp_path / "models", endpoint=hub.url, policy=QUICK)
    with pytest.raises(DownloadFailed, match="'a/b' is a file and a folder"):
        store.ensure(model)
