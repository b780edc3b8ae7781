"""A provider made from the tutorial, installed by pip in an environment of its own, just works."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from documents.markdown import ROOT, blocks
from live import EMBEDDED, live_server
from open_speech.testing import join, silence, sine, wav_bytes

TUTORIAL = ROOT / "docs" / "tutorial" / "write-a-provider.md"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The tutorial's files, as a reader writes them down."""
    for block in blocks(TUTORIAL.read_text(encoding="utf-8")):
        if block.verb == "file":
            file = tmp_path / block.argument
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
    return tmp_path / "open-speech-provider-tick"


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A new environment that sees this one's packages, so that a test need not fetch them all."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    base = sysconfig.get_path("purelib")
    (packages / "base.pth").write_text(f"import site; site.addsitedir({base!r})\n")
    return folder / "bin" / "python"


def command(python: Path, *arguments: str, **environment: str) -> str:
    code = "from open_speech_server.cli import main; main()"
    done = subprocess.run(
        [python, "-c", code, *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(python.parent), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_provider_from_the_tutorial_appears_everywhere_and_works(project, python, tmp_path):
    # Without what it depends on and without an environment for the build: both are here already.
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([python, *install, project], check=True, timeout=300)
    environment = {"TTS_MODEL": "tick/small", "STT_MODEL": EMBEDDED["STT_MODEL"]}
    with live_server(tmp_path, environment, python=python) as server, server.client() as client:
        assert "tick/small" in {model["id"] for model in client.get("/v1/models").json()["data"]}
        models = {model["id"]: model for model in client.get("/api/models").json()["models"]}
        assert models["tick/small"]["provider"] == "tick"
        body = {"model": "tick/small", "input": "Tick tock", "response_format": "pcm"}
        answer = client.post("/v1/audio/speech", json={**body, "voice": "glass"})
        assert answer.status_code == 200, answer.text
        assert len(answer.content) == 2 * 24_000 * 9 // 10
        listed = json.loads(command(python, "models", "--json", OPEN_SPEECH_URL=server.address))
    assert "tick/small" in json.dumps(listed)
    alone = json.loads(command(python, "models", "--json", OS_DATA_DIR=str(tmp_path / "alone")))
    assert "tick/small" in json.dumps(alone)
    # Only there: what pip did in that environment changed nothing here.
    code = (
        "import importlib.util as u, sys; sys.exit(bool(u.find_spec('open_speech_provider_tick')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_diarization_provider_from_the_template_passes_in_an_environment_of_its_own(
    python, tmp_path
):
    command(python, "providers", "new", "who", "--kind", "diarization", "--folder", str(tmp_path))
    project = tmp_path / "open-speech-provider-who"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([python, *install, project], check=True, timeout=300)
    tested = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", project],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout
    environment = {**EMBEDDED, "DIARIZATION_MODEL": "who/small"}
    sound = wav_bytes(join(silence(1.0), sine(2.0), silence(1.0)))
    with live_server(tmp_path, environment, python=python) as server, server.client() as client:
        answer = client.post("/v1/audio/diarization", files={"file": ("a.wav", sound)})
        assert answer.status_code == 200, answer.text
        (turn,) = answer.json()["segments"]
    assert (turn["speaker"], round(turn["start"], 1)) == ("A", 1.0)
