"""What the server adds to a speaking engine: first sound, all of it, many callers, each format.

The bare engine speaks the same pieces of the same ten sentences in this process, with the same
settings; it is asked turn by turn with the server. Models of Piper and Kokoro have the published
dimensions and random weights, served by a hub of our own.

    nox -s bench -- speech [--models espeak/en-us,piper/en_US-lessac-medium,kokoro]
        [--rounds 5] [--callers 1,4,16] [--formats pcm,wav]

`--weights FOLDER` names published weights, laid out as on the hub:

    nox -s bench -- speech --weights FOLDER --models piper/en_US-joe-medium,kokoro
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in a worker; read when OpenMP starts

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from _measure import Figures, Server, loaded, percentile, server, timed

from open_speech import LoadContext, ModelInfo, SpeechRequest, TTSModel
from open_speech._synthesis.utterances import Utterance
from open_speech.codecs.encode import FORMATS
from open_speech.testing.hub import FakeHub
from open_speech.text.prepare import prepare
from open_speech.voices.resolve import resolve_voice

ROOT = Path(__file__).parents[1]
TEXT = " ".join(
    f"This is sentence number {number}, and it is neither very short nor very long."
    for number in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
)
FIRST_AIMS_MS = {"pcm": 5, "wav": 5, "mp3": 15}
HEADER_BYTES = {"wav": 44}
Sources = Mapping[str, tuple[str, Path]]
"""For each key of ``LoadContext.paths`` a repository and the folder of its files."""


@dataclass(frozen=True)
class Engine:
    """The model itself, in this process."""

    info: ModelInfo
    model: TTSModel
    pieces: Sequence[SpeechRequest]

    def first(self) -> None:
        """Speak the first piece."""
        for _ in self.model.synthesize(self.pieces[0]):
            pass

    def speak(self) -> float:
        """Speak all pieces; the seconds of sound."""
        seconds = 0.0
        for piece in self.pieces:
            seconds += sum(audio.seconds for audio in self.model.synthesize(piece))
        return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="espeak/en-us,piper/en_US-lessac-medium,kokoro")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--callers", default="1,4,16")
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--weights", type=Path, help="published weights, laid out as on the hub")
    asked = parser.parse_args()
    for name in asked.models.split(","):
        with _both(name, asked.weights) as (engine, started):
            _times(name, engine, started, asked.rounds, asked.formats.split(","))
            _many(name, engine, started, [int(each) for each in asked.callers.split(",")])


@contextmanager
def _both(name: str, weights: Path | None) -> Iterator[tuple[Engine, Server]]:
    """The bare engine here and the server with the same model."""
    with tempfile.TemporaryDirectory() as place, FakeHub() as hub:
        context = LoadContext()
        if sources := _sources(name, weights, Path(place)):
            for repository, files in sources.values():
                hub.add(repository, files)
            context = LoadContext(paths={key: files for key, (_, files) in sources.items()})
        environment = {
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(Path(place) / "nobodys"),
            "STT_MODEL": "bench/none",
            "TTS_MODEL": name,
            "TTS_VOICE": "default",
        }
        with (
            loaded(name, context) as (info, model),
            server(environment, path="/health") as started,
        ):
            assert isinstance(model, TTSModel)
            yield Engine(info, model, _pieces(info)), started


def _sources(name: str, weights: Path | None, place: Path) -> Sources:
    """The published files of a model where they are given, else random ones; none if embedded."""
    if not weights:
        return make(place) if (make := RANDOM_WEIGHTS.get(name)) else {}
    return {key: (each, weights / each) for key, each in REPOSITORIES.get(name, {}).items()}


def _pieces(info: ModelInfo) -> list[SpeechRequest]:
    """What core makes of the text."""
    whole = SpeechRequest(text=TEXT, voice=resolve_voice(info, "", None))
    script = prepare(whole, info)
    return [replace(whole, text=item.text) for item in script if isinstance(item, Utterance)]


def _times(name: str, engine: Engine, started: Server, rounds: int, formats: Sequence[str]) -> None:
    """First sound and all of it, in each format, one caller."""
    ways: dict[str, Callable[[], object]] = {
        "engine, first piece": engine.first,
        "engine, all": engine.speak,
    }
    for audio_format in formats:
        ways[f"server, {audio_format}"] = partial(_spoken, started, name, audio_format)
    firsts: dict[str, list[float]] = {way: [] for way in ways}
    totals: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, speak in ways.items():
            result: list[Any] = []
            taken = timed(lambda speak=speak, result=result: result.append(speak()))  # type: ignore[misc]
            if number:
                totals[way].append(taken)
                firsts[way].append(result[0] if "server" in way else taken)
    columns = ("what", "first sound", "added", "aim", "all", "added to all", "over pcm")
    table = Figures(f"Ten sentences from {name}, medians in ms", columns)
    first = percentile(firsts["engine, first piece"], 50)
    whole = percentile(totals["engine, all"], 50)
    pcm = percentile(totals["server, pcm"], 50)
    for way in ways:
        sound, total = percentile(firsts[way], 50), percentile(totals[way], 50)
        audio_format = way.removeprefix("server, ")
        if way == audio_format:
            table.add(way, f"{sound:.1f}", "", "", f"{total:.1f}", "", "")
            continue
        table.add(
            way,
            f"{sound:.1f}",
            f"{sound - first:.1f}",
            FIRST_AIMS_MS.get(audio_format, ""),
            f"{total:.1f}",
            f"{total - whole:.1f} ({100 * (total / whole - 1):.1f} %)",
            f"{total - pcm:.1f}",
        )
    table.show()


def _many(name: str, engine: Engine, started: Server, numbers: Sequence[int]) -> None:
    """Seconds of sound per second: the engine with as many threads as it takes, and the server."""
    columns = (
        "callers", "engine", "server, pcm", "pcm ratio", "server, wav", "wav ratio", "last to hear",
    )  # fmt: skip
    table = Figures(f"Callers at once of {name}, seconds of sound per second", columns)
    for callers in numbers:
        threads = min(callers, max(1, engine.info.concurrency))
        bare = _rate(lambda _: engine.speak(), callers, threads)
        cells: list[str] = []
        last = 0.0
        for audio_format in ("pcm", "wav"):
            waits: list[float] = []
            ask = partial(_caller, started, name, audio_format, waits)
            found = _rate(ask, callers, callers)
            cells += [f"{found:.1f}", f"{found / bare:.3f}"]
            last = max(waits)
        table.add(callers, f"{bare:.1f}", *cells, f"{last:.0f} ms")
    table.show()


def _rate(speak: Callable[[int], float], callers: int, threads: int) -> float:
    """Sound per second while so many texts are spoken by so many threads."""
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        seconds = sum(pool.map(speak, range(callers)))
        return seconds / (time.perf_counter() - began)


def _caller(
    started: Server, name: str, audio_format: str, waits: list[float], _number: int
) -> float:
    size: list[int] = []
    waits.append(_spoken(started, name, audio_format, size))
    return size[0] / 2 / 24_000 if audio_format == "pcm" else size[0] / 2 / _rate_of(name)


def _rate_of(name: str) -> int:
    return 24_000 if name == "kokoro" else 22_050


def _spoken(
    started: Server,
    model: str,
    audio_format: str,
    size: list[int] | None = None,
) -> float:
    """Have the whole text spoken; the milliseconds to its first sound."""
    connection = started.connect()  # a new one: an idle one is closed after a while
    began = time.perf_counter()
    body = json.dumps({"model": model, "input": TEXT, "response_format": audio_format})
    connection.request("POST", "/v1/audio/speech", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.read()[:500]!r}")
    answer.read(HEADER_BYTES.get(audio_format, 0) + 1)
    first = 1000 * (time.perf_counter() - began)
    rest = answer.read()
    if size is not None:
        size.append(len(rest) + 1)
    return first


def _maker(provider: str, name: str) -> Any:
    """A module from the tests of a provider."""
    path = ROOT / "packages" / f"open-speech-provider-{provider}" / "tests" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _piper(place: Path) -> Sources:
    voice = place / "piper" / "en/en_US/lessac/medium"
    _maker("piper", "random_piper").make(voice, channels=512, layers=19)
    (voice / "MODEL_CARD").write_text("random numbers")
    return {"model": ("rhasspy/piper-voices", place / "piper")}


def _kokoro(place: Path) -> Sources:
    _maker("kokoro", "random_kokoro").make(place / "kokoro", squeeze=False)
    _maker("kokoro", "small_tagger").make(place / "tagger")
    return {
        "model": ("hexgrad/Kokoro-82M", place / "kokoro"),
        "tagger": ("spacy/en_core_web_sm", place / "tagger"),
    }


RANDOM_WEIGHTS: Mapping[str, Callable[[Path], Sources]] = {
    "piper/en_US-lessac-medium": _piper,
    "kokoro": _kokoro,
}
"""What writes a model of random weights."""
REPOSITORIES = {
    "piper/en_US-joe-medium": {"model": "rhasspy/piper-voices"},
    "kokoro": {"model": "hexgrad/Kokoro-82M", "tagger": "spacy/en_core_web_sm"},
}
"""Where published weights lie, for each key of ``LoadContext.paths``."""


if __name__ == "__main__":
    main()
