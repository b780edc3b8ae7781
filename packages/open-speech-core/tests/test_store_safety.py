"""Hostile names, hubs, redirects and folders."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import json
import logging
import socket
import threading
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import open_speech.store
from open_speech._types.models import Kind, ModelInfo, ModelSource
from open_speech.errors import (
    AccessDenied,
    DeleteRefused,
    DownloadFailed,
    InvalidModelId,
    ModelNotFound,
    NotDownloaded,
    Offline,
    OpenSpeechError,
)
from open_speech.store import DownloadPolicy, Store
from open_speech.store._records import is_safe_path, read_record
from open_speech.store._redirects import check_redirect
from open_speech.store._slot import Slot
from open_speech.testing.hub import FakeHub, Fault, Mode, fake_hub

hub = pytest.fixture(fake_hub, name="hub")
QUICK = DownloadPolicy(backoff_s=0.001)
SECRET = "hf_canaryCANARYcanary"
FILES = {"config.json": b"{}", "model.bin": b"weights" * 100}


def model(name: str = "org/model", repo_id: str = "org/model", **source: object) -> ModelInfo:
    return ModelInfo(
        id=name,
        kind=Kind.STT,
        sources=(ModelSource(repo_id=repo_id, **source),),  # type: ignore[arg-type]
    )


@pytest.fixture
def store(hub: FakeHub, tmp_path: Path) -> Store:
    hub.add("org/model", FILES)
    return Store(tmp_path / "models", endpoint=hub.url, policy=QUICK)


def tree_hash(folder: Path) -> str:
    """Of every path below a folder, and of what it holds."""
    state = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        state.update(f"{path.relative_to(folder)} {path.is_symlink()}\n".encode())
        if path.is_file():
            state.update(path.read_bytes())
    return state.hexdigest()


# -- P1 ------------------------------------------------------------------------------------------

HOSTILE = [
    "..",
    ".",
    "",
    "/",
    "x/..",
    "x/.",
    "../outside",
    "a/../../outside",
    "/etc/passwd",
    "//etc",
    "a//b",
    "a/",
    "%2e%2e/outside",
    "..%2foutside",
    "a\\..\\b",
    "C:\\outside",
    "C:/outside",
    "nul\0byte",
    "line\nbreak",
    "a\u2215b",
    "a\uff0fb",
    "\u202ebackwards",
    "~root",
    "a+b",
    ".hidden",
    "a@b",
    "p:a",
    "a" * 10_000,
    "a" * 201,
    "http://127.0.0.1/x",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_is_refused_before_anything_happens(store, hub, tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep")
    before = tree_hash(tmp_path)
    for verb in ("ensure", "delete", "paths", "update", "is_downloaded", "verify"):
        with pytest.raises(InvalidModelId):
            getattr(store, verb)(model(name))
    assert tree_hash(tmp_path) == before
    assert hub.exchanges == []


@pytest.mark.parametrize("revision", ["..", "../x", "a/b", "", ".x", "x\0", "a" * 200])
def test_a_hostile_revision_is_refused(store, tmp_path, revision):
    store.ensure(model())
    before = tree_hash(tmp_path)
    for call in (
        lambda: store.ensure(model(), revision=revision),
        lambda: store.delete(model(), revision),
        lambda: store.paths(model(), revision),
    ):
        with pytest.raises(InvalidModelId):
            call()
    assert tree_hash(tmp_path) == before


@given(st.text(max_size=40))
def test_no_name_leaves_its_own_folder(name):
    root = Path("/store")
    try:
        slot = Slot(root, Kind.TTS, name)
    except InvalidModelId:
        return
    assert slot.folder.parent == root / "tts"
    assert slot.folder.name not in {"", ".", ".."}
    assert slot.folder.name.replace("+", "/") == name


@pytest.mark.parametrize(
    "path", ["../evil", "a/../../evil", "/etc/evil", "a\\evil", "a//b", "./a", "a\0b", "C:evil"]
)
def test_a_hub_cannot_name_files_outside_the_folder(store, hub, tmp_path, path):
    hub.add("org/evil", {"model.bin": b"1", path: b"evil"})
    with pytest.raises(DownloadFailed, match="is invalid"):
        store.ensure(model("m", "org/evil"))
    assert not list(tmp_path.rglob("*evil*"))
    assert hub.gets() == []


@given(st.text(max_size=60))
def test_a_safe_path_stays_below(path):
    if is_safe_path(path):
        base = Path("/folder")
        joined = Path(f"{base}/{path}")
        assert ".." not in joined.parts
        assert joined.parts[:2] == base.parts
        assert len(joined.parts) == 2 + len(path.split("/"))


@pytest.mark.parametrize("key", ["../k", "a/b", "", "a@b", "k" * 65])
def test_a_key_is_a_plain_word(store, key):
    with pytest.raises(DownloadFailed, match="cannot be stored"):
        store.ensure(model(key=key))


def test_deleting_goes_through_no_link(store, tmp_path):
    store.ensure(model())
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep")
    slot = store.root / "stt" / "org+model"
    (slot / "link").symlink_to(precious)
    store.delete(model())
    assert (precious / "file").read_text() == "keep"
    assert not slot.exists()
    slot.symlink_to(precious)
    with pytest.raises((DeleteRefused, NotDownloaded)):
        store.delete(model())
    assert (precious / "file").read_text() == "keep"
    assert store.sweep() == 0
    slot.unlink()
    (store.root / "stt").rmdir()
    (precious / "org+model").mkdir()
    (store.root / "stt").symlink_to(precious)
    with pytest.raises(DeleteRefused):
        store.delete(model())
    assert (precious / "org+model").is_dir()


def test_deleting_one_model_leaves_every_other_byte(store, hub, tmp_path):
    for name in ("org/model", "org", "model", "org-model"):
        store.ensure(model(name))
    before = {
        slot.name: tree_hash(slot) for slot in (store.root / "stt").iterdir() if slot.name != "org"
    }
    store.delete(model("org"))
    assert {slot.name: tree_hash(slot) for slot in (store.root / "stt").iterdir()} == before


RECORD = {
    "version": 1,
    "model": "org/model",
    "kind": "stt",
    "requested": None,
    "sources": [
        {
            "key": "model",
            "repo_id": "org/model",
            "commit": "0" * 40,
            "patterns": [],
            "files": [{"path": "a", "size": 1, "digest": "1" * 64}],
            "folder": None,
        }
    ],
}


def test_a_record_is_read_back(tmp_path):
    path = tmp_path / "current.json"
    path.write_text(json.dumps(RECORD))
    assert read_record(path).sources[0].files[0].path == "a"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version": 1', '"version": 2'),
        ('"org/model", "kind"', '"../x", "kind"'),
        ('"stt"', '"other"'),
        ('"path": "a"', '"path": "../a"'),
        ('"path": "a"', '"path": 7'),
        ('"size": 1', '"size": -1'),
        ('"size": 1', '"size": true'),
        ('"digest": "1', '"digest": "x'),
        ('"commit": "0', '"commit": "/'),
        ('"key": "model"', '"key": "../k"'),
        ('"key": "model"', '"key": 1'),
        ('"sources": [', '"sources": [], "more": ['),
        ("{", ""),
        ("{", "[" * 100_000 + "{"),
    ],
)
def test_a_record_that_was_tampered_with_is_none(tmp_path, old, new):
    path = tmp_path / "current.json"
    text = json.dumps(RECORD).replace(old, new, 1)
    assert text != json.dumps(RECORD)
    path.write_text(text)
    assert read_record(path) is None


def test_what_a_later_version_adds_to_a_record_is_skipped(tmp_path):
    path = tmp_path / "current.json"
    (source,) = RECORD["sources"]
    (file,) = source["files"]
    added = {"added": {"since": 2}}
    later = {**RECORD, "sources": [{**source, "files": [{**file, **added}], **added}], **added}
    path.write_text(json.dumps(RECORD))
    known = read_record(path)
    path.write_text(json.dumps(later))
    assert read_record(path) == known


def test_a_record_of_a_later_form_is_told_of_once_and_its_files_are_kept(store, hub, caplog):
    folder = store.ensure(model("org/model"))["model"]
    path = folder.parent / "current.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    assert not store.is_downloaded(model("org/model"))
    assert not store.is_downloaded(model("org/model"))
    (told,) = (record.getMessage() for record in caplog.records if "later" in record.getMessage())
    assert str(path) in told
    swept = Store(store.root, policy=DownloadPolicy(keep_partial_s=0.0))
    before = tree_hash(folder)
    assert swept.sweep() == 0
    assert tree_hash(folder) == before
    with pytest.raises(Offline, match=r"current\.json cannot be read"):
        Store(store.root, offline=True).ensure(model("org/model"))
    hub.forget()
    store.ensure(model("org/model"))
    assert not hub.gets()


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_a_record_fail(data):
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        assert read_record(Path(file.name)) is None


# -- P4 ------------------------------------------------------------------------------------------


def test_an_archive_is_a_file_like_any_other(store, hub):
    hub.add("org/packed", {"a.zip": b"PK\3\4", "b.tar.gz": b"\x1f\x8b"})
    folder = store.ensure(model("packed", "org/packed"))["model"]
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        "a.zip": b"PK\3\4",
        "b.tar.gz": b"\x1f\x8b",
    }


def test_nothing_in_the_store_unpacks():
    banned = {"tarfile", "zipfile", "gzip", "bz2", "lzma", "pickle", "unpack_archive", "subprocess"}
    for path in Path(open_speech.store.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text())
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        names |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        names |= {
            a.name
            for n in ast.walk(tree)
            if isinstance(n, ast.Import | ast.ImportFrom)
            for a in n.names
        }
        assert not names & banned, path


# -- P5 ------------------------------------------------------------------------------------------


@pytest.fixture
def listener():
    """A port of this machine, other than the hub's, and the connections that it got."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def connections(server: socket.socket) -> int:
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@pytest.mark.parametrize("key", ["api/*", "*/model.bin"])
def test_a_redirect_into_the_private_network_is_refused(store, hub, listener, key):
    port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/x", f"http://localhost:{port}{{path}}"):
        hub.fault(key, Fault(Mode.REDIRECT, url=url))
        with pytest.raises(DownloadFailed, match="redirects to"):
            store.ensure(model())
    assert connections(listener) == 0
    assert not store.is_downloaded(model())


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:1/x",
        "http://[::ffff:10.0.0.1]/x",
        "http://10.1.2.3/x",
        "http://100.64.0.1/x",
        "http://0.0.0.0:1/x",
        "http://2130706433/x",
        "gopher://x",
    ],
)
@pytest.mark.parametrize("key", ["api/*", "*/model.bin"])
def test_no_redirect_to_other_schemes_or_private_addresses(store, hub, url, key):
    hub.fault(key, Fault(Mode.REDIRECT, url=url))
    with pytest.raises(DownloadFailed):
        store.ensure(model())
    assert sum(e.status == 307 for e in hub.exchanges) == 1


