"""A volume with models that cannot be written, or belongs to somebody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from hearing import CLIP, DIGITS, SPOKEN, TINY, send
from live import live_server
from open_speech.testing.hub import FakeHub

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")

NOBODY = 12_345
ROOT = os.getuid() == 0
Volume = tuple[Path, dict[str, str]]
"""A folder with models and data, and the environment of its server."""


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.add(TINY, DIGITS)
        yield hub


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory, hub: FakeHub) -> Volume:
    """Filled by a server that could write to it."""
    folder = tmp_path_factory.mktemp("volume")
    environment = {
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(folder / "nobodys"),
        "STT_MODEL": TINY,
        "TTS_MODEL": TINY,  # one model is enough
        "OS_MODEL_DIR": str(folder / "kept" / "models"),
        "OS_DATA_DIR": str(folder / "kept" / "data"),
    }
    with live_server(folder, environment):
        return folder, environment


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter whose user has no home, and no more right to files than anybody else."""
    drop = ""
    if ROOT:
        if not shutil.which("setpriv"):
            pytest.skip("as root, setpriv is needed to take the right to every file away")
        drop = "setpriv --bounding-set -dac_override,-dac_read_search,-fowner"
    path = tmp_path_factory.mktemp("interpreter") / "python"
    path.write_text(f'#!/bin/sh\nunset HOME\nexec {drop} "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return path


@contextmanager
def not_writable(folder: Path) -> Iterator[None]:
    for path in _all(folder):
        path.chmod(path.stat().st_mode & ~0o222)
    yield
    for path in _all(folder):
        path.chmod(path.stat().st_mode | 0o200)


@contextmanager
def of_somebody_else(folder: Path) -> Iterator[None]:
    if not ROOT:
        pytest.skip("only root can give a folder to somebody else")
    for path in _all(folder):
        os.chown(path, NOBODY, NOBODY)
    yield
    for path in _all(folder):
        os.chown(path, 0, 0)


@contextmanager
def mounted_for_reading(folder: Path) -> Iterator[None]:
    mount = ["mount", "--bind", "-o", "ro", str(folder), str(folder)]
    if not ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a folder")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


Closed = Callable[[Path], AbstractContextManager[None]]
WAYS = [not_writable, of_somebody_else, mounted_for_reading]


def _all(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


@pytest.mark.parametrize("closed", WAYS)
def test_models_that_are_there_are_served(
    volume: Volume, ordinary: Path, hub: FakeHub, closed: Closed
) -> None:
    folder, environment = volume
    hub.forget()
    kept = folder / "kept"
    with closed(kept):
        with live_server(folder, environment, python=ordinary) as live, live.client() as client:
            assert send(client, CLIP.read_bytes()).json()["text"] == SPOKEN
            refused = client.post(f"/api/models/{TINY}/update")
            assert refused.status_code == 503
            assert str(kept / "models") in refused.json()["error"]["message"]
            assert f"uid {os.getuid()}" in refused.json()["error"]["message"]
            assert send(client, CLIP.read_bytes()).status_code == 200
        assert not hub.gets()


@pytest.mark.parametrize("closed", [not_writable, of_somebody_else])
def test_the_doctor_names_path_user_and_remedy(
    volume: Volume, ordinary: Path, closed: Closed
) -> None:
    folder, environment = volume
    kept = folder / "kept"
    with closed(kept):
        owner = kept.stat().st_uid
        told = subprocess.run(
            [ordinary, "-c", "from open_speech_server.cli import main; main()", "doctor", "--json"],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert told.returncode == 1, told.stderr
    found = {check["subject"]: check for check in json.loads(told.stdout)["checks"]}
    for subject, variable in (("models", "OS_MODEL_DIR"), ("data", "OS_DATA_DIR")):
        check = found[subject]
        assert check["state"] == "wrong"
        assert f"user id {os.getuid()} cannot write to {kept / subject}" in check["text"]
        assert f"belongs to user id {owner}" in check["text"]
        assert variable in check["fix"]
