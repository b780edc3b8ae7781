"""Whether memory comes back: the whole process tree idle, with a model in use, and unloaded.

Each model is loaded by its first request, used a few times and unloaded because nobody wants it;
three times over. The same with models in the server's own process (``OS_ISOLATION=none``), where
it is up to the allocator what comes back.

Then what the worker of a model holds after little work and after much: rounds of texts or
recordings of ever other lengths, two at a time. ``--weights`` names a folder of published weights
as the hub lays it out (``Systran/faster-whisper-base/model.bin``); the models that it has are
measured too.

    nox -s bench -- memory [--cycles 3] [--rounds 3] [--weights FOLDER] [--models kokoro,...]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from _measure import (
    EMBEDDED,
    NO_MODELS,
    START_S,
    Figures,
    Server,
    form,
    own_megabytes,
    post,
    server,
    spoken,
    tree_megabytes,
)

from open_speech._worker.heap import IDLE_S
from open_speech.testing.hub import FakeHub

AIM_MB = 10
REQUESTS = 3
PUBLISHED = {
    "Systran/faster-whisper-tiny.en": "Systran/faster-whisper-tiny.en",
    "Systran/faster-whisper-base": "Systran/faster-whisper-base",
    "piper/en_US-joe-medium": "rhasspy/piper-voices",
    "kokoro": "hexgrad/Kokoro-82M",
}
"""The repository of each model that is measured if its weights are there."""
SECONDS = (3, 8, 30, 20)
"""Of the recordings in a round of work."""
SENTENCES = (1, 2, 6, 4)
"""Of the texts; a sentence of nine words."""
Use = Callable[[Server], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--models", default=",".join([*list(EMBEDDED.values())[:2], *PUBLISHED]))
    asked = parser.parse_args()
    with server(EMBEDDED) as started:
        files = [spoken(started, seconds) for seconds in SECONDS]
    if asked.cycles:
        _show_cycles(asked.cycles, files[0])
    columns = ("model", "little work", *(f"round {n + 1}" for n in range(asked.rounds)), "idle")
    table = Figures("Resident MB of the model's worker", columns)
    for model in asked.models.split(","):
        repository = PUBLISHED.get(model)
        if not repository or (asked.weights and (asked.weights / repository).is_dir()):
            table.add(model, *_growth(model, asked.weights, files, asked.rounds))
    table.show()


def _show_cycles(cycles: int, file: bytes) -> None:
    """Measure and print what comes back."""
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


def _growth(
    model: str, weights: Path | None, files: Sequence[bytes], rounds: int
) -> tuple[float, ...]:
    """Megabytes of the worker after the shortest request, after each round, and then idle."""
    hears = model.startswith("Systran/") or model == EMBEDDED["STT_MODEL"]
    works: Sequence[Use]
    if hears:
        works = [lambda started, file=file: _hear(started, model, file) for file in files]
    else:
        works = [lambda started, n=n: _speak(started, model, n) for n in SENTENCES]
    with tempfile.TemporaryDirectory() as place, FakeHub() as hub:
        for folder in weights.glob("*/*/") if weights else ():
            hub.add("/".join(folder.parts[-2:]), folder)
        variables = {
            **NO_MODELS,
            "STT_MODEL" if hears else "TTS_MODEL": model,
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(Path(place) / "nobodys"),
            "HF_HUB_OFFLINE": "0",
            "OS_MODEL_TTL": "3600",
            "TTS_VOICE": "default",
        }
        with server(variables, path="/health") as started, ThreadPoolExecutor(2) as two:
            _wait_loaded(started, 1)
            works[0](started)
            found = [_worker_megabytes(started)]
            for _ in range(rounds):
                list(two.map(lambda work: work(started), works))
                found.append(_worker_megabytes(started))
            time.sleep(2 * IDLE_S)  # then free memory is given back
            return (*found, _worker_megabytes(started))


def _worker_megabytes(started: Server) -> float:
    return tree_megabytes(started.process.pid) - own_megabytes(started.process.pid)


def _wait_loaded(started: Server, count: int) -> None:
    deadline = time.monotonic() + START_S
    while json.loads(started.ask("/health")[1])["models_loaded"] != count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"there are never {count} models: {started.log.read_text()[-4000:]}")
        time.sleep(0.1)


def _wait_unloaded(started: Server) -> None:
    _wait_loaded(started, 0)
    time.sleep(1)  # a worker takes a moment to end


def _speak(started: Server, model: str, sentences: int = 2) -> bytes:
    text = "This is one of the sentences that are spoken. " * sentences
    body = json.dumps({"model": model, "input": text}).encode()
    headers = {"Content-Type": "application/json"}
    return post(started.connect(), "/v1/audio/speech", body, headers)


def _hear(started: Server, model: str, file: bytes) -> bytes:
    return post(started.connect(), "/v1/audio/transcriptions", *form(file, model=model))


if __name__ == "__main__":
    main()
