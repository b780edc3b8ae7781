"""A process that downloads, for tests that kill it, limit it, or run two of them.

``fork``: reads a line for each child to make, prints the child's id, and "ended" with its status.
``ensure``: prints "ready", waits for a line, downloads, and prints the outcome.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from open_speech._types.models import Kind, ModelInfo, ModelSource
from open_speech.errors import OpenSpeechError
from open_speech.store import Store


def model(data: dict[str, Any]) -> ModelInfo:
    source = ModelSource(repo_id=data["repo"], files=tuple(data.get("files", ())))
    return ModelInfo(id=data["model"], kind=Kind.STT, sources=(source,))


def ensure(data: dict[str, Any]) -> str:
    if data.get("locks") is False:
        fcntl.flock = lambda *_: None  # a volume whose locks do nothing
    if limit := data.get("file_bytes"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    store = Store(Path(data["root"]), endpoint=data["endpoint"])
    try:
        store.ensure(model(data))
    except OpenSpeechError as error:
        return error.code
    return "downloaded"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fork(data: dict[str, Any]) -> None:
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            ensure(data)
            os._exit(0)
        say(str(child))
        _, status = os.waitpid(child, 0)
        say("ended" if status == 0 else "killed")


def hold(data: dict[str, Any]) -> None:
    with Store(Path(data["root"])).hold(model(data)):
        say("holding")
        sys.stdin.readline()


def main(verb: str, text: str) -> None:
    data = json.loads(text)
    if verb == "fork":
        fork(data)
    elif verb == "hold":
        hold(data)
    else:
        say("ready")
        sys.stdin.readline()
        say(ensure(data))


if __name__ == "__main__":
    main(*sys.argv[1:])
