"""Two providers that cannot be installed together, installed while a server runs, served by it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pydantic
import pytest

from open_speech.environments import EnvironmentStore
from open_speech.testing.install import build_wheel
from ports import free_port

PROVIDERS = Path(__file__).parent / "providers"
OLD, NEW = "open-speech-provider-oldpydantic", "open-speech-provider-newpydantic"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Variables of one installation with a data folder of its own, on a free port."""
    return {
        **os.environ,
        "OS_HOST": "127.0.0.1",
        "OS_PORT": str(free_port()),
        "OS_SSL_ENABLED": "false",
        "OS_DATA_DIR": str(tmp_path / "data"),
        "OS_MODEL_DIR": str(tmp_path / "models"),
        "STT_MODEL": "old-pydantic",
        "OS_API_KEY": "",
    }


@pytest.fixture
def server(settings: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    """A running server, in a process of its own."""
    command = [*COMMAND, "serve"]
    log = tmp_path / "server.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=settings, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        transport = httpx.HTTPTransport(retries=8)  # waits longer each time, until it listens
        address = f"http://127.0.0.1:{settings['OS_PORT']}"
        with httpx.Client(base_url=address, transport=transport, timeout=120) as client:
            client.get("/health").raise_for_status()
            yield client
        process.terminate()
    sys.stdout.write(log.read_text("utf-8", "replace"))


COMMAND = [sys.executable, "-c", "from open_speech_server.cli.main import main; main()"]


def open_speech(settings: dict[str, str], *arguments: str) -> str:
    """Run the command beside the server."""
    done = subprocess.run(
        [*COMMAND, *arguments], env=settings, capture_output=True, text=True, check=False
    )
    if "could not be reached" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def heard(server: httpx.Client, model: str) -> str:
    """What a model makes of a second of silence."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(32000))
    answer = server.post(
        "/v1/audio/transcriptions",
        files={"file": ("silence.wav", buffer.getvalue())},
        data={"model": model},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


def models(server: httpx.Client) -> set[str]:
    """Ids of the models that the server knows of."""
    server.post("/api/providers/rescan").raise_for_status()
    answer = server.get("/v1/models")
    return {model["id"] for model in answer.json()["data"]}


def test_clashing_providers_serve_at_once_each_with_its_own_version(
    server: httpx.Client, settings: dict[str, str]
) -> None:
    assert not {"old-pydantic", "new-pydantic"} & models(server)
    open_speech(settings, "providers", "install", str(PROVIDERS / OLD), "--isolated")
    open_speech(settings, "providers", "install", str(PROVIDERS / NEW), "--isolated")
    assert {"old-pydantic", "new-pydantic"} <= models(server)

    with ThreadPoolExecutor() as pool:
        old, new = pool.map(lambda m: heard(server, m), ["old-pydantic", "new-pydantic"])
    assert re.fullmatch(r"pydantic 1\.10\.\d+", old)
    assert new == f"pydantic {pydantic.VERSION}"
    assert server.get("/health").status_code == 200

    open_speech(settings, "providers", "remove", OLD)
    assert models(server) >= {"new-pydantic"}
    assert "old-pydantic" not in models(server)


@pytest.mark.deep
def test_engine_with_an_old_transformers_runs_beside_a_new_one(tmp_path: Path) -> None:
    here = pytest.importorskip("transformers").__version__
    if here.startswith("4."):
        pytest.skip("the transformers here is an old one itself")
    wheel = build_wheel(
        tmp_path,
        "fossil",
        "open_speech_backends = None",
        requires=["transformers==4.57.3", "torch"],
    )
    store = EnvironmentStore(tmp_path / "environments")
    clash = store.check(str(wheel))
    assert clash is not None
    sys.stdout.write(f"{clash}\n")
    changes = {change.name: change for change in clash.changes}
    assert changes["transformers"].installed == here
    assert "open-speech-provider-fossil requires transformers==4.57.3" in str(clash)
    hub = changes["huggingface-hub"]
    assert any("transformers requires huggingface-hub" in line for line in hub.wanting)
    assert any("open-speech-core requires huggingface-hub" in line for line in hub.keeping)

    environment = store.install(str(wheel), isolated=True)
    own = {each.name: each.version for each in environment.distributions}
    sys.stdout.write(f"{environment.size_bytes / 1e6:.0f} MB: {own}\n")
    assert own["transformers"] == "4.57.3"
    assert "torch" not in own
    assert environment.size_bytes < 300e6
    code = "import torch, transformers; print(transformers.__version__, torch.__version__)"
    found = [
        subprocess.run(
            [str(python), "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        for python in (environment.python, sys.executable)
    ]
    assert [old for old, _ in found] == ["4.57.3", here]
    assert found[0][1] == found[1][1]
