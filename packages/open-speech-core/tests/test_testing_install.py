"""Providers made for tests are installed like any other."""

from __future__ import annotations

import base64
import csv
import hashlib
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from open_speech import testing
from open_speech._plugins.discovery import InstalledProvider, installed_providers, load_backends
from open_speech.testing import (
    build_library_wheel,
    build_wheel,
    install_provider,
    provider_source,
    remove_provider,
)
from open_speech.testing import tone as tone_provider


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if name.startswith("open_speech_provider_made")]:
        del sys.modules[name]


def found(name: str) -> InstalledProvider | None:
    return next((p for p in installed_providers() if p.name == name), None)


def test_a_module_is_found_as_a_provider(site: Path) -> None:
    assert found("tone") is None, "the test provider appears for nobody who did not ask for it"
    info = install_provider(site, "tone", tone_provider, version="2.5", requires=["numpy>=1"])
    provider = found("tone")
    assert provider is not None
    assert provider.module == "open_speech.testing.tone"
    assert (provider.distribution, provider.version) == ("open-speech-provider-tone", "2.5")
    assert provider.requires == ("numpy>=1",)
    names = [backend.name for backend in load_backends(provider)]
    assert names == ["tone", "tone-echo", "tone-level", "tone-loudness", "tone-pitch"]
    assert info.parent == site


def test_a_source_is_found_replaced_and_removed(site: Path) -> None:
    install_provider(site, "made-up", provider_source("made-up"), version="1.0")
    first = found("made-up")
    assert first is not None
    assert [backend.name for backend in load_backends(first)] == ["made-up"]
    install_provider(site, "made-up", provider_source("made-up"), version="1.1")
    again = found("made-up")
    assert again is not None
    assert again.version == "1.1"
    remove_provider(site, "made-up")
    assert found("made-up") is None
    assert not list(site.glob("*made_up*"))
    remove_provider(site, "made-up")


def test_the_record_tells_the_truth(site: Path) -> None:
    info = install_provider(site, "made", provider_source("made"))
    with (info / "RECORD").open(newline="") as file:
        rows = {row[0]: row[1:] for row in csv.reader(file)}
    for path, (digest, size) in rows.items():
        if path.endswith("RECORD"):
            continue
        data = (site / path).read_bytes()
        expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert digest == f"sha256={expected}"
        assert int(size) == len(data)
    assert {str(path) for path in metadata.distribution("open-speech-provider-made").files or ()}


def test_wheels_hold_what_an_installer_needs(tmp_path: Path) -> None:
    wheel = build_wheel(
        tmp_path,
        "made-up",
        provider_source("made-up"),
        version="0.3",
        requires=["engine==1.0"],
        requires_python=">=3.11",
    )
    assert wheel.name == "open_speech_provider_made_up-0.3-py3-none-any.whl"
    info = "open_speech_provider_made_up-0.3.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        assert set(archive.namelist()) == {
            "open_speech_provider_made_up.py",
            *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD")),
        }
        about = archive.read(f"{info}/METADATA").decode()
        assert "Requires-Dist: engine==1.0\n" in about
        assert "Requires-Python: >=3.11\n" in about
        record = archive.read(f"{info}/RECORD").decode()
        assert set(archive.namelist()) == {line.split(",")[0] for line in record.splitlines()}


def test_library_wheels_register_nothing(tmp_path: Path) -> None:
    wheel = build_library_wheel(tmp_path, "engine", {"engine": "VERSION = 1\n"}, version="1.0")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("engine.py") == b"VERSION = 1\n"
        assert not [name for name in archive.namelist() if "entry_points" in name]


def test_the_package_gives_what_it_names() -> None:
    assert set(testing.__all__) <= set(dir(testing))
    for name in testing.__all__:
        assert getattr(testing, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = testing.nothing_like_it
