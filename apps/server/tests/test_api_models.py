"""Models over HTTP: a real server with providers of tones and faults, and a hub of its own."""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import httpx
import pytest

from live import Live, live_server
from open_speech import OpenSpeech
from open_speech._lifecycle.events import MAX_WAITING
from open_speech.testing import install_provider
from open_speech.testing.hub import FakeHub, Fault, Mode
from open_speech_server.api.models.events import _events
from open_speech_server.app import create_api
from open_speech_server.settings.settings import Settings
from open_speech_server.state import ServerState
from reference_pages import _endpoints

DOCUMENT = Path(__file__).parents[3] / "docs" / "how-to" / "models-api.md"
SIZE = 600_000
DEMO = "tone/voices-demo"


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, hub: FakeHub) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("models")
    with live_server(folder, settings_for(folder, hub)) as server:
        yield server


def settings_for(folder: Path, hub: FakeHub, **more: str) -> dict[str, str]:
    for name in ("tone", "faulty"):
        install_provider(folder / "site", name, f"open_speech.testing.{name}")
    return {
        "PYTHONPATH": str(folder / "site"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(folder / "nobodys"),
        "TTS_MODEL": "tone/sine",
        "STT_MODEL": "tone/echo",
        "TTS_VOICE": "default",
        "OS_ALLOW_ANY_MODEL": "true",
        **more,
    }


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


@pytest.fixture
def model(hub: FakeHub, request: pytest.FixtureRequest) -> Iterator[str]:
    """A model with weights, of a name that no other test has."""
    name = f"tone/voices-{re.sub('[^a-z0-9]', '-', request.node.name)[:60].strip('-')}"
    hub.add(name, weights(name))
    yield name
    hub.heal()


@pytest.fixture
def gate(hub: FakeHub, model: str) -> Iterator[threading.Event]:
    """Set it to let the model's download go on beyond its first bytes."""
    gate = threading.Event()
    hub.on_block = lambda key, _: gate.wait(120) if key.startswith(model) else None
    yield gate
    hub.on_block = None
    gate.set()


def weights(name: str) -> dict[str, bytes]:
    """Files that no other model has: the store would take them from there."""
    return {"config.json": b"{}", "model.bin": random.Random(name).randbytes(SIZE)}


def speak(client: httpx.Client, model: str, **body: object) -> httpx.Response:
    return client.post("/v1/audio/speech", json={"input": "Hello", "model": model, **body})


def state(client: httpx.Client, model: str) -> str:
    return str(client.get(f"/api/models/{model}/status").json()["state"])


class Events:
    """The events of a server, in a thread, from the snapshot on."""

    def __init__(self, live: Live) -> None:
        self._stack = live.client()
        self._answer = self._stack.send(
            self._stack.build_request("GET", "/api/events"), stream=True
        )
        assert self._answer.headers["content-type"].startswith("text/event-stream")
        self._lines = self._answer.iter_lines()
        self.snapshot = self.next()

    def next(self) -> dict[str, object]:
        for line in self._lines:
            if line.startswith("data: "):
                found: dict[str, object] = json.loads(line[6:])
                return found
        raise AssertionError("the events ended")

    def until(self, **wanted: object) -> list[dict[str, object]]:
        """Everything up to the first event that has these fields."""
        seen = []
        while True:
            seen.append(self.next())
            if wanted.items() <= seen[-1].items():
                return seen

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()
        self._stack.close()


def test_a_model_goes_all_the_way_and_back(client, hub, model):
    path = f"/api/models/{model}"
    assert client.get(f"{path}/status").json()["state"] == "available"
    assert client.get(f"{path}/progress").json()["status"] == "idle"
    answer = client.post(f"{path}/download")
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "downloaded"
    assert answer.json()["revision"] == hub.repository(model).refs["main"]
    assert answer.json()["size_mb"] == 0.6
    answer = client.post(f"{path}/load", json={"keep_alive": "5m", "pin": True})
    assert answer.json()["state"] == "loaded"
    assert answer.json()["pinned"] is True
    assert answer.json()["memory_bytes"] > 0
    assert answer.json()["ttl_remaining"] is None
    answer = client.post(f"{path}/pin", json={"pin": False})
    assert 0 < answer.json()["ttl_remaining"] <= 300
    assert speak(client, model).status_code == 200
    refused = client.delete(f"{path}/cache")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "model_in_use")
    assert client.delete(path).json() == {"status": "unloaded", "model": model}
    again = client.delete(path)
    assert (again.status_code, again.json()["error"]["code"]) == (404, "not_loaded")
    assert state(client, model) == "downloaded"
    assert client.delete(f"{path}/artifacts").json() == {"status": "deleted", "model": model}
    assert state(client, model) == "available"
    gone = client.delete(f"{path}/cache")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_downloaded")


