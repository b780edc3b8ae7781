"""Whether memory comes back: the whole process tree idle, with a model in use, and unloaded.

Each model is loaded by its first request, used a few times and unloaded because nobody wants it;
three times over. The same with models in the server's own process (``OS_ISOLATION=none``), where
it is up to the allocator what comes back.

    nox -s bench -- memory [--cycles 3]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from _measure import (
    EMBEDDED,
    NO_MODELS,
    START_S,
    Figures,
    Server,
    form,
    post,
    server,
    spoken,
    tree_megabytes,
)

AIM_MB = 10
REQUESTS = 3
Use = Callable[[Server], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=3)
    cycles = parser.parse_args().cycles
    with server(EMBEDDED) as started:
        file = spoken(started, 3)
    uses: dict[str, Use] = {
        "tone/sine": lambda started: _speak(started, "tone/sine"),
        EMBEDDED["TTS_MODEL"]: lambda started: _speak(started, EMBEDDED["TTS_MODEL"]),
        EMBEDDED["STT_MODEL"]: lambda started: _hear(started, EMBEDDED["STT_MODEL"], file),
    }
    columns = ("model", "where", "idle", "in use", "unloaded", f"unloaded {cycles} times", "kept")
    title = f"Resident MB of the process tree (aim: at most {AIM_MB} kept with a worker)"
    table = Figures(title, columns)
    for model, use in uses.items():
        for isolation, where in (("model", "a worker"), ("none", "the server's process")):
            idle, used, first, last = _cycle(isolation, use, cycles)
            table.add(model, where, idle, used, first, last, last - idle)
    table.show()


def _cycle(isolation: str, use: Use, cycles: int) -> tuple[float, float, float, float]:
    """Megabytes before, at most, after the first unloading and after the last."""
    variables = {**NO_MODELS, "OS_ISOLATION": isolation, "OS_MODEL_TTL": "1"}
    with server(variables, path="/health") as started:
        time.sleep(2)  # the providers are being asked what they offer
        idle, most = tree_megabytes(started.process.pid), 0.0
        after: list[float] = []
        for _ in range(cycles):
            for _ in range(REQUESTS):
                use(started)
            most = max(most, tree_megabytes(started.process.pid))
            _wait_unloaded(started)
            after.append(tree_megabytes(started.process.pid))
        return idle, most, after[0], after[-1]


def _wait_unloaded(started: Server) -> None:
    deadline = time.monotonic() + START_S
    while json.loads(started.ask("/health")[1])["models_loaded"]:
        if time.monotonic() > deadline:
            raise RuntimeError("the model is never unloaded")
        time.sleep(0.1)
    time.sleep(1)  # a worker takes a moment to end


def _speak(started: Server, model: str) -> bytes:
    body = json.dumps({"model": model, "input": "One sentence. And another one."}).encode()
    headers = {"Content-Type": "application/json"}
    return post(started.connect(), "/v1/audio/speech", body, headers)


def _hear(started: Server, model: str, file: bytes) -> bytes:
    return post(started.connect(), "/v1/audio/transcriptions", *form(file, model=model))


if __name__ == "__main__":
    main()
