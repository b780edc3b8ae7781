"""Whether the server still answers while it works: /health twenty times a second under load.

Sixteen clients ask without pause, each over a connection of its own; a process of its own asks for
/health meanwhile, since the clients' threads would hold it up.

    nox -s bench -- health [--seconds 10]
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from _measure import TONE, Figures, Server, form, percentile, post, recording, server, spoken

CLIENTS = 16
PER_SECOND = 20
Request = tuple[str, bytes, dict[str, str]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--poll", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.poll:
        print(json.dumps(_poll(options.poll, options.seconds)))
        return
    columns = ("load", "requests/s", "p50", "p99", "worst", "answers", "aim for p99")
    table = Figures("/health, ms", columns)
    with server(TONE) as started:
        loads: dict[str, Request | None] = {
            "idle": None,
            "16 x 3 s of wav to tone/echo": _hearing("tone/echo", recording(3)),
            "16 x 60 s of wav to tone/echo": _hearing("tone/echo", recording(60)),
            "16 x 4 s of mp3 from tone/chorus": _speaking("tone/chorus"),
            "16 x 3 s of speech to pocketsphinx/en-us": _hearing(
                "pocketsphinx/en-us", spoken(started, 3)
            ),
        }
        for name, request in loads.items():
            measure(table, name, started, request, options.seconds)
    table.show()


def measure(
    table: Figures, name: str, started: Server, request: Request | None, seconds: float
) -> None:
    """Add a row: how fast /health answers while sixteen clients send the request."""
    with _busy(started, request) as count:
        began, before = time.monotonic(), len(count)
        command = [sys.executable, __file__, "--poll", str(started.port), "--seconds", str(seconds)]
        found = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        rate = (len(count) - before) / (time.monotonic() - began)
    times = json.loads(found)
    table.add(
        name,
        f"{rate:.1f}" if request else "",
        *(f"{percentile(times, percent):.1f}" for percent in (50, 99, 100)),
        len(times),
        "50" if request else "20",
    )


@contextmanager
def _busy(started: Server, request: Request | None) -> Iterator[list[int]]:
    """Ask from as many threads; the list grows by one with each answer."""
    if request is None:
        yield []
        return
    post(started.connect(), *request)  # the model is loaded
    done, answers = threading.Event(), list[int]()
    connections = [started.connect() for _ in range(CLIENTS)]

    def ask(connection: http.client.HTTPConnection) -> None:
        try:
            while not done.is_set():
                answers.append(len(post(connection, *request)))
        except (OSError, http.client.HTTPException):
            if not done.is_set():
                raise

    with ThreadPoolExecutor(CLIENTS) as threads:
        clients = [threads.submit(ask, connection) for connection in connections]
        try:
            yield answers
        finally:
            done.set()
            for connection in connections:
                if connection.sock:
                    connection.sock.shutdown(socket.SHUT_RDWR)
    for client in clients:
        client.result()


def _poll(port: int, seconds: float) -> list[float]:
    """Milliseconds of each answer; a late one does not put off the next question's due time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times: list[float] = []
    began = time.monotonic()
    while (due := began + len(times) / PER_SECOND) < began + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        asked = min(due, time.monotonic())  # what a stall held up counts as well
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        times.append(1000 * (time.monotonic() - asked))
    return times


def _hearing(model: str, file: bytes) -> Request:
    return ("/v1/audio/transcriptions", *form(file, model=model))


def _speaking(model: str) -> Request:
    # Twenty characters are a second of tone.
    body = {"model": model, "input": "x" * 80, "response_format": "mp3"}
    return "/v1/audio/speech", json.dumps(body).encode(), {"Content-Type": "application/json"}


if __name__ == "__main__":
    main()
