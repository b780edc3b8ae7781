"""Hostile providers do their harm when imported, and only theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from open_speech.testing import HOSTILE, hostile_source, install_provider, provider_source

BROKEN = {
    "import-error": "a_module_that_nobody_has",
    "syntax-error": "SyntaxError",
    "raises": "the engine is not for this machine",
    "exits": "SystemExit",
    "hook-raises": "no backends today",
    "hook-returns-none": "None",
    "hook-returns-text": "str",
    "abstract": "abstract",
    "future-api": "999",
    "misspelt-hook": "open_speech_backend",
    "hook-with-unknown-argument": "registry",
    "no-hook": "hook",
}
"""Harm that leaves the provider broken, and what the error names."""
LOAD = """
import os, sys
from open_speech.errors import ProviderBroken
from open_speech._plugins.discovery import installed_providers, load_backends
(provider,) = [found for found in installed_providers() if found.name == "evil"]
try:
    print("backends:", [backend.name for backend in load_backends(provider)], flush=True)
except ProviderBroken as error:
    print("broken:", error, flush=True)
os._exit(0)
"""


def load_in_child(tmp_path: Path, source: str) -> subprocess.CompletedProcess[str]:
    install_provider(tmp_path, "evil", source)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-c", LOAD],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("harm", BROKEN)
def test_broken_providers_say_why(harm: str, tmp_path: Path) -> None:
    done = load_in_child(tmp_path, hostile_source(harm, "evil"))
    assert done.stdout.startswith("broken:"), done.stdout + done.stderr
    assert BROKEN[harm] in done.stdout


@pytest.mark.parametrize("harm", ["shouts", "takes-signals", "sets-environment", "imports-engine"])
def test_harmful_providers_still_load(harm: str, tmp_path: Path) -> None:
    done = load_in_child(tmp_path, hostile_source(harm, "evil"))
    assert "backends: ['evil']" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(("harm", "status"), [("exits-at-once", 5), ("segfaults", -11)])
def test_deadly_imports_end_the_interpreter(harm: str, status: int, tmp_path: Path) -> None:
    assert load_in_child(tmp_path, hostile_source(harm, "evil")).returncode == status


@pytest.mark.parametrize("harm", HOSTILE)
def test_sources_are_what_they_say(harm: str) -> None:
    source = hostile_source(harm, "evil")
    if harm != "syntax-error":
        compile(source, harm, "exec")
    assert "evil" in source


def test_a_healthy_source_loads(tmp_path: Path) -> None:
    done = load_in_child(tmp_path, provider_source("evil"))
    assert done.stdout == "backends: ['evil']\n"


def test_unknown_harm_is_an_error() -> None:
    with pytest.raises(KeyError, match="nuisance"):
        hostile_source("nuisance", "evil")