@pytest.mark.parametrize("slash", ["/", "%2F", "%2f"])
@pytest.mark.parametrize("name", ["tone/plain", "tone:tone/plain", "tone/plain@abc"])
def test_an_id_may_have_raw_slashes_a_provider_and_a_revision(client, slash, name):
    path = f"/api/models/{name.replace('/', slash)}"
    answer = client.post(f"{path}{slash if slash == '/' else '/'}load")
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == name.removeprefix("tone:")
    assert client.get(f"{path}/status").json()["state"] == "loaded"
    assert client.delete(path).status_code == 200


def test_what_is_not_waited_for_goes_on(client, gate, live, model):
    with Events(live) as events:
        answer = client.post(f"/api/models/{model}/load?wait=false")
        assert answer.status_code == 202
        assert answer.json()["busy"] is True
        events.until(type="state", model=model, state="downloading")
        assert state(client, model) == "downloading"
        gate.set()
        seen = events.until(type="state", model=model, state="loaded")
    states = [each["state"] for each in seen if (each["type"], each["model"]) == ("state", model)]
    assert states == [
        "downloaded", "loading", "loaded",
    ]  # fmt: skip


def test_a_mistake_is_told_even_to_those_who_do_not_wait(client):
    answer = client.post("/api/models/tone/plain/load?wait=false", json={"device": "abacus"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "device")
    answer = client.post("/api/models/tone/plain/load", json={"keep_alive": "soon"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "keep_alive")
    answer = client.post("/api/models/nobody/load?wait=false")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_progress_grows_to_the_end_and_survives_a_new_listener(client, gate, live, model):
    with Events(live) as events, ThreadPoolExecutor(1) as pool:
        pulling = pool.submit(client.post, f"/api/pull/{model}")
        seen = events.until(type="progress", model=model)[-1:]
        while not seen[-1]["bytes_done"]:
            seen += events.until(type="progress", model=model)[-1:]
        with Events(live) as reloaded:
            shown = {each["id"]: each for each in reloaded.snapshot["models"]}[model]
            assert shown["state"] == "downloading"
            assert shown["download"]["bytes_done"] >= seen[0]["bytes_done"]
            polled = client.get(f"/api/models/{model}/progress").json()
            assert polled["status"] == "downloading"
            assert 0 < polled["progress"] < 1
            assert polled["bytes_total"] == SIZE + 2
        gate.set()
        rest = events.until(type="state", model=model, state="downloaded")
        assert pulling.result().json() == {"status": "downloaded", "model": model}
    seen += [event for event in rest if event["type"] == "progress" and event["model"] == model]
    done = [event["bytes_done"] for event in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1]["bytes_total"] == SIZE + 2
    assert client.get(f"/api/models/{model}/progress").json()["progress"] == 1.0


def test_a_cancelled_download_goes_on_from_where_it_was(client, hub, gate, live, model):
    with Events(live) as events, ThreadPoolExecutor(1) as pool:
        pulling = pool.submit(client.post, f"/api/models/{model}/prefetch")
        while events.until(type="progress", model=model)[-1]["bytes_done"] < 20_000:
            pass  # more than the small file
        cancelled = client.post(f"/api/models/{model}/cancel").json()
        assert (cancelled["cancelled"], cancelled["state"]) == (True, "available")
        refused = pulling.result()
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "download_cancelled")
    assert client.post(f"/api/models/{model}/cancel").json()["cancelled"] is False
    gate.set()
    hub.forget()
    assert client.post(f"/api/models/{model}/download").json()["state"] == "downloaded"
    assert [exchange.start > 0 for exchange in hub.gets(f"{model}/model.bin")] == [True]


def test_a_failed_download_says_why_and_the_next_one_tries_again(client, hub, model):
    hub.fault("*", Fault(Mode.STATUS, status=404))
    answer = client.post(f"/api/models/{model}/download")
    assert answer.status_code in (404, 503)
    shown = client.get(f"/api/models/{model}").json()
    assert (shown["state"], bool(shown["error"])) == ("failed", True)
    hub.heal()
    assert client.post(f"/api/models/{model}/download").json()["state"] == "downloaded"


def test_a_revision_moves_only_when_asked_and_reloads_beside_the_old_one(client, hub, model):
    first = client.post(f"/api/models/{model}/load").json()
    moved = hub.add(model, weights(f"{model}, later"))
    client.delete(f"/api/models/{model}")
    assert client.post(f"/api/models/{model}/load").json()["revision"] == first["revision"]
    answer = client.post(f"/api/models/{model}/update").json()
    assert (answer["updated"], answer["revision"], answer["state"]) == (True, moved, "loaded")
    assert answer["loaded_at"] > first["loaded_at"]
    assert client.post(f"/api/models/{model}/update").json()["updated"] is False
    assert speak(client, model).status_code == 200
    # The old one by its name, as a model of its own.
    old = f"{model}@{first['revision']}"
    assert client.post(f"/api/models/{old}/load").json()["revision"] == first["revision"]
    assert client.post(f"/api/models/{old}/update").status_code == 400
    ids = [each["id"] for each in client.get("/api/ps").json()["models"]]
    assert {model, old} <= set(ids)


def test_a_failed_update_leaves_the_old_one_serving(client, hub, model):
    client.post(f"/api/models/{model}/load")
    hub.add(model, weights(f"{model}, later"))
    hub.fault(f"{model}/*", Fault(Mode.STATUS, status=404))
    assert client.post(f"/api/models/{model}/update").status_code >= 400
    assert state(client, model) == "loaded"
    assert speak(client, model).status_code == 200


def test_others_are_answered_while_one_downloads_and_one_loads(client, hub, live, model):
    hub.fault(f"{model}/model.bin", Fault(Mode.STALL, after_bytes=1000))
    with Events(live) as events:
        client.post(f"/api/models/{model}/download?wait=false")
        events.until(type="progress", model=model)
        client.post("/api/models/faulty/load-hang/load?wait=false")
        events.until(type="state", model="faulty/load-hang", state="loading")
        assert speak(client, "tone/sine").status_code == 200
        assert speak(client, "tone/chorus").status_code == 200  # cold
        assert state(client, model) == "downloading"
        assert state(client, "faulty/load-hang") == "loading"
        client.post(f"/api/models/{model}/cancel")


def test_the_default_voice_model_is_meant_where_none_is_named(client):
    assert client.post("/v1/audio/models/load").json() == {"status": "loaded", "model": "tone/sine"}
    listed = client.get("/v1/audio/models").json()
    assert {"tone/sine", "tone/plain"} <= {each["id"] for each in listed["models"]}
    assert client.post("/v1/audio/models/unload", json={"model": "tone/sine"}).json() == {
        "status": "unloaded",
        "model": "tone/sine",
    }
    assert client.post("/v1/audio/models/unload").status_code == 404
    wrong = client.post("/v1/audio/models/load", json={"model": "tone/echo"})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "model")


