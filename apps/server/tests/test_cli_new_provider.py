"""A project to begin a provider with."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from command_line import Done, run, variables
from open_speech.testing.install import install_provider
from open_speech_server.cli.new_provider import KINDS


def new(folder: Path, *arguments: str) -> Done:
    environment = variables(folder.with_name("settings"))
    return run("providers", "new", "--folder", folder, *arguments, environment=environment)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["hum", "two-words-2"])
def test_the_project_passes_the_conformance_suite_at_once(tmp_path: Path, name: str, kind: str):
    done = new(tmp_path, name, "--kind", kind)
    assert done.status == 0, done.errors
    project = tmp_path / f"open-speech-provider-{name}"
    assert f"{project}: a provider to begin with" in done.text
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]["entry-points"]
    install_provider(tmp_path / "site", name, declared["open_speech"][name])
    paths = os.pathsep.join([str(project / "src"), str(tmp_path / "site")])
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(project)],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout
    left = [path for path in project.rglob("*") if path.is_file() and "{{" in path.read_text()]
    assert not left


def test_the_project_is_typed_and_in_form(tmp_path: Path):
    new(tmp_path, "hum")
    files = sorted(str(path) for path in tmp_path.rglob("*.py"))
    for path in files:
        compile(Path(path).read_text(), path, "exec")
    assert (tmp_path / "open-speech-provider-hum/src/open_speech_provider_hum/py.typed").is_file()


@pytest.mark.parametrize("name", ["Hum", "a_b", "../x", "a--b", "", "x" * 41, "9lives"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str):
    done = new(tmp_path, "--", name)
    assert done.status != 0
    assert "cannot be a provider's name" in done.errors
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_left_alone(tmp_path: Path):
    (tmp_path / "open-speech-provider-hum").mkdir()
    done = new(tmp_path, "hum")
    assert done.status != 0
    assert "is there already" in done.errors
