"""A real server: the command in a process of its own, on a free port."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import psutil

from ports import free_port

START_S = 120.0
STOP_S = 60.0
_COMMAND = "from open_speech_server.cli import main; main()"
EMBEDDED = {"STT_MODEL": "pocketsphinx/en-us", "TTS_MODEL": "espeak/en-us", "TTS_VOICE": "default"}


@dataclass(frozen=True)
class Live:
    """A server that runs."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address.rpartition(":")[2])

    def client(self, **options: object) -> httpx.Client:
        """A client of it."""
        return httpx.Client(base_url=self.address, timeout=120, **options)  # type: ignore[arg-type]

    def workers(self) -> list[psutil.Process]:
        """Processes that it has started, still alive."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S)


@contextmanager
def live_server(
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    ready: bool = True,
    python: Path | None = None,
    within_s: float = START_S,
) -> Iterator[Live]:
    """Start the command with the embedded models, unless ``environment`` says otherwise.

    ``python`` is the interpreter to start it with. Waits until it is ready, or (``ready=False``)
    only until it answers, for as long as ``within_s``.
    """
    port = free_port()
    log = folder / f"server-{port}.log"
    variables = {**_environment(folder, port), **(environment or {})}
    if own_data := "OS_DATA_DIR" not in (environment or {}):
        _copy_manifests(_manifests(), folder / "data" / "manifests")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [str(python or sys.executable), "-c", _COMMAND, "serve"],
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
        ) as process,
    ):
        live = Live(f"http://127.0.0.1:{port}", process, log)
        try:
            path = "/health/ready" if ready else "/health"
            _wait(live, path, variables.get("OS_API_KEY"), within_s)
            if own_data:
                _copy_manifests(folder / "data" / "manifests", _manifests())
            yield live
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@cache
def _manifests() -> Path:
    """What earlier servers of this run found out about the installed providers.

    It takes seconds to ask all of them anew. What is kept is bound to their files, so a provider
    that is not the same is asked.
    """
    folder = Path(tempfile.mkdtemp(prefix="manifests"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _copy_manifests(source: Path, target: Path) -> None:
    for file in source.glob("*.json"):
        if not (target / file.name).exists():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)


def _environment(folder: Path, port: int) -> dict[str, str]:
    ours = ("OS_", "STT_", "TTS_", "VAD_", "TURN_", "HF_", "OPEN_SPEECH_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        **EMBEDDED,
        "HF_HUB_OFFLINE": "1",
        "OS_DATA_DIR": str(folder / "data"),
        "OS_HOST": "127.0.0.1",
        "OS_MODEL_DIR": str(folder / "models"),
        "OS_PORT": str(port),
        "OS_SSL_ENABLED": "false",
    }


def _wait(live: Live, path: str, key: str | None, within_s: float) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if live.process.poll() is not None:
            break
        try:
            if httpx.get(f"{live.address}{path}", headers=headers, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)  # between two questions to another process; nothing else tells
    raise AssertionError(f"the server did not start:\n{live.log.read_text()[-5000:]}")
