"""Each distribution is complete, under the right licence, and in pieces of a readable size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules import layout, source
from rules.repository import ROOT, Distribution, distributions

DISTRIBUTIONS = distributions()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda found: found.name)
def test_distribution_is_complete(distribution: Distribution) -> None:
    assert list(layout.incomplete(distribution)) == []


@pytest.mark.parametrize("rule", [source.long_files, source.long_functions])
def test_pieces_are_of_a_readable_size(rule: layout.Rule) -> None:
    assert list(rule(ROOT)) == []


def test_root_has_what_a_visitor_looks_for() -> None:
    names = ("CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md", "noxfile.py", ".ci/run")
    assert [name for name in names if not (ROOT / name).is_file()] == []


def test_no_module_is_a_drawer() -> None:
    drawers = {"base", "common", "helpers", "misc", "utils"}
    modules = [module.path for found in DISTRIBUTIONS for module in found.modules]
    assert [str(path) for path in modules if path.stem.strip("_") in drawers] == []


NUMBERED = re.compile(r"test_[a-z]\d{1,2}_")
"""A name that begins with the number of something in a list that readers do not have."""


def test_tests_are_named_by_what_they_show() -> None:
    files = [path for part in ("packages", "apps", "tests") for path in (ROOT / part).rglob("*.py")]
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
        if NUMBERED.match(name)
    ] == []


def test_a_numbered_name_is_found() -> None:
    assert NUMBERED.match("test_u9_speech_ends")
    assert not NUMBERED.match("test_x_speech_ends")


GOOD = """
[project]
name = "open-speech-provider-tick"
version = "0.1.0"
description = "Ticks."
readme = "README.md"
license = "Apache-2.0"
license-files = ["LICENSE"]
authors = [{ name = "The Open Speech authors" }]
requires-python = ">=3.11"
dependencies = ["open-speech-core>=0.1,<1"]

[project.entry-points.open_speech]
tick = "open_speech_provider_tick"
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    folder = tmp_path / "open-speech-provider-tick"
    package = folder / "src" / "open_speech_provider_tick"
    package.mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "pyproject.toml").write_text(GOOD)
    (folder / "README.md").write_text("# Tick\n")
    (folder / "CHANGELOG.md").write_text("## Unreleased\n")
    (folder / "LICENSE").write_text("Apache License\nVersion 2.0\n")
    (package / "py.typed").touch()
    (package / "__init__.py").touch()
    (folder / "tests" / "test_tick.py").touch()
    return folder


def test_a_good_distribution_passes(good: Path) -> None:
    assert list(layout.incomplete(Distribution(good))) == []


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('version = "0.1.0"', "", "version"),
        ('license = "Apache-2.0"', 'license = "MIT"', "licence"),
        ('tick = "open_speech_provider_tick"', "", "entry point"),
        ('tick = "open_speech_provider_tick"', 'tock = "open_speech_provider_tick"', "entry point"),
        ('name = "The Open Speech authors"', 'name = "Somebody"', "authors"),
        (">=0.1,<1", "", "range"),
        ("[project]", "[project]\nurls = { home = 'https://example.org' }", "address"),
        ('"open-speech-provider-tick"', '"open-speech-tick"', "folder"),
    ],
)
def test_a_wrong_line_is_found(good: Path, line: str, instead: str, said: str) -> None:
    file = good / "pyproject.toml"
    assert line in file.read_text()
    file.write_text(file.read_text().replace(line, instead))
    assert said in "\n".join(layout.incomplete(Distribution(good)))


@pytest.mark.parametrize(
    "missing",
    [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "src/open_speech_provider_tick/py.typed",
        "tests/test_tick.py",
    ],
)
def test_a_missing_file_is_found(good: Path, missing: str) -> None:
    (good / missing).unlink()
    assert re.search(r"lacks|licence|tests", "\n".join(layout.incomplete(Distribution(good))))
