# /// script
# requires-python = ">=3.11"
# dependencies = ["granian>=2.5", "hypercorn>=0.18", "h11>=0.16"]
# ///
"""The edge: what bounds on heads cost, floods, idle connections, the end; and other HTTP servers.

    nox -s bench -- edge [--connections 10000]

The same application, a few lines of ASGI, runs under each HTTP server; the floods and the end are
the whole server's.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import multiprocessing
import resource
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
from _measure import Figures, Server, free_port, percentile, running, server

TONE = {"STT_MODEL": "tone/echo", "TTS_MODEL": "tone/sine", "TTS_VOICE": "default"}
REQUESTS = 3_000
FLOODS = {
    "a line of 64 MiB": lambda: b"GET / HTTP/1.1\r\nX: " + b"a" * (64 << 20),
    "400,000 fields": lambda: b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 400_000,
    "a target of 16 MiB": lambda: b"GET /" + b"a" * (16 << 20) + b" HTTP/1.1\r\n",
    "no end": lambda: b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"a" * 4_000,
}
APP = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind.endswith("shutdown"):
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""
UVICORN = (
    "import uvicorn, app; uvicorn.run(app.app, port={port}, http={http}, access_log=False, "
    "log_level='error')"
)
OURS = (
    "from functools import partial; import uvicorn, app; "
    "from open_speech_server.http_protocol import BoundedProtocol as P; "
    "uvicorn.run(app.app, port={port}, http=partial(P, max_connections=20_000), access_log=False, "
    "log_level='error')"
)
SERVERS: dict[str, tuple[str, list[str]]] = {
    "ours (uvicorn, httptools, bounds)": ("uvicorn", ["-c", OURS]),
    "uvicorn, httptools": ("httptools", ["-c", UVICORN.replace("{http}", "'httptools'")]),
    "uvicorn, h11": ("h11", ["-c", UVICORN.replace("{http}", "'h11'")]),
    "hypercorn": ("hypercorn", ["-m", "hypercorn", "app:app", "-b", "127.0.0.1:{port}"]),
    "granian": (
        "granian",
        ["-m", "granian", "--interface", "asgi", "--port", "{port}", "--no-access-log", "app:app"],
    ),
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    options = parser.parse_args()
    _allow_files(options.connections)
    others(options.connections)
    floods()
    the_end()


def others(connections: int) -> None:
    """Each HTTP server: start, memory, time of a request, idle connections."""
    table = Figures(
        "HTTP servers, the same ASGI application",
        ("server", "start, s", "MB", "ms, median", "p99", "requests/s", f"{connections} idle",
         "WebSocket"),
    )  # fmt: skip
    for name, (module, arguments) in SERVERS.items():
        if find_spec(module) is None:
            continue
        with _bare(arguments) as (started, took):
            times = _requests(started.port)
            rate = 1000 * len(times) / sum(times)
            table.add(
                name, f"{took:.2f}", f"{_megabytes(started):.0f}",
                f"{percentile(times, 50):.3f}", f"{percentile(times, 99):.3f}", f"{rate:.0f}",
                _idle(started, connections), _websocket(started.port),
            )  # fmt: skip
    table.show()


def floods() -> None:
    """The whole server: how soon each flood is answered, and /health beside it."""
    table = Figures(
        "header floods against the whole server",
        (
            "flood",
            "answered after, ms",
            "with",
            "/health p99 beside 20 at once, ms",
            "grown by, MB",
        ),
    )
    with server({**TONE, "OS_MAX_CONNECTIONS": "2000"}) as started:
        _requests(started.port, "/health", 200)
        before = _megabytes(started)
        for name, data in FLOODS.items():
            if name == "no end":
                continue
            took, status = _flood(started.port, data())
            stop = threading.Event()
            threads = [
                threading.Thread(target=_again, args=(started.port, data(), stop))
                for _ in range(20)
            ]
            for thread in threads:
                thread.start()
            with multiprocessing.get_context("spawn").Pool(1) as pool:  # a flood takes this GIL
                times = pool.apply(_requests, (started.port, "/health", 200, 0.02))
            stop.set()
            for thread in threads:
                thread.join()
            grown = _megabytes(started) - before
            table.add(name, f"{took:.1f}", status, f"{percentile(times, 99):.1f}", f"{grown:.0f}")
    table.show()


def the_end() -> None:
    """The whole server: how long it takes to end while a client holds on."""
    table = Figures("the end with OS_DRAIN_S=3", ("while", "seconds", "status"))
    for name in ("nothing is under way", "a client takes nothing of its answer"):
        with server({**TONE, "OS_DRAIN_S": "3"}) as started, contextlib.ExitStack() as held:
            if name != "nothing is under way":
                sock = held.enter_context(socket.create_connection(("127.0.0.1", started.port)))
                body = json.dumps({"input": "x " * 45_000, "response_format": "wav"}).encode()
                lines = [
                    "POST /v1/audio/speech HTTP/1.1", "Host: localhost",
                    "Content-Type: application/json", f"Content-Length: {len(body)}", "", "",
                ]  # fmt: skip
                sock.sendall("\r\n".join(lines).encode() + body)
                sock.recv(1_000)
            began = time.perf_counter()
            started.process.send_signal(signal.SIGTERM)
            status = started.process.wait(30)
            table.add(name, f"{time.perf_counter() - began:.2f}", status)
    table.show()


@contextlib.contextmanager
def _bare(arguments: list[str]) -> Iterator[tuple[Server, float]]:
    """One HTTP server with the application, and how long its start took."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "app.py").write_text(APP)
        port = free_port()
        filled = [each.replace("{port}", str(port)) for each in arguments]
        began = time.perf_counter()
        with running(filled, {"PYTHONPATH": folder}, Path(folder), port) as started:
            started.wait("/", 0.005)
            yield started, time.perf_counter() - began


