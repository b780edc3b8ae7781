"""The command `open-speech` in a process of its own, and a server of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ports import free_port

COMMAND = str(Path(sys.executable).with_name("open-speech"))
WAIT_S = 120.0
OURS = re.compile(r"OS_|STT_|TTS_|HF_|OPEN_SPEECH_", re.IGNORECASE)


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """Its standard output."""
        return self.output.decode()

    @property
    def json(self) -> Any:
        """Its standard output, read as JSON."""
        return json.loads(self.output)


def variables(folder: Path, **more: str) -> dict[str, str]:
    """An environment without anybody's settings, that keeps everything in a folder."""
    return {
        **{name: value for name, value in os.environ.items() if not OURS.match(name)},
        "HF_HUB_OFFLINE": "1",
        "OS_DATA_DIR": str(folder / "data"),
        "OS_HOST": "127.0.0.1",
        "OS_MODEL_DIR": str(folder / "models"),
        "OS_PORT": str(free_port()),
        **more,
    }


def run(*arguments: str | Path, environment: Mapping[str, str], given: bytes = b"") -> Done:
    """Run it to its end."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        env=dict(environment),
        input=given,
        capture_output=True,
        timeout=WAIT_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr.decode())


@contextmanager
def serving(environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Serve where the environment says, from when it is ready."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [COMMAND, "serve"], env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            _wait(process, environment, log)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait(process: subprocess.Popen[bytes], environment: Mapping[str, str], log: Path) -> None:
    """Ask until it is ready: the command has no other way to tell."""
    plain = environment.get("OS_SSL_ENABLED") == "false"
    address = f"{'http' if plain else 'https'}://127.0.0.1:{environment['OS_PORT']}"
    with httpx.Client(verify=False, timeout=5) as client:
        for _ in range(int(WAIT_S / 0.2)):
            try:
                if client.get(f"{address}/health/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            if ended(process, 0.2):
                break
    raise AssertionError(f"the server did not become ready:\n{log.read_text()[-4000:]}")


def ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    """Whether a process ends so soon."""
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True
