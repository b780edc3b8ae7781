"""What the server adds to faster-whisper itself, and whether it keeps up with it.

The models have the published dimensions and random weights; the text of each window ends after a
dozen tokens, which is a little less than people say in three seconds. `digits` is the tiny model
of the tests: it takes so little time itself that what is added can be told. The library gets the
very same file and settings, in this process, with as many decoders and threads as the worker has:
what is added is reading the form, decoding, the way to the worker and back, and the answer. The
client's own time counts as the server's.

    nox -s bench -- whisper [--rounds 20] [--seconds 10] [--sizes digits,tiny,base]
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in a worker; read when OpenMP starts

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from _measure import EMBEDDED, Figures, Server, form, percentile, post, server, spoken, timed
from health import measure as measure_health

from open_speech.testing.hub import FakeHub
from open_speech_provider_whisper._cores import physical_cores, split

TESTS = Path(__file__).parents[1] / "packages" / "open-speech-provider-whisper" / "tests"
DIGITS = TESTS / "data" / "whisper-digits"
PATH = "/v1/audio/transcriptions"
AIMS_MS = {3: 3.0, 10: 5.0, 60: 8.0}
"""What may be added, by the seconds of the recording."""
TOKENS = 16
"""Where the text of a window ends, the marks at its start counted."""
TEMPERATURE = 0.01
"""Given, so that there is one try: random weights would be tried at six, each by chance."""
CLIENTS = (1, 4, 16)
Transcribe = Callable[[], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--sizes", default="digits,tiny,base")
    options = parser.parse_args()
    columns = ("model and wav", "library, best", "library, median", "server, best",
               "server, median", "added, best", "added, median", "aim", "added, %")  # fmt: skip
    added = Figures("Added to faster-whisper, ms", columns)
    columns = ("model, 3 s of wav", "clients", "library/s", "server/s", "server, %", "aim, %")
    rates = Figures("Requests per second", columns)
    columns = ("load", "requests/s", "p50", "p99", "worst", "answers", "aim for p99")
    health = Figures("/health, ms", columns)
    for size in options.sizes.split(","):
        with _both(size) as (started, name, library):
            files = {seconds: spoken(started, seconds) for seconds in AIMS_MS}
            for seconds, file in files.items():
                _add_times(added, f"{size}, {seconds} s", started, name, library, file,
                           options.rounds, AIMS_MS[seconds])  # fmt: skip
            for clients in CLIENTS:
                _add_rates(rates, size, clients, started, name, library, files[3], options.seconds)
            request = (PATH, *_asked(name, files[3]))
            measure_health(health, f"16 x 3 s of wav to {size}", started, request, options.seconds)
    for table in (added, rates, health):
        table.show()


@contextmanager
def _both(size: str) -> Iterator[tuple[Server, str, Any]]:
    """A server with the model, its name, and the library's own model over the same weights."""
    from faster_whisper import WhisperModel

    name = "Systran/faster-whisper-" + size.replace("digits", "tiny")
    with tempfile.TemporaryDirectory() as place, FakeHub() as hub:
        folder = DIGITS if size == "digits" else _random_weights(size, Path(place) / size)
        hub.add(name, folder)
        variables = {
            **EMBEDDED,
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(Path(place) / "nobodys"),
            "HF_HUB_OFFLINE": "0",
            "STT_MODEL": name,
        }
        workers, threads = split(physical_cores())
        library = WhisperModel(
            str(folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            num_workers=workers,
        )
        with server(variables) as started:
            yield started, name, library


def _random_weights(size: str, folder: Path) -> Path:
    sys.path.insert(0, str(TESTS))
    import random_whisper

    dimensions = {"tiny": random_whisper.TINY, "base": random_whisper.BASE}[size]
    return random_whisper.make(folder, replace(dimensions, tokens=TOKENS))


def _by_library(library: Any, file: bytes) -> None:
    segments, _ = library.transcribe(
        io.BytesIO(file), language="en", vad_filter=True, temperature=TEMPERATURE
    )
    assert sum([len(segment.tokens) for segment in segments])  # each is decoded as it is asked for


def _asked(name: str, file: bytes) -> tuple[bytes, dict[str, str]]:
    return form(file, model=name, language="en", temperature=str(TEMPERATURE))


def _by_server(started: Server, name: str, file: bytes) -> Transcribe:
    """A client with a new connection, which is open: an idle one is closed after a while."""
    body, headers = _asked(name, file)
    return partial(post, started.connect(), PATH, body, headers)


def _add_times(
    table: Figures,
    label: str,
    started: Server,
    name: str,
    library: Any,
    file: bytes,
    rounds: int,
    aim: float,
) -> None:
    """One row: both ways, turn by turn."""
    alone = partial(_by_library, library, file)
    bare, ours = list[float](), list[float]()
    for _ in range(rounds + 2):
        bare.append(timed(alone))
        ours.append(timed(_by_server(started, name, file)))
    bare, ours = bare[2:], ours[2:]
    best, median = min(ours) - min(bare), percentile(ours, 50) - percentile(bare, 50)
    found = (min(bare), percentile(bare, 50), min(ours), percentile(ours, 50), best, median)
    share = 100 * median / percentile(bare, 50)
    table.add(label, *(f"{value:.2f}" for value in found), f"{aim:g}", share)


def _add_rates(
    table: Figures,
    size: str,
    clients: int,
    started: Server,
    name: str,
    library: Any,
    file: bytes,
    seconds: float,
) -> None:
    """One row: as many threads on either side, in four turns each."""
    counted = {True: [0, 0.0], False: [0, 0.0]}
    for ours in (False, True, True, False) * 2:
        alone = partial(_by_library, library, file)
        ways = [_by_server(started, name, file) if ours else alone for _ in range(clients)]
        answers, took = _busy(ways, seconds / 4)
        counted[ours][0] += answers
        counted[ours][1] += took
    bare, served = (counted[ours][0] / counted[ours][1] for ours in (False, True))
    table.add(size, clients, bare, served, 100 * served / bare, "97")


def _busy(ways: Sequence[Transcribe], seconds: float) -> tuple[int, float]:
    """Call each from a thread of its own until the time is up; calls, and seconds until the last.

    What was begun in time counts, and so does the time that it takes to end.
    """
    began = time.monotonic()

    def work(way: Transcribe) -> int:
        calls = 0
        while time.monotonic() < began + seconds:
            way()
            calls += 1
        return calls

    with ThreadPoolExecutor(len(ways)) as threads:
        calls = sum(threads.map(work, ways))
    return calls, time.monotonic() - began


if __name__ == "__main__":
    main()
