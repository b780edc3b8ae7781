"""Our server in a process of its own, started from a peer's environment."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from chat_server import ChatServer, chat_server

_stack = ExitStack()
_chats: list[ChatServer] = []
_running: dict[tuple[tuple[str, str], ...], str] = {}


atexit.register(_stack.close)


def address(**environment: str) -> str:
    """Of a server with these settings, started once."""
    key = tuple(sorted(environment.items()))
    if key not in _running:
        _running[key] = _start(dict(environment))
    return _running[key]


def free_address() -> str:
    """An address that nobody uses."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{chosen.getsockname()[1]}"


def _start(environment: dict[str, str]) -> str:
    url = environment.pop("ADDRESS", None) or free_address()
    folder = Path(tempfile.mkdtemp(prefix="peer"))
    ours = ("OS_", "STT_", "TTS_", "VAD_", "HF_", "VIRTUAL_ENV", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    variables = {
        **inherited,
        "HF_ENDPOINT": os.environ["OPEN_SPEECH_HUB"],
        "OS_DATA_DIR": str(folder / "data"),
        "OS_HOST": "127.0.0.1",
        "OS_LOAD_WAIT_S": "120",
        "OS_MODEL_DIR": os.environ["OPEN_SPEECH_MODELS"],
        "OS_PORT": url.rpartition(":")[2],
        **environment,
    }
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [os.environ["OPEN_SPEECH_COMMAND"], "serve"],
        env=variables,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
    )
    atexit.register(process.wait, 60)
    atexit.register(process.terminate)
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/health/ready", timeout=5)
        except OSError:
            if process.poll() is not None:
                raise RuntimeError((folder / "log").read_text()) from None
            time.sleep(0.2)
        else:
            return url
    raise RuntimeError((folder / "log").read_text())


def chat_api() -> str:
    """The address of a chat API, started once."""
    if not _chats:
        _chats.append(_stack.enter_context(chat_server()))
    return _chats[0].address
