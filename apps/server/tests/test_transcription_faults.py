"""Clients that leave and engines that fail while a recording is heard."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hearing import URL, send
from live import Live, live_server
from open_speech.testing import install_provider, sine, wav_bytes

STEPS = 1_000
"""Of the faulty provider, each when it is let."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the faulty provider notes what it does."""
    return tmp_path_factory.mktemp("record") / "record"


@pytest.fixture(scope="module")
def gate(record: Path) -> Path:
    """A named pipe: each byte in it lets the faulty provider take a step."""
    os.mkfifo(record.with_name("gate"))
    return record.with_name("gate")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, record: Path, gate: Path) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("faults")
    for name in ("tone", "faulty"):
        install_provider(folder / "site", name, f"open_speech.testing.{name}")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "OPEN_SPEECH_FAULTY_GATE": str(gate),
        "OPEN_SPEECH_FAULTY_RECORD": str(record),
        "OPEN_SPEECH_FAULTY_STEPS": str(STEPS),
        "OPEN_SPEECH_FAULTY_AFTER": "1",
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
    }
    with live_server(folder, environment) as server:
        yield server


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


def _until(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)  # between two looks at another process


@pytest.fixture
def step(gate: Path, record: Path) -> Iterator[Callable[[int], None]]:
    """Let the faulty provider take one step beyond a length of the record, and wait for it."""
    record.unlink(missing_ok=True)
    record.touch()
    with gate.open("r+b", buffering=0) as pipe:

        def take(done: int) -> None:
            pipe.write(b"1")
            _until(lambda: len(record.read_bytes()) > done, "nothing was done")

        yield take
        os.set_blocking(pipe.fileno(), False)
        pipe.read(1_000)


@pytest.mark.parametrize("stream", ["false", "true"])
def test_a_client_that_leaves_stops_the_hearing(live, record, step, stream):
    sound = {"file": ("a.wav", wav_bytes(sine(1.0)))}
    with live.client() as own:
        request = own.build_request(
            "POST", URL, files=sound, data={"model": "faulty/hear", "stream": stream}
        )
        raw = b"POST " + URL.encode() + b" HTTP/1.1\r\n"
        raw += b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.raw)
        raw += b"\r\n" + request.read()
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(raw)
        step(0)
        step(len(record.read_bytes()))
        if stream == "true":
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    # It would take STEPS of them. What it takes until the server sees that nobody is there, and
    # the one that it was in, are all that it takes.
    while b"finally" not in (seen := record.read_bytes()):
        step(len(seen))
        assert record.read_bytes().count(b"step") < STEPS / 10
    status = "complete=False" if stream == "true" else "status=499"
    _until(lambda: status in live.log.read_text(), "the request was not ended")
    assert "ClientLeft" not in live.log.read_text()


@pytest.fixture
def one_step(gate: Path) -> Iterator[None]:
    """Let the faulty provider take its one step whenever it comes to it."""
    with gate.open("r+b", buffering=0) as pipe:
        pipe.write(b"1")
        yield
        os.set_blocking(pipe.fileno(), False)
        pipe.read(1_000)


def test_a_failure_is_a_status_where_nothing_was_sent(client, one_step):
    answer = send(client, wav_bytes(sine(1.0)), model="faulty/hear-number")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "invalid_result")


def test_a_failure_after_the_first_event_is_told_and_breaks_the_stream(client, one_step):
    request = client.build_request(
        "POST", URL, files={"file": ("a.wav", wav_bytes(sine(1.0)))},
        data={"model": "faulty/hear-number", "stream": "true"},
    )  # fmt: skip
    answer = client.send(request, stream=True)
    lines: list[str] = []
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 - it breaks on the way
        for line in answer.iter_lines():
            lines.append(line)  # noqa: PERF402 - what came before the end counts
    delta, error = (json.loads(line[6:]) for line in lines if line)
    assert (delta["type"], delta["delta"]) == ("transcript.text.delta", "step 0")
    assert (error["type"], error["error"]["code"]) == ("error", "invalid_result")