def _requests(
    port: int, path: str = "/", count: int = REQUESTS, pause_s: float = 0.0
) -> list[float]:
    """Milliseconds of each request, one after the other over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for _ in range(count):
        time.sleep(pause_s)
        began = time.perf_counter()
        connection.request("GET", path)
        connection.getresponse().read()
        times.append(1000 * (time.perf_counter() - began))
    return times


def _flood(port: int, data: bytes) -> tuple[float, str]:
    """Send until an answer comes: milliseconds from the first byte, and its status."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.setblocking(True)
        began = time.perf_counter()
        sender = threading.Thread(target=_send, args=(sock, data))
        sender.start()
        try:
            answer = sock.recv(4_096)
        except ConnectionError:
            answer = b""
        took = 1000 * (time.perf_counter() - began)
    sender.join()
    return took, answer[9:12].decode() or "closed"


def _send(sock: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        sock.sendall(data)


def _again(port: int, data: bytes, stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(OSError):
            _flood(port, data)


def _idle(started: Server, count: int) -> str:
    """What so many connections that say nothing cost, or that they are refused."""
    before, sockets = _megabytes(started), []
    try:
        for _ in range(count):
            sockets += [socket.create_connection(("127.0.0.1", started.port), timeout=5)]
    except OSError as error:
        return f"{type(error).__name__} after {len(sockets)}"
    else:
        times = _requests(started.port, count=20)
        return f"+{_megabytes(started) - before:.0f} MB, {percentile(times, 50):.2f} ms"
    finally:
        for sock in sockets:
            sock.close()


def _websocket(port: int) -> str:
    from websockets.sync.client import connect

    try:
        with connect(f"ws://127.0.0.1:{port}/", proxy=None, open_timeout=5):
            return "yes"
    except Exception as error:
        return type(error).__name__


def _megabytes(started: Server) -> float:
    process = psutil.Process(started.process.pid)
    return sum(each.memory_info().rss for each in [process, *process.children(True)]) / 2**20


def _allow_files(count: int) -> None:
    """Let this process and those that it starts have so many connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 1_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most), most))


if __name__ == "__main__":
    main()
