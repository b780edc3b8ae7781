"""Every engine in one server at once, and what becomes of the others when one of them goes.

Two stand in environments of their own: one that brings an older numpy and pydantic, and one that is
held to an older transformers. The models are tiny, their repositories' names are the real ones.
Needs torch; about two hundred megabytes are fetched for the environments.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import psutil
import pytest

from hearing import CLIP, DIGITS, SPOKEN, TINY, send
from live import Live, live_server
from open_speech.environments import EnvironmentStore
from open_speech.testing.hub import FakeHub

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(find_spec("torch") is None, reason="there is no torch"),
]
PACKAGES = Path(__file__).parents[1] / "packages"
COMMAND = [sys.executable, "-c", "from open_speech_server.cli.main import main; main()"]
WHISPER, POCKETSPHINX = TINY, "pocketsphinx/en-us"
ESPEAK, KOKORO, PIPER = "espeak/en-us", "kokoro", "piper/en_US-lessac-medium"
QWEN3, FISH = "qwen3-tts-0.6b", "openaudio-s1-mini"
PROVIDERS = {
    "whisper": WHISPER,
    "pocketsphinx": POCKETSPHINX,
    "espeak": ESPEAK,
    "kokoro": KOKORO,
    "piper": PIPER,
    "qwen3": QWEN3,
    "fish": FISH,
}
HEARING = {WHISPER, POCKETSPHINX}
OTHERS = (WHISPER, POCKETSPHINX, ESPEAK, PIPER)
"""Asked all the while that something is done to Qwen3's worker."""
LIBRARIES = ("numpy", "pydantic", "transformers")
OLDER = {"fish": {"numpy": "1.26.4", "pydantic": "2.9.2"}, "qwen3": {"transformers": "4.57.3"}}
"""What environments of their own bring; of everything else they see the base's version."""
HANGS_S = 90
"""After so many seconds without a result a model counts as hanging."""
LONG = "This is one of very many sentences. " * 30
VERSIONS = """
import importlib.metadata as m, json, sys
print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))
"""


@dataclass(frozen=True)
class Place:
    """The one server of this module."""

    live: Live
    hub: FakeHub
    data: Path
    environment: Mapping[str, str]

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A client that waits for a busy machine."""
        with self.live.client() as client:
            client.timeout = httpx.Timeout(900)
            yield client

    def workers(self) -> set[psutil.Process]:
        return set(psutil.Process(self.live.process.pid).children())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server, and a hub that has everything but Fish's model, which only its code can write."""
    data = tmp_path_factory.mktemp("every")
    with FakeHub() as hub:
        fill(hub, data / "weights")
        variables = {
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(data / "nobodys"),
            "OS_ACCEPT_LICENSES": "CC-BY-NC-SA-4.0",
            "OS_DATA_DIR": str(data / "data"),
            "OS_LOAD_WAIT_S": "600",
            "OS_MODEL_TTL": "0",
            "OS_OPTIONS__FISH__CODEC_CONFIG": str(data / "weights" / "fish" / "codec.yaml"),
            "OS_OPTIONS__FISH__MAX_NEW_TOKENS": "60",
            "OS_REQUEST_TIMEOUT_S": str(HANGS_S),
        }
        with live_server(data, variables) as live:
            environment = {**os.environ, **variables, "OPEN_SPEECH_URL": live.address}
            yield Place(live, hub, data, environment)


def fill(hub: FakeHub, folder: Path) -> None:
    """Put tiny models on the hub, under the published names."""
    hub.add(TINY, DIGITS)
    voice = folder / "piper" / "en" / "en_US" / "lessac" / "medium"
    script("piper", "random_piper").make(voice)
    (voice / "MODEL_CARD").write_text("random numbers")
    hub.add("rhasspy/piper-voices", folder / "piper")
    checkpoint = script("qwen3", "tiny_checkpoint").write(folder / "qwen3", frames=12)
    hub.add("Qwen/Qwen3-TTS-12Hz-0.6B-CustomVoice", checkpoint)
    if find_spec("kokoro"):
        hub.add("hexgrad/Kokoro-82M", script("kokoro", "random_kokoro").make(folder / "kokoro"))
        hub.add("spacy/en_core_web_sm", tagger(folder / "tagger"))


