"""A server that speaks the routes of Fish Speech's own (``tools/server/views.py``), with a tone.

Real sockets, real chunks. It checks a request as upstream's schema does, streams a WAV header
without a length and then 16-bit samples, and remembers what it was asked.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

RATE = 44_100
STRETCH = 8_820
SECONDS_PER_CHAR = 0.02
KNOWN = {
    "text", "chunk_length", "format", "references", "reference_id", "seed", "use_memory_cache",
    "normalize", "streaming", "max_new_tokens", "top_p", "repetition_penalty", "temperature",
}  # fmt: skip


@dataclass
class Upstream:
    """What the server does and what it has seen."""

    url: str = ""
    key: str | None = None
    references: tuple[str, ...] | None = ("anna", "Old Ben")
    """None is a server from before it could list them."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """Method and path of each request."""
    left: threading.Event = field(default_factory=threading.Event)
    """Set once a client is found to be gone in the middle of an answer."""
    answer: Callable[[Handler], None] | None = None
    """Answers ``/v1/tts`` in another way."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Health and references."""
        told = self.server.told
        told.seen.append(f"GET {self.path}")
        if self._refused():
            return
        if self.path == "/v1/health":
            self.json(200, {"status": "ok"})
        elif self.path == "/v1/references/list" and told.references is not None:
            ids = list(told.references)
            self.json(200, {"success": True, "reference_ids": ids, "message": "Found"})
        else:
            self.json(404, {"statusCode": 404, "message": "Not Found", "error": "Not Found"})

    def do_POST(self) -> None:
        """Speech."""
        told = self.server.told
        told.seen.append(f"POST {self.path}")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told.asked.append(body)
        if self._refused():
            return
        problem = _problem(body)
        if problem:
            self.json(422, {"statusCode": 422, "message": problem, "error": "Unprocessable"})
        elif body.get("reference_id") not in (None, *(told.references or ())):
            self.json(500, {"statusCode": 500, "message": "Failed to generate speech"})
        elif told.answer is not None:
            told.answer(self)
        else:
            self.begin()
            self.stream(header(), *samples(body))

    def json(self, status: int, content: object) -> None:
        """Answer with JSON."""
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin(self) -> None:
        """Begin an answer of unknown length."""
        self.send_response(200)
        self.send_header("Content-Type", "audio/wav")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def stream(self, *blocks: bytes, end: bool = True) -> None:
        """Send chunks, and the mark of the end."""
        try:
            for block in (*blocks, b"") if end else blocks:
                self.wfile.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
        except OSError:
            self.server.told.left.set()
            self.close_connection = True

    def _refused(self) -> bool:
        key = self.server.told.key
        if key is None or self.headers.get("Authorization") == f"Bearer {key}":
            return False
        self.json(401, {"statusCode": 401, "message": "Invalid token", "error": "Unauthorized"})
        return True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """The listening socket."""

    daemon_threads = True
    told: Upstream


def running() -> Iterator[Upstream]:
    """A server for as long as the generator lives."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.told = Upstream(url=f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server.told
        server.shutdown()
        thread.join()


def header(channels: int = 1, bits: int = 16) -> bytes:
    """As upstream's ``wav_chunk_header``: a file with no samples yet."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(bits // 8)
        writer.setframerate(RATE)
    return file.getvalue()


def samples(body: dict[str, Any]) -> Iterator[bytes]:
    """A tone whose length is the text's, and whose height is that of the voice."""
    voice = json.dumps([body.get("reference_id"), body.get("references"), body.get("seed")])
    pitch = 150 + sum(voice.encode()) % 300
    total = round(len(body["text"]) * SECONDS_PER_CHAR * RATE)
    tone = 0.5 * np.sin(2 * np.pi * pitch * np.arange(total) / RATE)
    data = (tone * 32767).astype("<i2").tobytes()
    # Odd lengths: samples come in halves, too.
    for start in range(0, len(data), STRETCH * 2 + 1):
        yield data[start : start + STRETCH * 2 + 1]


def _problem(body: dict[str, Any]) -> str | None:
    """What upstream's schema would say."""
    if unknown := body.keys() - KNOWN:
        return f"unknown: {sorted(unknown)}"
    if not isinstance(body.get("text"), str):
        return "text is no text"
    if body.get("streaming") and body.get("format", "wav") != "wav":
        return "Streaming only supports WAV format"
    for name, low, high in (("temperature", 0.1, 1.0), ("top_p", 0.1, 1.0),
                            ("repetition_penalty", 0.9, 2.0)):  # fmt: skip
        value = body.get(name, 1.0)
        if type(value) is not float or not low <= value <= high:
            return f"{name} is {value!r}"
    for each in body.get("references", ()):
        with wave.open(io.BytesIO(base64.b64decode(each["audio"], validate=True))) as file:
            if file.getnframes() == 0 or not isinstance(each["text"], str):
                return "a reference is empty"
    return None
