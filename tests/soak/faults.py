"""What goes wrong during the soak, one thing every five seconds."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import psutil
from websockets.sync.client import connect

from open_speech.testing.faulty import LOAD_FAULTS, SPEECH_FAULTS
from open_speech.testing.hub import FakeHub, Fault, Mode

WAIT_S = 60
DOWNLOADED = "tone/voices-a"
"""A model that is fetched and deleted again."""


@dataclass
class Faults:
    """All of them, chosen by chance."""

    address: str
    pid: int
    hub: FakeHub
    recording: bytes
    chance: random.Random
    spare: str
    """A model that no client uses: loaded, unloaded, fetched and deleted at will."""

    def all(self) -> dict[str, Callable[[], None]]:
        """By name."""
        return {
            "a worker is killed": self.kill_a_worker,
            "an engine misbehaves": self.misbehave,
            "a flood of headers": self.flood,
            "a head without end": lambda: self.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n"),
            "half an upload": self.half_an_upload,
            "a client leaves while it is spoken to": self.leave_a_stream,
            "a live client vanishes": self.leave_a_session,
            "a damaged recording": self.damaged,
            "JSON that is none": lambda: self.post("/v1/audio/speech", content=b"{" * 1_000),
            "a model is loaded and unloaded": self.load_and_unload,
            "a download fails": self.failing_download,
            "the providers are scanned again": lambda: self.post("/api/providers/rescan"),
            "a hundred connections say nothing": self.idle_connections,
        }

    def post(self, path: str, **options: object) -> None:
        """Whatever the answer is."""
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(self.address + path, timeout=WAIT_S, **options)  # type: ignore[arg-type]

    def misbehave(self) -> None:
        """An engine hangs, dies, raises or answers garbage."""
        fault = self.chance.choice((*SPEECH_FAULTS, *LOAD_FAULTS))
        body = {"model": f"faulty/{fault}", "input": "Hello"}
        self.post("/v1/audio/speech", json=body)

    def kill_a_worker(self) -> None:
        workers = psutil.Process(self.pid).children(recursive=True)
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.chance.choice(workers).pid, signal.SIGKILL)

    def connect(self) -> socket.socket:
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        return socket.create_connection((host, int(port)), timeout=WAIT_S)

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError), self.connect() as sock:
            sock.sendall(data)

    def flood(self) -> None:
        self.send(b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 4_000_000)

    def half_an_upload(self) -> None:
        request = httpx.Request("POST", "http://x", files={"file": ("a.wav", self.recording)})
        body = request.read()
        kind = request.headers["content-type"]
        head = f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}"
        head = f"{head}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.send(head.encode() + body[: len(body) // 2])

    def leave_a_stream(self) -> None:
        body = {"input": "A long text. " * 200, "response_format": "wav"}
        with (
            contextlib.suppress(httpx.HTTPError),
            httpx.stream(
                "POST", f"{self.address}/v1/audio/speech", json=body, timeout=WAIT_S
            ) as answer,
        ):
            next(answer.iter_bytes(), None)

    def leave_a_session(self) -> None:
        url = self.address.replace("http", "ws") + "/v1/audio/stream"
        with contextlib.suppress(Exception):
            socket = connect(url, proxy=None, open_timeout=WAIT_S)
            socket.send(self.recording[44:6_444])
            socket.socket.close()

    def damaged(self) -> None:
        data = bytearray(self.recording)
        for _ in range(20):
            data[self.chance.randrange(len(data))] = self.chance.randrange(256)
        self.post("/v1/audio/transcriptions", files={"file": ("a.mp3", bytes(data))})

    def load_and_unload(self) -> None:
        self.post(f"/api/models/{self.spare}/load")
        with contextlib.suppress(httpx.HTTPError):
            httpx.delete(f"{self.address}/api/models/{self.spare}", timeout=WAIT_S)

    def failing_download(self) -> None:
        mode = self.chance.choice([Mode.STATUS, Mode.RESET, Mode.CORRUPT, Mode.TRUNCATE])
        self.hub.fault(f"{DOWNLOADED}/*", Fault(mode, times=2))
        self.post(f"/api/models/{DOWNLOADED}/download")
        with contextlib.suppress(httpx.HTTPError):
            httpx.delete(f"{self.address}/api/models/{DOWNLOADED}/cache", timeout=WAIT_S)

    def idle_connections(self) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    stack.enter_context(self.connect())
