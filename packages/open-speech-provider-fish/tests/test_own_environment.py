"""The hardest guest: upstream's pins in its own environment, upstream's code on random weights.

Everything goes the operator's way: the command installs it while a server runs, the license is
accepted, the weights come from a hub under the published name. Needs torch and transformers in the
interpreter that runs the tests, to stand on; about a hundred megabytes are fetched.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from live import live_server
from open_speech.codecs.encode import encode
from open_speech.environments import EnvironmentStore
from open_speech.testing import sine
from open_speech.testing.hub import FakeHub

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(find_spec("torch") is None, reason="there is no torch to stand on"),
]
NAME = "open-speech-provider-fish"
MODEL = "openaudio-s1-mini"
REPOSITORY = "fishaudio/openaudio-s1-mini"
COMMAND = [sys.executable, "-c", "from open_speech_server.cli.main import main; main()"]
PACKAGE = Path(__file__).parents[1]
UNREAD = (".freqs_cis", ".causal_mask")
"""Tables that upstream makes of the sizes and keeps in its files all the same."""
IMPORTS_BYTES = 3_000_000_000
"""Torch and transformers in a worker, masks and caches, and what a few frames need."""


@pytest.fixture(params=["small", "published"])
def codec(request: pytest.FixtureRequest) -> str:
    """The codec's size; the other model is always a small one."""
    return str(request.param)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """The folder of one installation."""
    yield tmp_path
    for weights in tmp_path.rglob("*.pth"):
        weights.unlink()


@pytest.fixture
def live(data: Path, codec: str) -> Iterator[tuple[httpx.Client, dict[str, str], FakeHub]]:
    """A server, running before anything is installed, its variables, and an empty hub."""
    checkpoint = data / "checkpoint"
    with FakeHub() as hub:
        variables = {
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(data / "nobodys"),
            "OS_DATA_DIR": str(data / "data"),
            "OS_LOAD_WAIT_S": "600",
            "STT_MODEL": MODEL,
            "TTS_MODEL": MODEL,
            "OS_OPTIONS__FISH__MAX_NEW_TOKENS": "60" if codec == "small" else "8",
        }
        if codec == "small":
            variables["OS_OPTIONS__FISH__CODEC_CONFIG"] = str(checkpoint / "codec.yaml")
        with live_server(data, variables, ready=False) as server, server.client() as client:
            client.timeout = httpx.Timeout(900.0)
            yield client, {**os.environ, **variables, "OPEN_SPEECH_URL": server.address}, hub


def command(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if "could not be reached" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_guest_is_installed_and_speaks(
    live: tuple[httpx.Client, dict[str, str], FakeHub], data: Path, codec: str
) -> None:
    client, environment, hub = live
    installed = json.loads(
        command(environment, "providers", "install", str(PACKAGE), "--isolated", "--json")
    )
    sys.stdout.write(f"{installed}\n")
    own = installed["distributions"]
    assert (own["numpy"], own["pydantic"], own["protobuf"]) == ("1.26.4", "2.9.2", "3.19.6")
    assert own["fish-speech"] == "0.1.0"
    assert not {"torch", "transformers", "gradio", "librosa"} & own.keys()
    assert installed["bytes_added"] < 300e6

    fill(hub, data, codec)
    refused = client.post(f"/api/models/{MODEL}/download")
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "license_not_accepted"
    assert not hub.gets()
    listed = command(environment, "models", "list")
    assert "CC-BY-NC-SA-4.0 (to be accepted)" in listed
    accepted = client.post(f"/api/models/{MODEL}/download", json={"accept_license": True})
    assert accepted.status_code == 200, accepted.text
    assert not accepted.json()["license_pending"]  # and being configured, it is loaded now

    first, again, other = (spoken(client, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)
    assert float(np.sqrt(np.mean(first**2))) >= 0.05
    clone = spoken(client, seed=1, reference_audio=recording(), reference_text="A tone.")
    assert clone.shape != first.shape or not np.array_equal(clone, first)

    versions = provider(client)["versions"]
    sys.stdout.write(f"{versions}\n")
    for name in ("numpy", "pydantic", "protobuf"):
        assert versions[name] == own[name]
        assert metadata.version(name) != own[name]
    assert versions["torch"] == metadata.version("torch")
    if codec == "small":
        check_weights(data)
    check_memory(client, (data / "checkpoint" / "codec.pth").stat().st_size)

    command(environment, "providers", "remove", NAME)
    # Where the tests run in an environment with every provider, the shared one is left.
    left = [NAME] if find_spec("open_speech_provider_fish") else []
    found = client.get("/api/providers").raise_for_status().json()["providers"]
    assert [each["distribution"] for each in found if each["name"] == "fish"] == left
    assert all(each["environment"] is None for each in found)


def recording() -> str:
    """Two seconds of a tone, as a request carries them."""
    return base64.b64encode(encode([sine(2.0, sample_rate=44_100)], "wav")).decode()


def check_weights(data: Path) -> None:
    """Each tensor changes what is said or heard, and each name in the files is read."""
    own = EnvironmentStore(data / "data" / "environments").get(NAME)
    assert own is not None
    script = Path(__file__).with_name("spoil_fish.py")
    arguments = [str(own.python), str(script), str(data / "checkpoint")]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["silent"] == []
    assert {name for name in found["unread"] if not name.endswith(UNREAD)} == set()


def check_memory(client: httpx.Client, weights: int) -> None:
    """The worker holds its weights, and is gone once the model is unloaded."""
    status = client.get(f"/api/models/{MODEL}/status").raise_for_status().json()
    held = status["memory_bytes"]
    (worker,) = [each for each in psutil.Process().children(recursive=True) if is_worker(each)]
    sys.stdout.write(f"{held / 1e9:.2f} GB held, {weights / 1e9:.2f} GB the file of the codec\n")
    assert weights < held < weights + IMPORTS_BYTES
    assert client.delete(f"/api/models/{MODEL}").status_code == 200
    worker.wait(60)  # or this raises


def is_worker(process: psutil.Process) -> bool:
    """Whether it runs with the provider's own interpreter."""
    return f"/environments/{NAME}" in process.cmdline()[0]


def fill(hub: FakeHub, data: Path, codec: str) -> None:
    """Write random weights with upstream's own classes, and put them on the hub."""
    own = EnvironmentStore(data / "data" / "environments").get(NAME)
    assert own is not None
    folder = data / "checkpoint"
    script = Path(__file__).with_name("random_fish.py")
    quiet = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    options = ["--published-codec"] if codec == "published" else []
    subprocess.run([str(own.python), str(script), str(folder), *options], check=True, env=quiet)
    names = ("config.json", "model.pth", "tokenizer.tiktoken", "special_tokens.json", "codec.pth")
    hub.add(REPOSITORY, {name: folder / name for name in names})


def provider(client: httpx.Client) -> dict[str, Any]:
    found = client.get("/api/providers").raise_for_status().json()["providers"]
    (fish,) = (each for each in found if each["name"] == "fish")
    assert fish["environment"] == NAME
    return dict(fish)


def spoken(client: httpx.Client, **more: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What the model says, as samples."""
    body = {"model": MODEL, "input": "Hello there.", "voice": "random", "response_format": "pcm"}
    answer = client.post("/v1/audio/speech", json={**body, **more})
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<i2").astype(np.float32) / 32768
