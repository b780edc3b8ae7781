"""What the server adds to faster-whisper itself, and whether it keeps up with it.

Without `--weights` the models have the published dimensions and random weights; the text of each
window ends after a dozen tokens, a little less than people say in three seconds. `digits` is the
tiny model of the tests: it takes so little time itself that what is added can be measured. The
library gets the very same file and settings, in this process, with as many decoders and threads as
the worker has: what is added is reading the form, decoding, the way to the worker and back, and
the answer. The client's own time counts as the server's.

    nox -s bench -- whisper [--rounds 20] [--seconds 10] [--sizes digits,tiny,base]

`--weights FOLDER` names published weights, laid out as on the hub. The recordings are then read
aloud by the Piper voice in that folder, and each answer's text is compared with the library's.

    nox -s bench -- whisper --weights FOLDER --sizes tiny.en,base
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in a worker; read when OpenMP starts

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _measure import (
    EMBEDDED,
    Figures,
    Server,
    form,
    loaded,
    percentile,
    post,
    server,
    spoken,
    timed,
    wav_file,
)
from health import measure as measure_health

from open_speech import LoadContext, SpeechRequest, TTSModel
from open_speech.codecs.resample import resample
from open_speech.testing.hub import FakeHub
from open_speech.text.sentences import split_sentences
from open_speech.voices.resolve import resolve_voice
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
READER = "piper/en_US-joe-medium"
PASSAGE = (
    "The harbour was quiet when the first boats came in. Two men carried a long table up the hill, "
    "and a dog followed them all the way to the gate. Nobody had expected so many guests. "
    "In the kitchen somebody was cutting bread while the radio talked about the weather. "
    "It would rain before the evening, it said, and the wind would turn to the north. "
    "My grandmother laughed, because she had heard that every morning for forty years. "
    "She put the letters on the shelf, wiped her hands and looked out of the window. "
    "Across the water a train crossed the bridge with its lights already on. "
    "We counted the wagons as we always did, and lost count near the end. "
    "Then the bell rang, the children ran down the stairs, and the afternoon began. "
    "Later we walked along the shore and talked about the houses that used to stand there. "
    "An old teacher had lived in the last one, with a piano that nobody was allowed to touch. "
    "The windows were broken now and grass was growing through the floor. "
)
"""A minute of speech that repeats nothing."""
Transcribe = Callable[[], str | bytes]


@dataclass(frozen=True)
class Task:
    """What both sides do: a model, and how it is asked."""

    server: Server
    name: str
    library: Any
    temperature: float | None
    """None leaves it to the library, which then tries again where it is not sure."""

    def alone(self, file: bytes) -> str:
        """Transcribe with the library."""
        settings = {} if self.temperature is None else {"temperature": self.temperature}
        segments, _ = self.library.transcribe(
            io.BytesIO(file), language="en", vad_filter=True, **settings
        )
        return "".join([segment.text for segment in segments]).strip()  # decoded as asked for

    def asked(self, file: bytes) -> tuple[bytes, dict[str, str]]:
        """The body and headers of a request."""
        fields = {} if self.temperature is None else {"temperature": str(self.temperature)}
        return form(file, model=self.name, language="en", **fields)

    def served(self, file: bytes) -> Transcribe:
        """A client with a new connection, which is open: an idle one is closed after a while."""
        body, headers = self.asked(file)
        return partial(post, self.server.connect(), PATH, body, headers)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--sizes", default="digits,tiny,base")
    parser.add_argument("--weights", type=Path, help="published weights, laid out as on the hub")
    options = parser.parse_args()
    columns = ("model and wav", "library, best", "library, median", "server, best",
               "server, median", "added, best", "added, median", "aim", "added, %")  # fmt: skip
    added = Figures("Added to faster-whisper, ms", columns)
    columns = ("model, 3 s of wav", "clients", "library/s", "server/s", "server, %", "aim, %")
    rates = Figures("Requests per second", columns)
    columns = ("load", "requests/s", "p50", "p99", "worst", "answers", "aim for p99")
    health = Figures("/health, ms", columns)
    for size in options.sizes.split(","):
        with _both(size, options.weights) as task:
            files = _recordings(task.server, options.weights)
            for seconds, file in files.items():
                _add_times(added, f"{size}, {seconds} s", task, file, options.rounds,
                           AIMS_MS[seconds])  # fmt: skip
            for clients in CLIENTS:
                _add_rates(rates, size, clients, task, files[3], options.seconds)
            request = (PATH, *task.asked(files[3]))
            measure_health(
                health, f"16 x 3 s of wav to {size}", task.server, request, options.seconds
            )
    for table in (added, rates, health):
        table.show()


@contextmanager
def _both(size: str, weights: Path | None) -> Iterator[Task]:
    """A server with the model, and the library's own model over the same weights."""
    from faster_whisper import WhisperModel

    name = "Systran/faster-whisper-" + size.replace("digits", "tiny")
    with tempfile.TemporaryDirectory() as place, FakeHub() as hub:
        if weights:
            folder = weights / name
        else:
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
            yield Task(started, name, library, None if weights else TEMPERATURE)


def _recordings(started: Server, weights: Path | None) -> dict[int, bytes]:
    """A recording of each length: of the Piper voice where there are weights, else of espeak."""
    if not weights:
        return {seconds: spoken(started, seconds) for seconds in AIMS_MS}
    context = LoadContext(paths={"model": weights / "rhasspy/piper-voices"})
    with loaded(READER, context) as (info, model):
        voice = resolve_voice(info, "", None)
        assert isinstance(model, TTSModel)
        parts = [
            part
            for sentence in split_sentences(PASSAGE)
            for part in model.synthesize(SpeechRequest(text=sentence.text, voice=voice))
        ]
    sound = np.concatenate([resample(part, 16_000).samples for part in parts])
    files = {}
    for seconds in AIMS_MS:
        samples = sound[: seconds * 16_000]
        files[seconds] = wav_file((samples * 32767).astype("<i2").tobytes(), 16_000)
    return files


def _random_weights(size: str, folder: Path) -> Path:
    sys.path.insert(0, str(TESTS))
    import random_whisper

    dimensions = {"tiny": random_whisper.TINY, "base": random_whisper.BASE}[size]
    return random_whisper.make(folder, replace(dimensions, tokens=TOKENS))


def _add_times(
    table: Figures, label: str, task: Task, file: bytes, rounds: int, aim: float
) -> None:
    """One row: both ways, turn by turn. Published weights must give the same text."""
    alone = partial(task.alone, file)
    if task.temperature is None:
        text = json.loads(task.served(file)())["text"]
        if text.split() != alone().split():
            raise RuntimeError(f"{label}: the server wrote {text!r}, the library {alone()!r}")
    bare, ours = list[float](), list[float]()
    for _ in range(rounds + 2):
        bare.append(timed(alone))
        ours.append(timed(task.served(file)))
    bare, ours = bare[2:], ours[2:]
    best, median = min(ours) - min(bare), percentile(ours, 50) - percentile(bare, 50)
    found = (min(bare), percentile(bare, 50), min(ours), percentile(ours, 50), best, median)
    share = 100 * median / percentile(bare, 50)
    table.add(label, *(f"{value:.2f}" for value in found), f"{aim:g}", share)


def _add_rates(
    table: Figures, size: str, clients: int, task: Task, file: bytes, seconds: float
) -> None:
    """One row: as many threads on either side, in four turns each."""
    counted = {True: [0, 0.0], False: [0, 0.0]}
    for ours in (False, True, True, False) * 2:
        alone = partial(task.alone, file)
        ways = [task.served(file) if ours else alone for _ in range(clients)]
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