def test_events_end_when_the_server_stops(tmp_path, hub):
    with live_server(tmp_path, settings_for(tmp_path, hub)) as server, Events(server) as events:
        assert events.snapshot["type"] == "snapshot"
        listening = threading.Thread(target=events.until, kwargs={"type": "closing"})
        listening.start()
        assert server.stop() == 0
        listening.join(60)
        assert not listening.is_alive()


@pytest.mark.parametrize("waiting", [1, MAX_WAITING + 1])
async def test_closing_comes_to_a_listener_that_is_slow(waiting):
    state = ServerState(settings=Settings(), speech=OpenSpeech())
    events = _events(state, state.speech)
    assert b'"snapshot"' in await anext(events)
    for _ in range(waiting):
        state.speech.events.publish("pinned", "tone/sine")
    state.drain()
    async with asyncio.timeout(5):  # far below a heartbeat
        rest = [told async for told in events]
    assert [b'"closing"' in told for told in rest] == [False] * (len(rest) - 1) + [True]
    assert len(rest) == 2


# -- the document --------------------------------------------------------------------------------

PREPARED = {
    ("GET", "/api/ps"): ("POST", f"/api/ps/{DEMO}"),
    ("DELETE", "/api/models/{id}"): ("POST", f"/api/ps/{DEMO}"),
    ("DELETE", "/api/ps/{id}"): ("POST", f"/api/ps/{DEMO}"),
    ("DELETE", "/api/models/{id}/cache"): ("POST", f"/api/pull/{DEMO}"),
    ("POST", "/v1/audio/models/unload"): ("POST", "/v1/audio/models/load"),
}
"""What has to be asked first."""


