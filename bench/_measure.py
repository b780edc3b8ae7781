"""What the measurements share: a real server, figures of processes, and tables.

Every script prints a table and, as its last line, the same figures as JSON. Figures of one script
are taken in one run, turn by turn where they are compared, so that their ratios hold on a busy
machine too; seconds are as good as the machine is idle, which is why the load is printed along.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from open_speech import LoadContext, Model, ModelInfo
from open_speech._plugins.discovery import installed_providers, load_backends
from open_speech.codecs.decode import decode
from open_speech.testing.install import install_provider

START_S = 120.0
BOUNDARY = "----bench"
NO_MODELS = {"STT_MODEL": "bench/none", "TTS_MODEL": "bench/none"}
"""A server with nothing to load: nobody serves these names."""
EMBEDDED = {"STT_MODEL": "pocketsphinx/en-us", "TTS_MODEL": "espeak/en-us", "TTS_VOICE": "default"}
"""The models of ``nox -s serve``."""
TONE = {"STT_MODEL": "tone/echo", "TTS_MODEL": "tone/sine", "TTS_VOICE": "default"}
"""Models without an engine, where only what stands around an engine takes time."""


@dataclass(frozen=True)
class Server:
    """A server that runs in a process of its own."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection that is kept; the cheapest client that the standard library has."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.connect()
        return connection

    def ask(self, path: str) -> tuple[int, bytes]:
        """Get a page over a connection of its own; status 0 if there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def wait(self, path: str, pause_s: float = 0.05) -> None:
        """Ask until the answer is 200."""
        deadline = time.monotonic() + START_S
        while self.ask(path)[0] != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(pause_s)


@contextmanager
def running(
    arguments: Sequence[str], variables: Mapping[str, str], folder: Path, port: int
) -> Iterator[Server]:
    """A Python process that serves on a port; ended with SIGTERM at the end of the block."""
    log = folder / f"server-{port}.log"
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [sys.executable, *arguments],
            env={**environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
        ) as process,
    ):
        try:
            yield Server(port, process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def server(
    variables: Mapping[str, str], *, folder: Path | None = None, path: str | None = "/health/ready"
) -> Iterator[Server]:
    """The real server as its command starts it, with the tone provider beside what is installed.

    Waits until ``path`` answers 200. A ``folder`` that is used again is one with warm manifests.
    """
    with tempfile.TemporaryDirectory() as fresh:
        place = folder or Path(fresh)
        port = free_port()
        install_provider(place / "site", "tone", "open_speech.testing.tone")
        own = {
            "OS_DATA_DIR": str(place / "data"),
            "OS_HOST": "127.0.0.1",
            "OS_MODEL_DIR": str(place / "models"),
            "OS_PORT": str(port),
            "OS_SSL_ENABLED": "false",
            "PYTHONPATH": str(place / "site"),
        }
        command = Path(sys.executable).with_name("open-speech")
        with running([str(command), "serve"], {**own, **variables}, place, port) as started:
            if path:
                started.wait(path)
            yield started


@contextmanager
def loaded(name: str, context: LoadContext | None = None) -> Iterator[tuple[ModelInfo, Model]]:
    """A model itself, in this process, as its worker would load it; ``context`` has its folder."""
    backends = [each for found in installed_providers() for each in load_backends(found)]
    for backend in backends:
        for info in backend.list_available():
            if info.id == name:
                model = backend.load(info, context or LoadContext())
                try:
                    yield model.info or info, model
                finally:
                    model.close()
                return
    raise LookupError(f"nobody serves {name}")


def environment() -> dict[str, str]:
    """This process's environment without what would change a server or slow its start."""
    ours = ("OS_", "STT_", "TTS_", "HF_", "OPEN_SPEECH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # users have compiled files
    return {**kept, "HF_HUB_OFFLINE": "1"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree_megabytes(pid: int) -> float:
    """Resident memory of a process and all that it started."""
    root = psutil.Process(pid)
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it ended meanwhile
    return total / 1e6


def own_megabytes(pid: int) -> float:
    """Resident memory of one process."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def recording(seconds: float, rate: int = 16_000) -> bytes:
    """A mono WAV file of 16-bit noise."""
    samples = np.random.default_rng(0).normal(0, 3000, round(seconds * rate)).astype("<i2")
    return wav_file(samples.tobytes(), rate)


def spoken(started: Server, seconds: float) -> bytes:
    """A recording of real words at 16 kHz, spoken by the embedded engine; noise is no fair task."""
    text = "The quick brown fox jumps over the lazy dog, and then it sleeps in the sun. " * 8
    asked = {"model": EMBEDDED["TTS_MODEL"], "input": text, "response_format": "wav"}
    headers = {"Content-Type": "application/json"}
    sound = post(started.connect(), "/v1/audio/speech", json.dumps(asked).encode(), headers)
    samples = decode(sound, sample_rate=16_000).samples[: round(seconds * 16_000)]
    return wav_file((samples * 32767).astype("<i2").tobytes(), 16_000)


def wav_file(pcm: bytes, rate: int) -> bytes:
    """A WAV file of 16-bit mono samples."""
    with io.BytesIO() as file:
        with wave.open(file, "wb") as writer:
            writer.setparams((1, 2, rate, 0, "NONE", ""))
            writer.writeframes(pcm)
        return file.getvalue()


def form(file: bytes, **fields: str) -> tuple[bytes, dict[str, str]]:
    """A multipart body with one file, and its headers."""
    lines = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    body = "".join([*lines, head]).encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def post(
    connection: http.client.HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]
) -> bytes:
    """Send a request over a connection that is kept; anything but 200 is an error."""
    connection.request("POST", path, body, dict(headers))
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {data[:500]!r}")
    return data


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that a call takes."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that ``percent`` of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(percent / 100 * len(ordered)) - 1))]


@dataclass
class Figures:
    """What a script found: lines of a table, the same for machines, and how busy it was."""

    title: str
    columns: Sequence[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    _began: tuple[float, ...] = field(default_factory=os.getloadavg)

    def add(self, *values: object) -> None:
        """Add a row, one value for each column, and say so: a script may run for minutes."""
        self.rows.append(dict(zip(self.columns, values, strict=True)))
        cells = " ".join(map(_cell, values))
        print(f"{time.strftime('%H:%M:%S')} {self.title}: {cells}", file=sys.stderr, flush=True)

    def timings(self, name: str, **kinds: Sequence[float]) -> None:
        """Add a row with the best and the median of each kind of timing."""
        found = [name]
        for values in kinds.values():
            found += [f"{min(values):.2f}", f"{statistics.median(values):.2f}"]
        self.add(*found)

    def show(self) -> None:
        """Print the table, then a line of JSON."""
        load = f"load {self._began[0]:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
        print(f"\n{self.title} ({os.cpu_count()} cores, {load})\n")
        print("| " + " | ".join(self.columns) + " |")
        print("|---" * len(self.columns) + "|")
        for row in self.rows:
            print("| " + " | ".join(map(_cell, row.values())) + " |")
        print(json.dumps({"title": self.title, "load": self._began, "rows": self.rows}))


def _cell(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
