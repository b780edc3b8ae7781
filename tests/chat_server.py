"""A chat API on this machine, whose answers a test writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CREATED = 1_700_000_000


class ChatServer(ThreadingHTTPServer):
    """A chat API whose answers a test writes, word by word."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ChatHandler)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.words: list[str] = ["Good ", "morning. ", "I am ", "well."]
        self.status = 200
        self.goes_on = threading.Event()
        """Waited for after the first word of an answer that has to wait."""
        self.waits = False
        self.left = threading.Event()
        """Set once somebody hung up in the middle of an answer."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class ChatHandler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.asked.append(json.loads(self.rfile.read(length)))
        self.server.keys.append(self.headers.get("Authorization", ""))
        if self.path != "/v1/chat/completions" or self.server.status != 200:
            self.send_error(self.server.status if self.server.status != 200 else 404)
            return
        asked = self.server.asked[-1]
        self._common = {"id": "chatcmpl-1", "created": CREATED, "model": asked.get("model", "")}
        if not asked.get("stream"):
            self._answer()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for number, word in enumerate(self.server.words):
                self._say({"content": word})
                if self.server.waits and not number:
                    while not self.server.goes_on.wait(0.05):
                        self._say({})
        except OSError:
            self.server.left.set()
            return
        self.wfile.write(b"data: [DONE]\n\n")

    def _answer(self) -> None:
        message = {"role": "assistant", "content": "".join(self.server.words)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {**self._common, "object": "chat.completion", "choices": [choice]}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _say(self, delta: dict[str, Any]) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        event = {**self._common, "object": "chat.completion.chunk", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """A chat API that runs."""
    with ChatServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.goes_on.set()
            server.shutdown()
