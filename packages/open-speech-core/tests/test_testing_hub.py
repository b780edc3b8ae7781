"""The fake hub, as the hub's own client and a plain HTTP client see it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download

from open_speech.testing.hub import Fault, Mode, repositories_below
from open_speech.testing.hub import fake_hub as _fake_hub

fake_hub = pytest.fixture(_fake_hub)

FILES = {
    "config.json": b"{}",
    "model.bin": bytes(range(256)) * 400,
    "voices/one.txt": b"a voice",
}


def get(url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.status, response.read(), dict(response.headers)


def test_the_hubs_own_client_downloads_a_snapshot(fake_hub, tmp_path):
    commit = fake_hub.add("org/model", FILES)
    path = snapshot_download("org/model", endpoint=fake_hub.url, cache_dir=tmp_path, token=False)
    assert Path(path).name == commit
    assert {p: (Path(path) / p).read_bytes() for p in FILES} == FILES
    assert {e.key: len(fake_hub.gets(e.key)) for e in fake_hub.gets()} == {
        f"org/model/{p}": 1 for p in FILES
    }


def test_the_hubs_own_client_downloads_one_file(fake_hub, tmp_path):
    fake_hub.add("gpt", FILES, revision="v1")
    path = hf_hub_download(
        "gpt",
        "voices/one.txt",
        revision="v1",
        endpoint=fake_hub.url,
        cache_dir=tmp_path,
        token=False,
    )
    assert Path(path).read_bytes() == b"a voice"


def test_metadata_names_sizes_and_checksums(fake_hub):
    fake_hub.add("org/model", FILES)
    api = HfApi(endpoint=fake_hub.url, token=False)
    info = api.model_info("org/model", files_metadata=True)
    files = {s.rfilename: s for s in info.siblings}
    assert files["model.bin"].lfs.sha256 == hashlib.sha256(FILES["model.bin"]).hexdigest()
    assert files["config.json"].blob_id == hashlib.sha1(b"blob 2\0{}").hexdigest()
    (entry,) = api.get_paths_info("org/model", ["model.bin", "absent"])
    assert (entry.size, entry.lfs.sha256) == (102400, files["model.bin"].lfs.sha256)
    assert api.list_repo_refs("org/model").branches[0].target_commit == info.sha


def test_a_revision_moves_and_the_old_commit_stays(fake_hub):
    old = fake_hub.add("org/model", {"a.txt": b"old"})
    new = fake_hub.add("org/model", {"a.txt": b"new"})
    assert old != new
    assert get(f"{fake_hub.url}/org/model/resolve/main/a.txt")[1] == b"new"
    assert get(f"{fake_hub.url}/org/model/resolve/{old}/a.txt")[1] == b"old"


def test_a_range_gives_the_rest(fake_hub):
    fake_hub.add("org/model", {"a.bin": b"0123456789"})
    status, body, headers = get(f"{fake_hub.url}/org/model/resolve/main/a.bin", Range="bytes=4-")
    assert (status, body) == (206, b"456789")
    assert headers["Content-Range"] == "bytes 4-9/10"
    assert headers["X-Linked-Size"] == "10"
    assert fake_hub.gets()[0].start == 4


def test_what_is_not_there_answers_404_with_the_hubs_code(fake_hub):
    fake_hub.add("org/model", FILES)
    for path, code in {
        "/org/absent/resolve/main/a": "RepoNotFound",
        "/org/model/resolve/v9/config.json": "RevisionNotFound",
        "/org/model/resolve/main/absent": "EntryNotFound",
        "/api/models/org/absent": "RepoNotFound",
        "/api/models/org/model/revision/v9": "RevisionNotFound",
        "/nothing": "RepoNotFound",
    }.items():
        with pytest.raises(urllib.error.HTTPError) as error:
            get(fake_hub.url + path)
        assert (error.value.code, error.value.headers["X-Error-Code"]) == (404, code)
        error.value.close()


@pytest.mark.parametrize("mode", [Mode.STATUS, Mode.GATED, Mode.RESET, Mode.REDIRECT_LOOP])
def test_a_fault_is_met_as_often_as_told_and_heals(fake_hub, mode):
    fake_hub.add("org/model", FILES)
    url = f"{fake_hub.url}/org/model/resolve/main/config.json"
    fake_hub.fault("org/model/config.json", Fault(mode, status=503, retry_after="1", times=11))
    with pytest.raises(OSError) as error:
        get(url)
    if isinstance(error.value, urllib.error.HTTPError):
        error.value.close()
    fake_hub.heal()
    assert get(url)[1] == b"{}"


def test_bytes_are_corrupted_cut_compressed_and_slowed_on_demand(fake_hub):
    data = FILES["model.bin"]
    fake_hub.add("org/model", FILES)
    url = f"{fake_hub.url}/org/model/resolve/main/model.bin"
    fake_hub.fault("*.bin", Fault(Mode.CORRUPT, times=1))
    body = get(url)[1]
    assert len(body) == len(data)
    assert body != data
    fake_hub.fault("*.bin", Fault(Mode.TRUNCATE, after_bytes=1000, times=1))
    with pytest.raises(Exception, match="IncompleteRead"):
        get(url)
    fake_hub.fault("*.bin", Fault(Mode.NO_LENGTH, after_bytes=1000, times=1))
    _, body, headers = get(url)
    assert (len(body), headers.get("Content-Length")) == (1000, None)
    fake_hub.fault("*.bin", Fault(Mode.GZIP, times=1))
    assert get(url)[2]["Content-Encoding"] == "gzip"
    fake_hub.fault("*.bin", Fault(Mode.SLOW, rate=len(data) * 4, times=1))
    started = time.monotonic()
    assert get(url)[1] == data
    assert time.monotonic() - started > 0.1


def test_a_token_is_asked_for(fake_hub):
    fake_hub.add("org/model", FILES)
    fake_hub.token = "hf_right"
    url = f"{fake_hub.url}/api/models/org/model"
    for headers in ({}, {"Authorization": "Bearer hf_wrong"}):
        with pytest.raises(urllib.error.HTTPError) as error:
            get(url, **headers)
        assert error.value.code == 401
        error.value.close()
    assert get(url, Authorization="Bearer hf_right")[0] == 200


def test_the_command_serves_a_folder(tmp_path):
    (tmp_path / "org" / "model").mkdir(parents=True)
    (tmp_path / "org" / "model" / "a.txt").write_bytes(b"hello")
    assert list(repositories_below(tmp_path)) == ["org/model"]
    command = [sys.executable, "-m", "open_speech.testing.hub", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().startswith("org/model at ")
            url = process.stdout.readline().split()[2].rstrip(";")
            assert get(f"{url}/org/model/resolve/main/a.txt")[1] == b"hello"
        finally:
            process.kill()
