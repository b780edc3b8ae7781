"""One volume, two versions. What the other one wrote is used, or said why not, and kept.

There is no second release yet, so one is made: this core under a higher number, whose records hold
fields that this one does not know, or are of a form that it cannot read.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from command_line import run, serving, variables
from hearing import CLIP, DIGITS, SPOKEN, TINY, send
from open_speech.testing import install_provider, sine, wav_bytes
from open_speech.testing.hub import FakeHub
from open_speech.testing.install import build_wheel
from rules.repository import ROOT

pytestmark = pytest.mark.deep
pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")

CORE = ROOT / "packages" / "open-speech-core"
LATER = "0.9.0"
STORE, SAMPLES, LAYERS = "store/_records.py", "voices/recordings.py", "environments/_records.py"
FURTHER = {
    STORE: [
        ('{"version": VERSION, **', '{"version": VERSION, "since": "0.9", **'),
        ("    digest: str\n", '    digest: str\n    mode: str = "a"\n'),
    ],
    SAMPLES: [
        ("    sha256: str\n", '    sha256: str\n    mood: str = field(default="glad")\n'),
        ("import asdict, dataclass, fields", "import asdict, dataclass, field, fields"),
    ],
    LAYERS: [('"format": FORMAT,', '"format": FORMAT, "since": "0.9",')],
    "_plugins/manifest.py": [("    version: str\n", '    version: str\n    since: str = "0.9"\n')],
}
"""What the later version has its records hold besides."""
FORM = {
    STORE: [("VERSION = 1\n", "VERSION = 2\n")],
    SAMPLES: [("VERSION = 1\n", "VERSION = 2\n")],
    LAYERS: [("FORMAT = 1\n", "FORMAT = 2\n")],
}
"""What makes its records unreadable here."""
BELL = """
    from open_speech import Kind, ModelInfo, Voice, hookimpl
    from open_speech.testing.tone import ToneBackend
    from dataclasses import replace

    class BellBackend(ToneBackend):
        name = "bell"
        def list_available(self):
            return [replace(super().list_available()[0], id="bell/one", aliases=())]

    @hookimpl
    def open_speech_backends():
        return [BellBackend()]