@pytest.mark.parametrize(
    ("endpoint", "target", "bytes_of_file", "allowed", "fits"),
    [
        ("https://hub.example", "https://hub.example/other", False, (), True),
        ("https://hub.example", "https://HUB.example:443/other", False, (), True),
        ("https://hub.example", "https://1.1.1.1/x", False, (), False),
        ("https://hub.example", "https://1.1.1.1/x", True, (), True),
        ("https://hub.example", "http://1.1.1.1/x", True, (), False),
        ("https://hub.example", "http://hub.example/x", True, (), False),
        ("https://hub.example", "https://10.0.0.1/x", True, (), False),
        ("https://hub.example", "https://10.0.0.1/x", True, ("10.0.0.1",), True),
        ("https://hub.example", "https://10.0.0.1:8/x", True, ("10.0.0.1:8",), True),
        ("https://hub.example", "https://10.0.0.1:9/x", True, ("10.0.0.1:8",), False),
        ("https://hub.example", "https://10.0.0.1/x", False, ("10.0.0.1",), False),
        ("http://10.0.0.1:8000", "http://10.0.0.1:8000/x", True, (), True),
        ("http://10.0.0.1:8000", "http://10.0.0.1:22/x", True, (), False),
        ("https://hub.example", "https://224.0.0.1/x", True, (), False),
        ("https://hub.example", "https://hub.example:99999/x", True, (), False),
    ],
)
def test_where_a_hub_may_send_us(endpoint, target, bytes_of_file, allowed, fits):
    def check():
        asyncio.run(check_redirect(endpoint, target, bytes_of_file=bytes_of_file, allowed=allowed))

    if fits:
        check()
    else:
        with pytest.raises(DownloadFailed):
            check()


