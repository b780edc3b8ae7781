"""Speech that is kept for a while: limits, ages, names."""

from __future__ import annotations

import os
import time

import pytest

from open_speech_server.api.compat import downloads
from open_speech_server.api.compat.downloads import Downloads


@pytest.fixture
def kept(tmp_path):
    return Downloads(tmp_path / "downloads")


def test_a_file_is_found_for_an_hour(kept, tmp_path):
    name = kept.new("mp3")
    assert kept.find(name) is None
    kept.keep(name, b"sound", {"chunks": []})
    assert kept.find(name).read_bytes() == b"sound"
    assert kept.find(f"{name}.json").read_bytes() == b'{"chunks": []}'
    old = time.time() - downloads.KEPT_S - 1
    os.utime(tmp_path / "downloads" / name, (old, old))
    assert kept.find(name) is None
    kept.keep(kept.new("mp3"), b"other")
    assert not (tmp_path / "downloads" / name).exists()
    assert not (tmp_path / "downloads" / f"{name}.json").exists()


def test_the_oldest_go_first(kept, monkeypatch):
    monkeypatch.setattr(downloads, "MAX_FILES", 3)
    names = [kept.new("wav") for _ in range(5)]
    for number, name in enumerate(names):
        kept.keep(name, b"sound")
        path = kept.find(name)
        os.utime(path, (time.time() - 100 + number,) * 2)
    assert [bool(kept.find(name)) for name in names] == [False, False, True, True, True]
    monkeypatch.setattr(downloads, "MAX_BYTES", 12)
    last = kept.new("wav")
    kept.keep(last, b"sound")
    assert [bool(kept.find(name)) for name in (*names, last)] == [False] * 4 + [True, True]


@pytest.mark.parametrize("name", ["../secret", ".hidden", "a.mp3", "x" * 22 + ".mp3/..", ""])
def test_other_names_mean_nothing(kept, name):
    assert kept.find(name) is None
