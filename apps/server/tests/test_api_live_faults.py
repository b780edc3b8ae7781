"""Hostile and unlucky clients of the live sockets: bounded, told, and cleaned up after."""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from live import Live, live_server
from open_speech.testing import install_provider, sine

SOCKETS = ("/v1/audio/stream", "/v1/audio/speech/stream", "/v1/realtime")
KEY = base64.b64encode(b"0123456789abcdef").decode()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("hostile")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
        "OS_STREAM_MAX_CONNECTIONS": "20",
    }
    with live_server(folder, environment) as server:
        yield server


def opened(live: Live, path: str) -> ClientConnection:
    return connect(live.address.replace("http", "ws") + path, proxy=None, max_size=None)


def sessions(live: Live) -> int:
    with live.client() as http:
        found: int = http.get("/api/live").json()["sessions"]
        return found


def until_none(live: Live) -> None:
    deadline = time.monotonic() + 30
    while sessions(live):
        assert time.monotonic() < deadline, "a session stays"
        time.sleep(0.05)


def works(live: Live, path: str) -> None:
    """A session as it should be."""
    with opened(live, path) as connection:
        if path == "/v1/audio/speech/stream":
            connection.send('{"type": "session.config"}')
            connection.send('{"type": "input.done"}')
        assert json.loads(connection.recv(30))["type"] in {
            "session.begin", "session.created", "session.done",
        }  # fmt: skip


def memory(live: Live) -> int:
    import psutil

    return int(psutil.Process(live.process.pid).memory_info().rss)


@pytest.mark.parametrize("path", SOCKETS)
def test_many_at_once_are_refused_and_the_rest_served(live, path):
    until_none(live)
    refused = 0
    with ExitStack() as stack:
        for _ in range(60):
            try:
                connection = stack.enter_context(opened(live, path))
            except InvalidStatus as error:
                answer = error.response
                refused += answer.status_code == 503 and "retry-after" in answer.headers
                continue
            if path != "/v1/audio/speech/stream":
                with suppress(ConnectionClosed):
                    first = json.loads(connection.recv(30))
                    refused += first["type"] == "error"
            elif sessions(live) >= 20:
                with suppress(TimeoutError, ConnectionClosed):
                    connection.recv(0.2)
                refused += connection.close_code == 1013
        assert refused == 40
        assert sessions(live) == 20
        with live.client() as http:
            assert http.get("/health").status_code == 200
    until_none(live)
    works(live, path)


@pytest.mark.parametrize("path", SOCKETS)
def test_a_client_that_vanishes_leaves_nothing_behind(live, path):
    until_none(live)
    for _ in range(10):
        with opened(live, path) as connection:
            with suppress(ConnectionClosed):
                connection.send(json.dumps({"type": "input.text", "text": "Good morning. " * 50}))
            connection.socket.close()  # without a word
    until_none(live)
    works(live, path)


@pytest.mark.parametrize("path", SOCKETS)
def test_garbage_behind_the_handshake_ends_the_connection(live, path):
    host = f"127.0.0.1:{live.port}"
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    for garbage in (b"\xff" * 100, b"\x81\x05Hello", os.urandom(1000), b"\x81\xff" + b"\xff" * 8):
        with socket.create_connection(("127.0.0.1", live.port), 30) as connection:
            connection.sendall(head.encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 101")
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(30)
            while connection.recv(65536):
                pass
    until_none(live)
    works(live, path)


@pytest.mark.parametrize("path", SOCKETS)
def test_a_message_that_is_too_large_is_refused_without_taking_memory(live, path):
    works(live, path)
    before = memory(live)
    with opened(live, path) as connection:
        with suppress(ConnectionClosed):
            connection.send("x" * (17 * 1024 * 1024))
        with suppress(ConnectionClosed):
            while True:
                connection.recv(30)
        # 1006 where the client's own sending failed before it read why.
        assert connection.close_code in {1009, 1006}
    assert memory(live) - before < 100 * 2**20
    works(live, path)


def test_a_flood_of_sound_is_taken_no_faster_than_it_is_understood(live):
    before = memory(live)
    second = (sine(1.0).samples * 32767).astype("<i2").tobytes()
    with opened(live, "/v1/audio/stream?vad=false") as connection:
        for _ in range(600):
            connection.send(second)
        connection.send('{"type": "stop"}')
        events = []
        with suppress(ConnectionClosed):
            while True:
                events.append(json.loads(connection.recv(60)))
    assert events[-1]["type"] == "session.end"
    final = [event for event in events if event.get("speech_final")]
    heard = sum(int(words) for event in final for words in event["text"].split()[::5])
    assert heard == pytest.approx(600 * 16_000, rel=0.001)
    assert memory(live) - before < 150 * 2**20


def test_sound_without_a_commit_is_bounded(live):
    part = base64.b64encode((sine(25.0, sample_rate=24_000).samples * 32767).astype("<i2")).decode()
    with opened(live, "/v1/realtime?intent=transcription") as connection:
        update = {"audio": {"input": {"turn_detection": None}}}
        connection.send(json.dumps({"type": "session.update", "session": update}))
        for _ in range(25):
            connection.send(json.dumps({"type": "input_audio_buffer.append", "audio": part}))
        while True:
            event = json.loads(connection.recv(60))
            if event["type"] == "error":
                break
        assert event["error"]["code"] == "input_audio_buffer_full"
        connection.send(json.dumps({"type": "input_audio_buffer.commit"}))
        while event["type"] != "conversation.item.input_audio_transcription.completed":
            event = json.loads(connection.recv(60))
        assert event["usage"]["seconds"] == pytest.approx(600.0)


def test_a_client_that_reads_nothing_is_let_go(live):
    until_none(live)
    with socket.create_connection(("127.0.0.1", live.port), 30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = (
            "GET /v1/audio/speech/stream HTTP/1.1\r\nHost: x.localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(200).startswith(b"HTTP/1.1 101")
        config = {"type": "session.config", "response_format": "pcm", "stream_audio": True}
        for message in (config, {"type": "input.text", "text": "And so on. " * 8000}):
            connection.sendall(_frame(json.dumps(message).encode()))
        before = memory(live)
        until_none(live)  # after ten seconds in which it took nothing
        assert memory(live) - before < 50 * 2**20
    works(live, "/v1/audio/speech/stream")


def _frame(data: bytes) -> bytes:
    """A masked text frame, the mask being nothing."""
    length = len(data)
    head = bytes([0x81, 0xFE]) + length.to_bytes(2, "big") if length < 65536 else (
        bytes([0x81, 0xFF]) + length.to_bytes(8, "big")
    )  # fmt: skip
    return head + bytes(4) + data
