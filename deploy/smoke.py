"""Try the image as a stranger would run it: `nox -s image -- --only smoke`.

Starts it read-only, without capabilities, as a user nobody knows; speaks and listens with the
embedded engines; fetches a tiny model of every other provider from a hub on this machine, uses and
unloads it; stops it. Then once more with a root that could be written, offline, on the same volume:
what was fetched must be enough, and nothing may have been written beside it.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from open_speech.testing.hub import FakeHub, repositories_below

HERE = Path(__file__).parent
MOUNT = "/root/.cache/open-speech"
USER = "12345:0"
WAIT_S = 600.0
EMBEDDED = {"STT_MODEL": "pocketsphinx/en-us", "TTS_MODEL": "espeak/en-us", "TTS_VOICE": "default"}
MODELS = {
    "Systran/faster-whisper-tiny": "stt",
    "piper/en_US-lessac-medium": "tts",
    "kokoro": "tts",
    "qwen3-tts-0.6b": "tts",
}
"""A model of every provider that has weights to fetch, and what it does."""
LOCKED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
          "--security-opt", "no-new-privileges")  # fmt: skip
MOUNTED = (
    *("/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp", MOUNT),
    *("/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/passwd", "/etc/resolv.conf"),
)
"""What an engine puts into every container, and what is no part of its root."""
_LOOK = """
import json, os, pathlib
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
stats = [path.read_text() for path in pathlib.Path("/proc").glob("[0-9]*/stat")]
states = [stat.rpartition(")")[2].split()[0] for stat in stats]
print(json.dumps({"uid": os.getuid(), "gid": os.getgid(), "capabilities": int(status["CapEff"], 16),
                  "first": open("/proc/1/comm").read().strip(), "zombies": states.count("Z")}))