def script(provider: str, name: str) -> Any:
    """A module that makes models, from beside the tests of a provider."""
    path = PACKAGES / f"open-speech-provider-{provider}" / "tests" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tagger(folder: Path) -> Path:
    """A pipeline of spaCy that takes every word for a noun."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what spaCy imports, and of training with nothing
        import spacy

        nlp = spacy.blank("en")
        nlp.add_pipe("tok2vec")
        settings = {"model": {"@architectures": "spacy.Tagger.v2"}}
        component: Any = nlp.add_pipe("tagger", config=settings)
        component.add_label("NN")
        nlp.initialize()
    nlp.to_disk(folder)
    return folder


def ask(client: httpx.Client, model: str) -> None:
    """Have a model hear or speak a little, and see that it did."""
    if model in HEARING:
        answer = send(client, CLIP.read_bytes(), model=model)
    else:
        answer = speak(client, model)
    assert answer.status_code == 200, f"{model}: {answer.text}"
    if model in HEARING:
        assert answer.json()["text"] if model != WHISPER else answer.json()["text"] == SPOKEN
    else:
        assert any(answer.content), f"{model} was silent"


def speak(client: httpx.Client, model: str) -> httpx.Response:
    return client.post("/v1/audio/speech", json=spoken(model, "Hello there."))


def spoken(model: str, text: str) -> dict[str, str]:
    return {"model": model, "input": text, "voice": "default", "response_format": "pcm"}


def test_every_engine_answers_at_once_with_versions_that_clash(place: Place) -> None:
    if find_spec("kokoro") is None:
        pytest.skip("there is no kokoro for this Python")
    install(place, "fish")
    write_fish(place)
    install(place, "qwen3", PIP_CONSTRAINT=constraints(place.data, OLDER["qwen3"]))
    with place.client() as client:
        workers = {name: loaded(place, client, model) for name, model in PROVIDERS.items()}
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda model: ask(client, model), PROVIDERS.values()))
        found = client.get("/api/providers").raise_for_status().json()["providers"]
    assert all(worker.is_running() for worker in workers.values())
    reported = {each["name"]: each for each in found}
    seen = {name: versions(worker) for name, worker in workers.items()}
    sys.stdout.write(table(workers, seen, reported))

    for name, own in seen.items():
        assert own == {**seen["whisper"], **OLDER.get(name, {})}
        told = reported[name]["versions"]
        assert {each: told[each] for each in LIBRARIES if each in told}.items() <= own.items()
    for library in LIBRARIES:
        assert len({own[library] for own in seen.values()}) == 2, library
    # They would not only be imported: these processes run with them.
    environments = str(place.data / "data" / "environments")
    folders = {name: numpy_of(worker) for name, worker in workers.items()}
    sys.stdout.write(f"{folders}\n")
    isolated = [name for name, path in folders.items() if path.startswith(environments)]
    assert isolated == ["fish"]


def install(place: Place, provider: str, **variables: str) -> None:
    """Give a provider an environment of its own, as an operator does."""
    package = PACKAGES / f"open-speech-provider-{provider}"
    done = subprocess.run(
        [*COMMAND, "providers", "install", str(package), "--isolated", "--json"],
        env={**place.environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if "package index could not be reached" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    own = json.loads(done.stdout)
    assert own["distributions"].items() >= OLDER[provider].items()
    sys.stdout.write(f"{package.name}: {own['bytes_added'] / 1e6:.0f} MB added\n")


def constraints(folder: Path, wanted: Mapping[str, str]) -> str:
    path = folder / "older.txt"
    path.write_text("".join(f"{name}=={version}\n" for name, version in wanted.items()))
    return str(path)


def write_fish(place: Place) -> None:
    """Write Fish's weights with its own code, and put them on the hub."""
    own = EnvironmentStore(place.data / "data" / "environments").get("open-speech-provider-fish")
    assert own is not None
    folder = place.data / "weights" / "fish"
    writer = PACKAGES / "open-speech-provider-fish" / "tests" / "random_fish.py"
    subprocess.run([str(own.python), str(writer), str(folder)], check=True)
    files = {path.name: path for path in folder.iterdir() if path.suffix != ".yaml"}
    place.hub.add("fishaudio/openaudio-s1-mini", files)


def loaded(place: Place, client: httpx.Client, model: str) -> psutil.Process:
    """Load a model afresh; its worker."""
    client.delete(f"/api/models/{model}")  # an error if it was not loaded
    before = place.workers()
    answer = client.post(f"/api/models/{model}/load", json={})
    assert answer.status_code == 200, answer.text
    (worker,) = place.workers() - before
    return worker


