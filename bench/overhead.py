"""What the server and the worker add to an engine's own time.

The bare call is the model's ``transcribe`` on decoded samples, in this process. Beside it, turn by
turn: the same through core (a worker process, no HTTP), the same over HTTP with decoding, and a
FastAPI app without any model that only reads the form and decodes (the limit of such a server).
The client's own time is included.

    nox -s bench -- overhead [--rounds 40]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from _measure import (
    EMBEDDED,
    TONE,
    Figures,
    form,
    free_port,
    loaded,
    percentile,
    post,
    recording,
    running,
    server,
    spoken,
    timed,
)

from open_speech import (
    Config,
    OpenSpeech,
    Portal,
    STTModel,
    TranscriptionRequest,
)
from open_speech._hosts import WorkerOptions
from open_speech.codecs.decode import decode
from open_speech.testing.install import install_provider

PATH = "/v1/audio/transcriptions"
BARE = Path(__file__).with_name("_bare_app.py")
SECONDS = (3, 60)
LIMITS_MS = {3: 3.0, 60: 8.0}
Contender = Callable[[], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        install_provider(site, "tone", "open_speech.testing.tone")
        sys.path.insert(0, str(site))
        _compare("tone/echo", TONE, SECONDS, rounds, Path(folder))
        _compare("pocketsphinx/en-us", EMBEDDED, SECONDS[:1], max(3, rounds // 20), Path(folder))


def _compare(
    model: str, variables: dict[str, str], lengths: tuple[int, ...], rounds: int, folder: Path
) -> None:
    """One table: each length of recording, each way, turn by turn."""
    columns = ("what", "best", "median", "p90", "added, best", "added, median", "aim")
    table = Figures(f"Transcribing with {model}, ms", columns)
    with ExitStack() as stack:
        _, bare = stack.enter_context(loaded(model))
        assert isinstance(bare, STTModel)
        started = stack.enter_context(server(variables))
        over_http = started.connect()
        port = free_port()
        limit = stack.enter_context(running([str(BARE), str(port)], {}, folder, port))
        limit.wait("/health")
        nothing = limit.connect()
        portal = stack.enter_context(Portal())
        speech = stack.enter_context(portal.enter(_core(folder)))
        for seconds in lengths:
            file = recording(seconds) if model == "tone/echo" else spoken(started, seconds)
            audio = decode(file, sample_rate=16_000)
            asked = TranscriptionRequest(audio=audio)
            body, headers = form(file, model=model)
            ways: dict[str, Contender] = {
                "bare call": partial(_exhaust, bare, asked),
                "core and worker": partial(_through_core, portal, speech, asked, model),
                "server, core and worker": partial(post, over_http, PATH, body, headers),
                "FastAPI app without a model": partial(post, nothing, PATH, body, headers),
                "decoding alone": partial(decode, file, sample_rate=16_000),
            }
            _add_rows(table, seconds, _turn_by_turn(ways, rounds))
    table.show()


def _turn_by_turn(ways: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    for work in ways.values():
        for _ in range(3):
            work()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            times[name].append(timed(work))
    return times


def _add_rows(table: Figures, seconds: int, times: dict[str, list[float]]) -> None:
    engine = times["bare call"]
    for name, values in times.items():
        best, median = min(values), percentile(values, 50)
        added = name not in ("bare call", "decoding alone", "FastAPI app without a model")
        table.add(
            f"{seconds} s: {name}",
            f"{best:.2f}",
            f"{median:.2f}",
            f"{percentile(values, 90):.2f}",
            f"{best - min(engine):.2f}" if added else "",
            f"{median - percentile(engine, 50):.2f}" if added else "",
            f"{LIMITS_MS[seconds]:g}" if name.startswith("server") else "",
        )


@asynccontextmanager
async def _core(folder: Path) -> AsyncIterator[OpenSpeech]:
    workers = WorkerOptions(environment={**os.environ, "PYTHONPATH": str(folder / "site")})
    async with OpenSpeech(Config(workers=workers)) as speech:
        yield speech


def _exhaust(model: STTModel, asked: TranscriptionRequest) -> None:
    for _ in model.transcribe(asked):
        pass


def _through_core(
    portal: Portal, speech: OpenSpeech, asked: TranscriptionRequest, model: str
) -> None:
    portal.run(speech.transcribe(asked.audio, model=model))


if __name__ == "__main__":
    main()