def test_a_host_for_files_that_was_allowed_gets_no_token(store, hub):
    hub.token = SECRET
    with FakeHub() as network:
        network.add("org/model", FILES)
        hub.fault("*/model.bin", Fault(Mode.REDIRECT, url=f"{network.url}{{path}}"))
        host = network.url.removeprefix("http://")
        trusting = Store(
            store.root, endpoint=hub.url, token=SECRET, policy=QUICK, file_hosts=[host]
        )
        folder = trusting.ensure(model())["model"]
        assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
        assert [e.authorization for e in network.exchanges] == [None]
        assert {e.authorization for e in hub.exchanges} == {f"Bearer {SECRET}"}


def test_a_redirect_on_the_hub_itself_is_followed(store, hub):
    commit = hub.repository("org/model").refs["main"]
    hub.add("new/name", FILES)
    moved = f"{hub.url}/new/name/resolve/main/model.bin"
    hub.fault("org/model/model.bin", Fault(Mode.REDIRECT, url=moved))
    assert store.ensure(model())["model"].name == f"model@{commit}"


@pytest.mark.parametrize(
    "repo_id", ["http://127.0.0.1/x", "//x/y", "a/b/c", "..", "a/..", "[::1]/x", "a?b", "a#b/c", ""]
)
def test_a_repository_is_a_name_and_no_address(store, hub, repo_id):
    with pytest.raises(ModelNotFound, match="cannot be the name"):
        store.ensure(model("m", repo_id))
    assert hub.exchanges == []