"""


@dataclass(frozen=True)
class Container:
    """A container that runs."""

    engine: list[str]
    name: str
    port: int
    begun: float

    def run(self, *arguments: str, check: bool = True) -> str:
        """Run the engine's command; its output."""
        done = subprocess.run(
            [*self.engine, *arguments], check=False, capture_output=True, text=True
        )
        if check and done.returncode:
            raise SystemExit(f"{shlex.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def client(self) -> httpx.Client:
        """A client of the server in it; the certificate is made by that server itself."""
        return httpx.Client(base_url=f"https://127.0.0.1:{self.port}", verify=False, timeout=WAIT_S)

    def wait(self, path: str) -> float:
        """Ask until the answer is 200; seconds since the start."""
        with self.client() as client:
            while time.monotonic() < self.begun + WAIT_S:
                try:
                    if client.get(path).status_code == httpx.codes.OK:
                        return time.monotonic() - self.begun
                except httpx.TransportError:
                    pass
                if (
                    self.run("inspect", "--format", "{{.State.Running}}", self.name).strip()
                    != "true"
                ):
                    break
                time.sleep(0.05)  # between two questions to another process; nothing else tells
        raise SystemExit(f"{path} is not answered:\n{self.run('logs', self.name, check=False)}")


@dataclass(frozen=True)
class Trial:
    """What is tried, and how."""

    engine: list[str]
    image: str
    extra: list[str]
    """More options for the engine's `run`."""
    hub: FakeHub
    """Has tiny models."""

    @contextmanager
    def volume(self) -> Iterator[str]:
        """The name of a volume, which is deleted afterwards."""
        name = f"open-speech-smoke-{secrets.token_hex(4)}"
        try:
            yield name
        finally:
            remove = [*self.engine, "volume", "rm", "--force", name]
            subprocess.run(remove, check=False, capture_output=True)

    @contextmanager
    def started(self, volume: str, *options: str, **settings: str) -> Iterator[Container]:
        """The image with a volume, options and settings, until the block ends."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        settings = {"OS_HOST": "127.0.0.1", "OS_PORT": str(port), **EMBEDDED, **settings}
        variables = [part for item in settings.items() for part in ("--env", "=".join(item))]
        name = f"open-speech-smoke-{secrets.token_hex(4)}"
        container = Container(self.engine, name, port, time.monotonic())
        try:
            container.run(
                "run", "--detach", "--name", name, "--network", "host", "--user", USER,
                "--volume", f"{volume}:{MOUNT}", *options, *self.extra, *variables, self.image,
            )  # fmt: skip
            yield container
        finally:
            container.run("rm", "--force", name, check=False)


def speak(
    client: httpx.Client, model: str, text: str = "one two three", *, voice: str = "default"
) -> bytes:
    """Words as a wav file."""
    body = {"model": model, "input": text, "voice": voice, "response_format": "wav"}
    answer = client.post("/v1/audio/speech", json=body)
    require(answer.is_success, f"{model}: {answer.text[:500]}" if not answer.is_success else "")
    require(answer.content[:4] == b"RIFF" and len(answer.content) > 2000, f"{model} said nothing")
    return answer.content


def hear(client: httpx.Client, model: str, sound: bytes) -> str:
    """What a recording says."""
    answer = client.post(
        "/v1/audio/transcriptions", files={"file": ("a.wav", sound)}, data={"model": model}
    )
    require(answer.is_success, f"{model}: {answer.text[:500]}")
    return str(answer.json()["text"])


def use(client: httpx.Client, model: str, kind: str, sound: bytes) -> str:
    """Load a model, use it, unload it; what happened."""
    begun = time.monotonic()
    loaded = client.post(f"/api/models/{model}/load")
    require(loaded.is_success, f"{model}: {loaded.text[:1000]}")
    seconds = time.monotonic() - begun
    if kind == "stt":
        did = f"heard {hear(client, model, sound)!r}"
    else:
        did = f"said {len(speak(client, model, 'Hi.'))} bytes"
    gone = client.delete(f"/api/models/{model}")
    require(gone.is_success, f"{model} is not unloaded: {gone.text}")
    running = [each["id"] for each in client.get("/api/ps").json()["models"]]
    require(model not in running, f"{model} still runs")
    return f"fetched and loaded in {seconds:.1f} s, {did}, unloaded"


def looked(container: Container) -> dict[str, object]:
    """Who the processes are."""
    return dict(json.loads(container.run("exec", container.name, "python3", "-c", _LOOK)))


def stopped(container: Container) -> int:
    """The exit status after SIGTERM."""
    container.run("kill", "--signal", "TERM", container.name)
    return int(container.run("wait", container.name))


def strays(container: Container) -> list[str]:
    """What was written outside of the volume."""
    lines = container.run("diff", container.name).splitlines()
    paths = [line.split(maxsplit=1)[1] for line in lines if line.strip()]
    above = {str(parent) for mount in MOUNTED for parent in Path(mount).parents}
    return [path for path in paths if path not in above and not path.startswith(MOUNTED)]


def require(condition: object, message: str) -> None:
    """End with a sentence where something is not as it must be."""
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def say(line: str) -> None:
    """Tell what was seen."""
    print(line, flush=True)


def locked_down(tried: Trial, volume: str) -> None:
    """The first start, with nothing allowed."""
    with tried.started(volume, *LOCKED, HF_ENDPOINT=tried.hub.url) as container:
        alive = container.wait("/health")
        ready = container.wait("/health/ready")
        say(f"start to /health: {alive:.1f} s; to ready with the embedded models: {ready:.1f} s")
        begun = time.monotonic()
        container.run("exec", container.name, "open-speech", "health", "--ready")
        say(f"the healthcheck's command took {time.monotonic() - begun:.1f} s")
        with container.client() as client:
            sound = speak(client, "tts-1")
            say(f"embedded: said {len(sound)} bytes, heard {hear(client, 'whisper-1', sound)!r}")
            for model, kind in MODELS.items():
                say(f"{model}: {use(client, model, kind, sound)}")
        seen = looked(container)
        say(f"processes: {seen}")
        wanted = {"uid": 12345, "gid": 0, "capabilities": 0, "first": "tini", "zombies": 0}
        require(seen == wanted, f"that should be {wanted}")
        status = stopped(container)
        say(f"SIGTERM: exit status {status}")
        require(status == 0, container.run("logs", container.name))
        require(not strays(container), f"written outside the volume: {strays(container)}")


def offline(tried: Trial, volume: str) -> None:
    """The second start: what is on the volume is enough, and a root that can be written is not."""
    settings = {"HF_HUB_OFFLINE": "true", "STT_MODEL": "Systran/faster-whisper-tiny"}
    with tried.started(volume, **settings) as container:
        say(f"offline, with a fetched model: ready after {container.wait('/health/ready'):.1f} s")
        with container.client() as client:
            say(f"heard {hear(client, 'whisper-1', speak(client, 'tts-1'))!r}")
        require(stopped(container) == 0, container.run("logs", container.name))
        say(f"written outside the volume: {strays(container) or 'nothing'}")
        require(not strays(container), "something was written outside the volume")


@contextmanager
def trial(description: str | None) -> Iterator[Trial]:
    """What the command line asks for, with a hub of tiny models."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--engine", default="docker", help="The engine's command, with options.")
    parser.add_argument("--image", default="localhost/open-speech:dev")
    parser.add_argument("--hub", type=Path, help="Folder that tiny_hub.py wrote; made if left out.")
    parser.add_argument("--run", default="", help="More options for the engine's `run`.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, FakeHub() as hub:
        if not given.hub:
            subprocess.run([sys.executable, str(HERE / "tiny_hub.py"), folder], check=True)
        for name, path in repositories_below(given.hub or Path(folder)).items():
            hub.add(name, path)
        yield Trial(shlex.split(given.engine), given.image, shlex.split(given.run), hub)


def main() -> None:
    """Try an image."""
    with trial(__doc__) as tried, tried.volume() as volume:
        locked_down(tried, volume)
        offline(tried, volume)
    say("The image passed.")


if __name__ == "__main__":
    main()