def versions(worker: psutil.Process) -> dict[str, str]:
    """What the libraries are to the interpreter of a worker."""
    command = [worker.cmdline()[0], "-P", "-c", VERSIONS, *LIBRARIES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def numpy_of(worker: psutil.Process) -> str:
    """Where the compiled part of numpy in a worker was loaded from."""
    paths = (each.path for each in worker.memory_maps())
    return next(path for path in paths if "/numpy/" in path)


def table(
    workers: Mapping[str, psutil.Process],
    seen: Mapping[str, Mapping[str, str]],
    reported: Mapping[str, Mapping[str, Any]],
) -> str:
    """A line for each provider."""
    lines = [("provider", "worker", "environment", *LIBRARIES), ("---",) * (3 + len(LIBRARIES))]
    for name, worker in workers.items():
        where = reported[name]["environment"] or "(the base)"
        lines.append((name, str(worker.pid), where, *(seen[name][each] for each in LIBRARIES)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def test_killing_a_worker_under_load_harms_its_own_requests_only(place: Place) -> None:
    harmed_alone(place, psutil.Process.kill)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")
def test_a_worker_without_memory_harms_its_own_requests_only(place: Place) -> None:
    def exhaust(worker: psutil.Process) -> None:
        full = worker.memory_info().vms
        worker.rlimit(psutil.RLIMIT_AS, (full, full))

    # Before its first request: the next ones would find what the first had taken, and fit.
    harmed_alone(place, exhaust, at_work=False)


def test_a_hanging_worker_harms_its_own_requests_only(place: Place) -> None:
    harmed_alone(place, psutil.Process.suspend)


def harmed_alone(
    place: Place, strike: Callable[[psutil.Process], object], *, at_work: bool = True
) -> None:
    """Do something to Qwen3's worker while others are busy, and it is as well (`at_work`)."""
    with place.client() as client, asked_all_the_while(place, client) as struck:
        worker = loaded(place, client, QWEN3)
        begun = Event(), Event()
        if not at_work:
            strike(worker)
        with ThreadPoolExecutor() as pool:
            speaking = [pool.submit(speak_long, place, each) for each in begun]
            for each in begun:
                assert each.wait(300)
            if at_work:
                strike(worker)
            struck.set()
            ends = [each.result() for each in speaking]
        sys.stdout.write(f"its own requests: {ends}\n")
        assert any(end != "complete" for end in ends)
        answered_again(client)
        assert not worker.is_running()


def speak_long(place: Place, begun: Event) -> str:
    """Speak for minutes; how that ended."""
    try:
        with (
            place.client() as client,
            client.stream("POST", "/v1/audio/speech", json=spoken(QWEN3, LONG)) as answer,
        ):
            if answer.status_code != 200:
                return str(answer.status_code)
            for _ in answer.iter_raw():
                begun.set()
            return "complete"
    except httpx.TransportError as error:
        return type(error).__name__
    finally:
        begun.set()


def answered_again(client: httpx.Client) -> None:
    """Try again as long as the server says when."""
    for _ in range(20):
        answer = speak(client, QWEN3)
        if answer.status_code == 200:
            return
        sys.stdout.write(f"{answer.status_code}: {answer.json()['error']['message']}\n")
        assert answer.status_code in {502, 503, 504}, answer.text
        time.sleep(float(answer.headers.get("Retry-After", "1")))
    raise AssertionError(f"it did not come back: {answer.text}")


@contextmanager
def asked_all_the_while(place: Place, client: httpx.Client) -> Iterator[Event]:
    """Ask the others, each from a thread of its own; set the event when something was done."""
    for model in OTHERS:
        ask(client, model)
    struck, ended = Event(), Event()
    with ThreadPoolExecutor(len(OTHERS)) as pool:
        asking = {model: pool.submit(keep_asking, place, model, struck, ended) for model in OTHERS}
        try:
            yield struck
        finally:
            struck.set()
            ended.set()
        counts = {model: each.result() for model, each in asking.items()}
    sys.stdout.write(f"answered, and of these begun afterwards: {counts}\n")


def keep_asking(place: Place, model: str, struck: Event, ended: Event) -> tuple[int, int]:
    """Ask until the end, and at least twice after something was done; how often in all, and after.

    The first answer that is an error ends it.
    """
    count = after = 0
    with place.client() as client:
        while not (ended.is_set() and after >= 2):
            late = struck.is_set()
            ask(client, model)
            count, after = count + 1, after + late
    return count, after
