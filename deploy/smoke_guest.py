"""Try the image with the hardest guest: `nox -s image -- --only guest`.

Fish Speech clashes with everything that is in the image. While the container runs, read-only and
without capabilities, it is installed into an environment of its own on the volume, speaks beside
the others, and is removed. Needs a package index that the container reaches (some hundred
megabytes); the weights are tiny ones, on a hub on this machine.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from smoke import HERE, LOCKED, MODELS, MOUNT, Container, hear, require, say, speak, trial

from open_speech.testing.hub import FakeHub

GUEST = "open-speech-provider-fish"
MODEL, REPOSITORY = "openaudio-s1-mini", "fishaudio/openaudio-s1-mini"
FILES = ("config.json", "model.pth", "tokenizer.tiktoken", "special_tokens.json", "codec.pth")
MAKER = HERE.parent / "packages" / GUEST / "tests" / "random_fish.py"
CHECKPOINT = f"{MOUNT}/checkpoint"
SETTINGS = {
    "OS_OPTIONS__FISH__CODEC_CONFIG": f"{CHECKPOINT}/codec.yaml",
    "OS_OPTIONS__FISH__MAX_NEW_TOKENS": "60",
    "OS_LOAD_TIMEOUT_S": "600",
    "OS_LOAD_WAIT_S": "600",
}
APART = ("numpy", "pydantic", "protobuf")
"""What the guest pins to versions that the image does not have."""


def home(client: httpx.Client) -> str | None:
    """Which environment the guest is in; None is the image's own, where its engine is not."""
    return str(name) if (name := providers(client)["fish"]["environment"]) else None


def providers(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """What is told of each provider, by its name."""
    found = client.get("/api/providers").raise_for_status().json()["providers"]
    return {each["name"]: each for each in found}


def versions(client: httpx.Client) -> dict[str, dict[str, str]]:
    """What each provider's interpreter finds."""
    return {
        name: {package: each["versions"].get(package, "") for package in APART}
        for name, each in providers(client).items()
    }


def install(container: Container) -> dict[str, Any]:
    """Install the guest as the guide says; what was installed."""
    command = ("exec", container.name, "open-speech", "providers", "install", GUEST, "--isolated")
    made: dict[str, Any] = json.loads(container.run(*command, "--json"))
    own = made["distributions"]
    say(f"{GUEST}: {len(own)} packages, {made['bytes_added'] / 1e6:.0f} MB on the volume, among "
        f"them {', '.join(f'{name} {own[name]}' for name in APART)}")  # fmt: skip
    require("torch" not in own, "the guest brought a torch of its own")
    return made


def weights(container: Container, hub: FakeHub) -> None:
    """Have the guest's own classes write tiny weights, and put them on the hub."""
    layer = container.run(
        "exec", container.name, "sh", "-c",
        f"ls -d {MOUNT}/data/environments/{GUEST}-*/bin/python",
    ).strip()  # fmt: skip
    with MAKER.open("rb") as source:
        run = [*container.engine, "exec", "--interactive", container.name]
        subprocess.run([*run, layer, "-", CHECKPOINT], stdin=source, check=True)
    packed = subprocess.run(
        [*container.engine, "exec", container.name, "tar", "-C", CHECKPOINT, "-c", *FILES],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {name: archive.extractfile(name) for name in FILES}
        hub.add(REPOSITORY, {name: file.read() for name, file in found.items() if file})


def beside_the_others(client: httpx.Client) -> None:
    """The guest and every other model, all at once."""
    sound = speak(client, "espeak/en-us")
    for model in [MODEL, *MODELS]:
        loaded = client.post(f"/api/models/{model}/load")
        require(loaded.is_success, f"{model}: {loaded.text[:1000]}")

    def use(model: str) -> str:
        if MODELS.get(model) == "stt":
            return f"{model} heard {hear(client, model, sound)!r}"
        voice = "random" if model == MODEL else "default"
        return f"{model} said {len(speak(client, model, 'Hi.', voice=voice))} bytes"

    with ThreadPoolExecutor() as threads:
        for line in threads.map(use, [MODEL, *MODELS, "espeak/en-us"]):
            say(f"at once: {line}")
    found = versions(client)
    say(f"versions: {json.dumps(found)}")
    require(
        all(found["fish"][name] != found["whisper"][name] for name in ("numpy", "pydantic")),
        "the guest shares what it pins",
    )


def stay(container: Container, hub: FakeHub) -> None:
    """Come, speak, and go, while the server runs."""
    with container.client() as client:
        client.timeout = httpx.Timeout(600.0)
        require(home(client) is None, "the guest has an environment before it was installed")
        install(container)
        require(home(client) == GUEST, "the running server did not take the guest up")
        weights(container, hub)
        pull = ("models", "pull", MODEL, "--accept-license")
        container.run("exec", container.name, "open-speech", *pull)
        beside_the_others(client)
        client.delete(f"/api/models/{MODEL}").raise_for_status()
        said = container.run("exec", container.name, "open-speech", "providers", "remove", GUEST)
        say(said.strip())
        require(home(client) is None, "the guest is still there")
        left = container.run("exec", container.name, "ls", f"{MOUNT}/data/environments").split()
        require(not left, f"the guest left {left}")
        say(f"espeak/en-us said {len(speak(client, 'espeak/en-us'))} bytes")


def main() -> None:
    """Try an image."""
    with trial(__doc__) as tried, tried.volume() as volume:
        settings = {**SETTINGS, "HF_ENDPOINT": tried.hub.url}
        with tried.started(volume, *LOCKED, **settings) as container:
            container.wait("/health/ready")
            stay(container, tried.hub)
    say("The guest was welcome.")


if __name__ == "__main__":
    main()
