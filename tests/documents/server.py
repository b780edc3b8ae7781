"""A server with the two embedded models, for documents that talk to one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

START_S = 120.0
STOP_S = 60.0


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Start the command; yield its address once it is ready; stop it at the end."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [str(Path(sys.executable).with_name("open-speech")), "serve"],
            env=_environment(folder, port),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            _wait(process, address, log)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _environment(folder: Path, port: int) -> dict[str, str]:
    ours = ("OS_", "STT_", "TTS_", "HF_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "HF_HUB_OFFLINE": "1",
        "OS_DATA_DIR": str(folder / "data"),
        "OS_HOST": "127.0.0.1",
        "OS_MODEL_DIR": str(folder / "models"),
        "OS_PORT": str(port),
        "OS_SSL_ENABLED": "false",
        "STT_MODEL": "pocketsphinx/en-us",
        "TTS_MODEL": "espeak/en-us",
        "TTS_VOICE": "default",
    }


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Ask until it is ready: the command has no other way to tell."""
    end = time.monotonic() + START_S
    with httpx.Client(timeout=5, transport=httpx.HTTPTransport(retries=2)) as client:
        while process.poll() is None and time.monotonic() < end:
            try:
                if client.get(f"{address}/health/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
    raise RuntimeError(f"the server did not become ready:\n{log.read_text()[-4000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