"""
BELL_NAME = "open-speech-provider-bell"


@dataclass(frozen=True)
class Volume:
    """A folder that servers of several versions use in turn."""

    folder: Path
    environment: Mapping[str, str]
    hub: FakeHub

    @contextmanager
    def served(self, core: Path | None = None) -> Iterator[httpx.Client]:
        """By this version, or by the one whose core is in a folder."""
        environment = self._environment(core)
        with serving(environment, self.log):
            address = f"http://127.0.0.1:{environment['OS_PORT']}"
            with httpx.Client(base_url=address, timeout=120) as client:
                yield client

    def install(self, core: Path | None) -> None:
        """Have a version install a provider into an environment of its own."""
        done = run(
            "providers", "install", BELL_NAME, "--isolated", environment=self._environment(core)
        )
        assert done.status == 0, done.errors

    def kept(self) -> dict[str, str]:
        """What must not get lost: voices, weights and layers, by the digests of their files."""
        roots = ("data/voices", "data/environments", "models/stt")
        paths = (path for root in roots for path in sorted((self.folder / root).rglob("*")))
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
            if path.is_file() and not {"__pycache__", ".lock"} & {path.name, path.parent.name}
        }

    @property
    def log(self) -> Path:
        """What the last server said."""
        return self.folder / "server.log"

    def _environment(self, core: Path | None) -> dict[str, str]:
        path = [str(self.folder / "site"), *([str(core)] if core else [])]
        return {**self.environment, "PYTHONPATH": os.pathsep.join(path)}


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    build_wheel(wheels, "bell", BELL)
    with FakeHub() as hub:
        hub.add(TINY, DIGITS)
        environment = variables(
            tmp_path,
            OS_SSL_ENABLED="false",
            STT_MODEL=TINY,
            TTS_MODEL="tone/sine",
            TTS_VOICE="default",
            HF_ENDPOINT=hub.url,
            HF_HUB_OFFLINE="0",
            HF_HOME=str(tmp_path / "nobodys"),
            PIP_NO_INDEX="1",
            PIP_FIND_LINKS=str(wheels),
            PIP_CONFIG_FILE="/dev/null",
        )
        yield Volume(tmp_path, environment, hub)


def later(folder: Path, *changes: Mapping[str, list[tuple[str, str]]]) -> Path:
    """Install a later version of core into a folder of its own."""
    project = folder / "project"
    shutil.copytree(CORE, project, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    edit(project / "pyproject.toml", [('version = "0.1.0"', f'version = "{LATER}"')])
    for change in changes:
        for name, pairs in change.items():
            edit(project / "src" / "open_speech" / name, pairs)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--target", str(folder / "core"), str(project)]
    subprocess.run(command, check=True)
    return folder / "core"


def edit(path: Path, pairs: list[tuple[str, str]]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert text.count(old) == 1, f"{path}: {old!r}"
        text = text.replace(old, new)
    path.write_text(text)


def version(client: httpx.Client) -> str:
    """Of the core that serves."""
    found = client.get("/api/providers").raise_for_status().json()["providers"]
    (tone,) = (each for each in found if each["name"] == "tone")
    return str(tone["versions"]["open-speech-core"])


def add_voice(client: httpx.Client, name: str) -> None:
    form = {"name": name, "consent": "I agree."}
    sound = wav_bytes(sine(1.0, frequency=300.0))
    added = client.post("/v1/audio/voices", data=form, files={"audio_sample": ("a.wav", sound)})
    assert added.is_success, added.text


def speak(client: httpx.Client, model: str, voice: str) -> httpx.Response:
    body = {"model": model, "voice": voice, "input": "Hello", "response_format": "wav"}
    return client.post("/v1/audio/speech", json=body)


def assert_all_there(client: httpx.Client, *voices: str) -> None:
    """The model hears, every voice is heard, and the isolated provider speaks."""
    assert send(client, CLIP.read_bytes()).json()["text"] == SPOKEN
    for voice in voices:
        spoken = speak(client, "tone/sine", voice)
        assert spoken.status_code == 200, spoken.text
    spoken = speak(client, "bell/one", "default")
    assert spoken.status_code == 200, spoken.text


def test_what_each_version_wrote_the_other_uses(volume: Volume, tmp_path: Path) -> None:
    other = later(tmp_path / "later", FURTHER)
    volume.install(None)
    with volume.served() as client:
        add_voice(client, "Ada")
        assert_all_there(client, "Ada")
        here = version(client)
    assert here != LATER
    volume.hub.forget()

    with volume.served(other) as client:  # upgraded
        assert version(client) == LATER
        assert_all_there(client, "Ada")
        assert not volume.hub.gets()
        add_voice(client, "Eva")
        client.post(f"/api/models/{TINY}/update").raise_for_status()  # writes the record anew
    (folder,) = (volume.folder / "models" / "stt").iterdir()
    assert '"since": "0.9"' in (folder / "current.json").read_text()
    before = volume.kept()

    with volume.served() as client:  # and back
        assert version(client) == here
        assert_all_there(client, "Ada", "Eva")
        assert not volume.hub.gets()
    assert volume.kept() == before
    assert "later version" not in volume.log.read_text()

    with volume.served(other) as client:
        assert_all_there(client, "Ada", "Eva")
    assert volume.kept() == before


def test_what_cannot_be_read_is_told_and_kept(volume: Volume, tmp_path: Path) -> None:
    other = later(tmp_path / "later", FORM)
    volume.install(other)
    with volume.served(other) as client:
        add_voice(client, "Eva")
        assert_all_there(client, "Eva")
    volume.hub.forget()
    before = volume.kept()

    with volume.served() as client:
        assert send(client, CLIP.read_bytes()).json()["text"] == SPOKEN
        assert not volume.hub.gets(), "the files were here, and needed only a look"
        assert speak(client, "tone/sine", "Eva").status_code == 400
        assert speak(client, "bell/one", "default").status_code == 404
        add_voice(client, "Ada")
    told = [line for line in volume.log.read_text().splitlines() if "later version" in line]
    assert len(told) == len(set(told)) == 3
    for name in ("voice_", "current.json", f"{BELL_NAME}.json"):
        assert any(name in line for line in told), name
    after = volume.kept()
    lost = {path for path, digest in before.items() if after.get(path) != digest}
    assert {Path(path).name for path in lost} == {"current.json"}, "that one was written anew"

    with volume.served(other) as client:
        assert_all_there(client, "Eva")
