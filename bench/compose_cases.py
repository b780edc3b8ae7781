"""What the seed's first two compose examples fetch and hold, with weights of the published sizes.

Each case starts with an empty volume, fetches its models from a hub on this machine, speaks and
listens. The weights are random numbers in the published formats under the published names, so that
bytes and memory are those of the real ones, whatever is said and heard. A case whose providers (or
what makes their weights) are not installed is left out, and the table says so.

    nox -s bench -- compose_cases [--cases minimal,balanced]
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from _measure import Figures, Server, form, post, recording, server, tree_megabytes

from open_speech import ModelInfo
from open_speech._plugins.discovery import installed_providers, load_backends
from open_speech.testing.hub import FakeHub

PACKAGES = Path(__file__).parents[1] / "packages"
TEXT = "Hello, this is a sentence of quite ordinary length. And this is another one."


@dataclass(frozen=True, kw_only=True)
class Case:
    """One compose example, and what the seed says of it."""

    environment: Mapping[str, str]
    memory_mb: int
    fetched_mb: int


CASES = {
    "minimal": Case(
        environment={
            "STT_MODEL": "Systran/faster-whisper-tiny",
            "TTS_MODEL": "piper/en_US-lessac-medium",
        },
        memory_mb=500,
        fetched_mb=110,
    ),
    "balanced": Case(
        environment={"STT_MODEL": "Systran/faster-whisper-base", "TTS_MODEL": "kokoro"},
        memory_mb=1000,
        fetched_mb=480,
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default=",".join(CASES))
    columns = (
        "case",
        "fetched, MB",
        "published, MB",
        "seed's figure",
        "memory once ready, MB",
        "after use, MB",
        "the seed's figure",
        "ready after, s",
    )
    table = Figures("From an empty volume, random weights of full size", columns)
    for name in parser.parse_args().cases.split(","):
        case = CASES[name]
        with tempfile.TemporaryDirectory() as folder, FakeHub() as hub:
            try:
                for model in case.environment.values():
                    _offer(hub, model, Path(folder) / "weights" / model)
            except ImportError as error:
                print(f"{name} is left out: {error}")
                continue
            table.add(name, *_run(case, hub, Path(folder)))
    table.show()


def _run(case: Case, hub: FakeHub, folder: Path) -> tuple[object, ...]:
    variables = {
        **case.environment,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(folder / "nobodys"),
        "HF_HUB_OFFLINE": "0",
        "OS_LOAD_TIMEOUT_S": "600",
        "TTS_VOICE": "default",
    }
    began = time.monotonic()
    with server(variables, folder=folder, path="/health") as started:
        started.wait("/health/ready")
        took = time.monotonic() - began
        ready = tree_megabytes(started.process.pid)
        _use(started)
        used = tree_megabytes(started.process.pid)
    stored = (folder / "models").rglob("*")
    fetched = sum(path.stat().st_size for path in stored if path.is_file()) / 1e6
    published = sum(_info(name).size_bytes or 0 for name in case.environment.values()) / 1e6
    return fetched, published, case.fetched_mb, ready, used, case.memory_mb, took


def _use(started: Server) -> None:
    """Speak and listen, as a client that names no model."""
    asked = json.dumps({"model": "tts-1", "input": TEXT}).encode()
    post(started.connect(), "/v1/audio/speech", asked, {"Content-Type": "application/json"})
    body, headers = form(recording(5), model="whisper-1", temperature="0.1")
    post(started.connect(), "/v1/audio/transcriptions", body, headers)


def _offer(hub: FakeHub, name: str, folder: Path) -> None:
    """Have the hub serve a model. ImportError for want of its provider or a maker of weights."""
    info = _info(name)
    make = next(make for prefix, make in MAKERS.items() if name.startswith(prefix))
    for source, files in zip(info.sources, make(info, folder), strict=True):
        hub.add(source.repo_id, files)


def _info(name: str) -> ModelInfo:
    for provider in installed_providers():
        for backend in load_backends(provider):
            for info in backend.list_available():
                if info.id == name:
                    return info
    raise ImportError(f"no installed provider serves {name}")


Files = Mapping[str, bytes | Path] | Path


def _whisper(info: ModelInfo, folder: Path) -> list[Files]:
    made = _maker("whisper")
    size = {"tiny": made.TINY, "base": made.BASE}[info.id.rpartition("-")[2]]
    return [made.make(folder, size, quantization="float16")]


def _piper(info: ModelInfo, folder: Path) -> list[Files]:
    voice, config, card = info.sources[0].files
    name = voice.rpartition("/")[2].removesuffix(".onnx")
    path = _maker("piper").make(folder, name, channels=512, layers=19)
    return [{voice: path, config: path.with_name(f"{path.name}.json"), card: b"random numbers"}]


def _kokoro(_info: ModelInfo, folder: Path) -> list[Files]:
    weights = _maker("kokoro").make(folder / "weights", squeeze=False)
    spacy = importlib.import_module("spacy")
    pipeline = spacy.blank("en")
    tagging = pipeline.add_pipe("tok2vec") and pipeline.add_pipe("tagger")
    for tag in ("NN", "VB"):
        tagging.add_label(tag)
    pipeline.initialize()
    pipeline.to_disk(folder / "tagger")
    return [weights, folder / "tagger"]


MAKERS: Mapping[str, Callable[[ModelInfo, Path], list[Files]]] = {
    "Systran/faster-whisper": _whisper,
    "piper/": _piper,
    "kokoro": _kokoro,
}


def _maker(provider: str) -> ModuleType:
    """The module beside a provider's tests that writes models of random numbers."""
    folder = str(PACKAGES / f"open-speech-provider-{provider}" / "tests")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"random_{provider}")


if __name__ == "__main__":
    main()