def examples() -> list[tuple[str, str, object]]:
    """Method, path and JSON of every example in the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.finditer(
        r"^### `(\w+) (\S+)`\n(.*?)^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    )
    return [(match[1], match[2], json.loads(match[4])) for match in found]


def test_every_endpoint_has_an_example():
    shown = {(method, path) for method, path, _ in examples()}
    text = DOCUMENT.read_text(encoding="utf-8")
    for methods, path in _endpoints.routes(create_api(Settings()).routes):
        ours = path.startswith(("/api/models", "/api/ps", "/api/pull", "/api/events", "/api/tts"))
        if ours or path.startswith("/v1/audio/models"):
            written = path.replace("{model:path}", "{id}")
            verb = written.rpartition("/")[2]
            assert (
                {(m, written) for m in methods} <= shown
                or f"`/{verb}`" in text
                or (f"`{next(iter(methods))} {written}`" in text)
            ), written


@pytest.mark.parametrize(
    ("method", "path", "example"), examples(), ids=[f"{m} {p}" for m, p, _ in examples()]
)
def test_every_example_is_true(client, live, hub, method, path, example):
    hub.add(DEMO, weights(DEMO))
    client.delete(f"/api/models/{DEMO}")
    if path == "/api/events":
        with Events(live) as events:
            client.post(f"/api/ps/{DEMO}")
            same_shape(example, events.until(type="state", state="loading")[-1], path)
        return
    if first := PREPARED.get((method, path)):
        assert client.request(*first).status_code == 200
    answer = client.request(method, path.replace("{id}", DEMO))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    if method == "POST" and path.startswith("/api/models/") and "state" in found:
        partial = {name: found[name] for name in example} if "id" not in example else found
        same_shape(example, partial, path)
    else:
        same_shape(example, found, path)


def same_shape(example: object, real: object, where: str) -> None:
    """The same fields of the same types; null stands for anything."""
    if example is None or real is None:
        return
    if isinstance(example, dict):
        assert isinstance(real, dict), where
        assert example.keys() == real.keys(), where
        for name in example:
            same_shape(example[name], real[name], f"{where}.{name}")
    elif isinstance(example, list):
        assert isinstance(real, list), where
        for each in real if example else ():
            same_shape(example[0], each, f"{where}[]")
    else:
        number = (int, float)
        kind = number if isinstance(example, number) and not isinstance(example, bool) else type(
            example
        )  # fmt: skip
        assert isinstance(real, kind), where


class TestOfTheFirstList:
    """``/v1/models`` as other servers' clients read it."""

    TASKS = ("automatic-speech-recognition", "text-to-speech", "voice-activity-detection")

    @pytest.mark.parametrize("task", TASKS)
    def test_one_task_alone(self, client, task):
        everything = client.get("/v1/models").json()["data"]
        found = client.get("/v1/models", params={"task": task}).json()["data"]
        assert found
        assert found == [each for each in everything if each["task"] == task]

    def test_a_task_that_is_none_is_an_error_that_lists_them(self, client):
        answer = client.get("/v1/models", params={"task": "dancing"})
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (400, "task")
        assert all(task in error["message"] for task in self.TASKS)

    def test_a_model_tells_its_voices_and_languages(self, client):
        told = client.get(f"/v1/models/{DEMO}").json()
        voices = client.get("/v1/audio/voices", params={"model": DEMO}).json()["voices"]
        assert told["task"] == "text-to-speech"
        assert told["voices"]
        assert told["voices"] == [each["id"] for each in voices if each["model"] == DEMO]
        assert told["languages"] == told["language"]

    def test_voices_where_clients_of_speaches_look(self, client):
        expected = client.get("/v1/audio/voices", params={"model": DEMO}).json()
        for name in ("model_id", "model"):
            assert client.get("/v1/audio/speech/voices", params={name: DEMO}).json() == expected

    def test_the_first_question_of_kokoro_clients(self, client):
        assert client.get("/v1/test").json() == {"status": "ok"}
