"""Packages are taken as pinned or not at all. Needs no network: what is fetched is made here."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest

from real import packages
from real.packages import REQUIRED, Changed, Missing, Package, missing


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "one-1.0.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one/data/first.bin", b"first")
        archive.writestr("one/data/deep/second.bin", b"second")
        archive.writestr("one/code.py", b"raise SystemExit")
    return path


def pinned(path: Path, name: str = "one") -> Package:
    return Package(name, "pypi", "1.0", hashlib.sha256(path.read_bytes()).hexdigest())


def test_an_archive_in_the_cache_is_used_as_it_is(wheel: Path) -> None:
    assert packages.fetch(pinned(wheel), wheel.parent) == wheel


def test_another_archive_is_refused_and_not_kept(wheel: Path) -> None:
    wanted = pinned(wheel)
    wheel.write_bytes(wheel.read_bytes() + b"more")
    with pytest.raises(Changed, match=wanted.sha256):
        packages.fetch(wanted, wheel.parent)
    assert not wheel.exists()


def test_a_registry_without_the_package_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Missing, match=r"one==1\.0"):
        packages.fetch(Package("one", "pypi", "1.0", "0" * 64), tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_a_missing_tool_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="npm is not installed"):
        packages.fetch(Package("one", "npm", "1.0", "0" * 64), tmp_path)


def test_files_are_read_out_of_a_folder(wheel: Path, tmp_path: Path) -> None:
    expected = {"first.bin": b"first", "deep/second.bin": b"second"}
    assert dict(packages.files(wheel, "one/data/")) == expected
    with zipfile.ZipFile(wheel) as archive, tarfile.open(tmp_path / "one.tgz", "w:gz") as tar:
        archive.extractall(tmp_path)
        tar.add(tmp_path / "one", "one")
    assert dict(packages.files(tmp_path / "one.tgz", "one/data/")) == expected
    assert packages.read(wheel, "one/data/first.bin") == b"first"
    with pytest.raises(Changed, match=r"holds no one/data/third\.bin"):
        packages.read(wheel, "one/data/third.bin")


@pytest.mark.parametrize(("value", "ending"), [("required", "Failed"), ("", "Skipped")])
def test_what_is_missing_fails_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, value: str, ending: str
) -> None:
    monkeypatch.setenv(REQUIRED, value)
    with pytest.raises(BaseException, match="no index") as caught:
        missing(Missing("no index"))
    assert type(caught.value).__name__ == ending


def test_every_file_comes_from_a_package_that_is_pinned() -> None:
    pins = packages.pins()
    for repository in pins["repositories"].values():
        for file in repository.values():
            assert {part.partition(":")[0] for part in file["parts"]} <= set(pins["packages"])
    for name in pins["packages"]:
        assert len(packages.package(name).sha256) == 64