@pytest.mark.parametrize("endpoint", ["file:///etc", "hub.example", "ftp://x", "http://"])
def test_an_endpoint_is_an_http_address(tmp_path, endpoint):
    with pytest.raises(OpenSpeechError, match="endpoint"):
        Store(tmp_path, endpoint=endpoint)


# -- D10 -----------------------------------------------------------------------------------------


def refused(store: Store, caplog: pytest.LogCaptureFixture) -> AccessDenied:
    with caplog.at_level(logging.DEBUG), pytest.raises(AccessDenied) as caught:
        store.ensure(model())
    told = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert SECRET not in told
    assert SECRET not in caplog.text
    assert caught.value.hint
    assert not store.is_downloaded(model())
    return caught.value


@pytest.mark.parametrize("key", ["api/*", "*/config.json"])
def test_a_gated_repository_names_the_next_step(store, hub, caplog, key):
    hub.fault(key, Fault(Mode.GATED))
    told = Store(store.root, endpoint=hub.url, token=SECRET, policy=QUICK)
    assert "Accept its conditions" in refused(told, caplog).hint
    assert len(hub.gets("*/config.json")) <= 1  # asking again would not help


@pytest.mark.parametrize("token", [None, SECRET])
def test_a_missing_or_wrong_token(store, hub, caplog, token):
    hub.token = "hf_right"
    told = Store(store.root, endpoint=hub.url, token=token, policy=QUICK)
    assert "token" in str(refused(told, caplog))
    assert len(hub.exchanges) == 1


def test_the_right_token_is_written_and_logged_nowhere(store, hub, caplog):
    hub.token = SECRET
    told = Store(store.root, endpoint=hub.url, token=SECRET, policy=QUICK)
    with caplog.at_level(logging.DEBUG):
        told.ensure(model())
    assert SECRET not in caplog.text
    assert SECRET not in repr(vars(told))
    for path in store.root.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_a_token_of_the_users_login_is_not_used(store, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", SECRET)
    store.ensure(model())
    assert {e.authorization for e in hub.exchanges} == {None}


def test_a_repository_that_is_not_there(store):
    with pytest.raises(ModelNotFound, match="no repository org/absent"):
        store.ensure(model("m", "org/absent"))


# -- descriptions that lie -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"not json",
        b'{"sha": 7, "id": "m", "siblings": []}',
        b'{"id": "m", "sha": "../x", "siblings": [{"rfilename": "a", "size": 1, "blobId": "'
        + b"1" * 40
        + b'"}]}',
        b'{"id": "m", "sha": "%s", "siblings": [{"rfilename": "a"}]}' % (b"1" * 40),
        b'{"id": "m", "sha": "%s", "siblings": [{"rfilename": "a", "size": -1, "blobId": "%s"}]}'
        % (b"1" * 40, b"1" * 40),
        b'{"id": "m", "sha": "%s", "siblings": 7}' % (b"1" * 40),
        b"[" * 100_000,
    ],
)
def test_a_description_that_cannot_be_right_is_refused(tmp_path, body):
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        thread = threading.Thread(target=serve_once, args=(server, answer))
        thread.start()
        store = Store(tmp_path, endpoint=f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(DownloadFailed):
            store.ensure(model())
        thread.join()
    assert not list(tmp_path.rglob("*.json"))


def serve_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)
