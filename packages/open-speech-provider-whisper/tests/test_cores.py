"""Threads: within what the machine and the container leave, split among decoders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from open_speech_provider_whisper import _cores


def test_there_are_some_and_not_more_than_processors() -> None:
    assert 1 <= _cores.physical_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("cores", "expected"),
    [(1, (1, 1)), (2, (2, 2)), (4, (2, 4)), (8, (2, 4)), (16, (4, 4)), (64, (4, 16))],
)
def test_how_they_are_split(cores: int, expected: tuple[int, int]) -> None:
    assert _cores.split(cores) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [("200000 100000\n", 2), ("150000 100000\n", 2), ("max 100000\n", 1 << 20), ("", 1 << 20)],
)
def test_a_container_s_share(tmp_path: Path, content: str, expected: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(content)
    assert _cores._share(file) == expected
    assert _cores._share(tmp_path / "none") == 1 << 20


def test_siblings_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for processor in range(4):
        topology = tmp_path / f"cpu{processor}" / "topology"
        topology.mkdir(parents=True)
        first = processor % 2
        (topology / "thread_siblings_list").write_text(f"{first},{first + 2}\n")
    monkeypatch.setattr(_cores, "_TOPOLOGY", tmp_path)
    assert _cores._cores_of(range(4)) == 2
    assert _cores._cores_of(range(6)) == 4  # two of which nothing is known
