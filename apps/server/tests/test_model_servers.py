"""Servers and their models' weights: starting, offline, on one volume, without a provider."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from live import Live, live_server
from open_speech.testing import install_provider
from open_speech.testing.hub import FakeHub

SIZE = 600_000
MakeServer = Callable[..., AbstractContextManager[Live]]


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def gate(hub: FakeHub) -> Iterator[threading.Event]:
    """Set it to let downloads go on beyond their first bytes."""
    gate = threading.Event()
    hub.on_block = lambda _key, _sent: gate.wait(120) and None
    yield gate
    gate.set()


@pytest.fixture
def make_server(hub: FakeHub, tmp_path: Path) -> MakeServer:
    """``make_server(**environment)``: a server with the provider of tones, on the one volume."""
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    base = {
        "PYTHONPATH": str(tmp_path / "site"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path / "nobodys"),
        "TTS_MODEL": "tone/sine",
        "STT_MODEL": "tone/echo",
        "OS_ALLOW_ANY_MODEL": "true",
    }

    def make(*, ready: bool = True, **environment: str) -> AbstractContextManager[Live]:
        return live_server(tmp_path, {**base, **environment}, ready=ready)

    return make


def weights(name: str) -> dict[str, bytes]:
    return {"config.json": b"{}", "model.bin": random.Random(name).randbytes(SIZE)}


def speak(client: httpx.Client, model: str) -> httpx.Response:
    return client.post("/v1/audio/speech", json={"input": "Hello", "model": model})


def polled(client: httpx.Client, path: str, done: Callable[[Mapping[str, object]], bool]) -> object:
    """Ask another process until it says so; nothing else tells."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = client.get(path).json()
        if done(found):
            return found
    raise AssertionError(found)


def test_a_server_starts_from_the_hub_and_later_without_it(make_server, hub, gate):
    model = "tone/voices-configured"
    hub.add(model, weights(model))
    with (
        make_server(ready=False, TTS_MODEL=model, OS_LOAD_WAIT_S="0.2") as server,
        server.client() as client,
    ):
        # While the weights are on their way it says so: to monitors, and to those who want them.
        found = polled(client, "/health/ready", lambda ready: ready["downloads"])
        assert client.get("/health/ready").status_code == 503
        assert found["status"] == "starting"
        assert found["models"][model] == "downloading"
        assert found["pending"] == [model] or "tone/echo" in found["pending"]
        assert found["downloads"][model]["bytes_total"] == SIZE + 2
        answer = speak(client, model)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert f"of {SIZE + 2} bytes" in answer.json()["error"]["message"]
        assert "%" in answer.json()["error"]["message"]
        gate.set()
        polled(client, "/health/ready", lambda ready: ready["status"] == "ready")
        assert speak(client, model).status_code == 200
    hub.forget()
    with (
        make_server(TTS_MODEL=model, HF_HUB_OFFLINE="1") as server,
        server.client() as client,
    ):
        assert speak(client, model).status_code == 200
    with make_server(TTS_MODEL=model) as server, server.client() as client:
        assert speak(client, model).status_code == 200
    assert hub.exchanges == []
    with (
        make_server(TTS_MODEL=model, HF_ENDPOINT="http://127.0.0.1:9") as server,
        server.client() as client,
    ):
        assert speak(client, model).status_code == 200


def test_every_way_to_a_model_is_closed_to_strangers(make_server, hub):
    model, other = "tone/voices-configured", "tone/voices-other"
    for name in (model, other):
        hub.add(name, weights(name))
    with (
        make_server(TTS_MODEL=model, OS_ALLOW_ANY_MODEL="false") as server,
        server.client() as client,
    ):
        hub.forget()
        for name in (other, f"tone:{other}", f"{model}@main", "tone/plain@main"):
            answers = [
                speak(client, name),
                client.get(f"/v1/models/{name}"),
                client.post(f"/api/models/{name}/load"),
                client.post(f"/api/models/{name}/download?wait=false"),
                client.post(f"/api/pull/{name}"),
                client.post(f"/api/ps/{name}"),
                client.post("/v1/audio/models/load", json={"model": name}),
                client.get("/v1/audio/voices", params={"model": name}),
                client.delete(f"/api/models/{name}/cache"),
            ]
            for answer in answers:
                assert answer.status_code == 403, answer.request.url
                assert answer.json()["error"]["code"] == "model_not_allowed"
                assert answer.json()["error"]["param"] == "model"
        assert hub.exchanges == []
        assert speak(client, model).status_code == 200
        assert speak(client, "tone/plain").status_code == 200
        assert speak(client, "tts-1").status_code == 200
    with (
        make_server(OS_ALLOW_ANY_MODEL="false", OS_API_KEY="secret") as server,
        server.client(headers={"Authorization": "Bearer secret"}) as client,
    ):
        assert speak(client, other).status_code == 200


def test_what_one_server_has_loaded_another_cannot_delete(make_server, hub):
    model = "tone/voices-shared"
    hub.add(model, weights(model))
    patient = {"OS_LOAD_WAIT_S": "120"}
    with (
        make_server(**patient) as one,
        make_server(**patient) as two,
        one.client() as first,
        two.client() as second,
        ThreadPoolExecutor(8) as pool,
    ):
        assert first.post(f"/api/models/{model}/load").status_code == 200
        refused = second.delete(f"/api/models/{model}/cache")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "model_in_use")
        assert second.get(f"/api/models/{model}").json()["state"] == "downloaded"
        assert first.delete(f"/api/models/{model}").status_code == 200

        # One loads and unloads, the other deletes: whoever is answered is answered right.
        def use() -> list[int]:
            return [speak(first, model).status_code, first.delete(f"/api/ps/{model}").status_code]

        def delete() -> list[int]:
            return [second.delete(f"/api/models/{model}/cache").status_code]

        jobs = [pool.submit(work) for _ in range(6) for work in (use, delete)]
        seen = {status for job in jobs for status in job.result()}
        assert seen <= {200, 404, 409}, seen
        assert speak(first, model).status_code == 200
        assert len(hub.gets(f"{model}/model.bin")) >= 1


def test_a_model_whose_provider_is_gone_is_let_go(make_server, hub, tmp_path):
    model = "tone/voices-kept"
    hub.add(model, weights(model))
    install_provider(tmp_path / "site", "faulty", "open_speech.testing.faulty")
    faulty = {"TTS_MODEL": "faulty/any", "STT_MODEL": "faulty/hear"}
    with make_server(**faulty) as server, server.client() as client:
        assert speak(client, "tone/sine").status_code == 200
        assert client.post(f"/api/pull/{model}").status_code == 200
        shutil.rmtree(next((tmp_path / "site").glob("*tone*.dist-info")))
        client.post("/api/providers/rescan").raise_for_status()
        listed = {each["id"] for each in client.get("/v1/models").json()["data"]}
        assert "faulty/any" in listed
        assert not {name for name in listed if name.startswith("tone/")}
        for name in ("tone/sine", model):
            refused = speak(client, name)
            error = refused.json()["error"]
            assert (refused.status_code, error["code"]) == (404, "provider_missing")
            assert "open-speech-provider-tone" in error["message"]
        # Its weights are still there, are shown, and can be deleted.
        shown = {each["id"]: each for each in client.get("/api/models").json()["models"]}
        assert shown[model]["state"] == "provider_missing"
        assert client.delete(f"/api/models/{model}/cache").status_code == 200
        assert client.get("/health/ready").status_code == 200
        polled(client, "/health", lambda health: health["models_loaded"] == 2)
        # It comes back, and with it its models.
        install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
        client.post("/api/providers/rescan").raise_for_status()
        assert speak(client, "tone/sine").status_code == 200


def test_a_configured_model_whose_provider_comes_later_is_loaded_then(make_server, tmp_path):
    site = tmp_path / "site"
    aside = tmp_path / "aside"
    installed = next(site.glob("*tone*.dist-info"))
    shutil.move(installed, aside)
    with make_server(ready=False) as server, server.client() as client:
        missing = {each["id"]: each for each in client.get("/api/models").json()["models"]}
        assert missing["tone/sine"]["state"] == "provider_missing"
        assert missing["tone/sine"]["is_default"] is True
        assert client.get("/health/ready").status_code == 503
        shutil.move(aside, installed)
        client.post("/api/providers/rescan").raise_for_status()
        polled(client, "/health/ready", lambda ready: ready["status"] == "ready")


def test_a_budget_on_measured_memory_is_kept(make_server):
    with (
        make_server(OS_MEMORY_BUDGET_MB="1") as server,
        server.client() as client,
    ):
        # Even one is above it: the last one loaded stays, and the log says so.
        client.post("/api/models/tone/plain/load").raise_for_status()
        client.post("/api/models/tone/chorus/load").raise_for_status()
        polled(client, "/api/ps", lambda ps: [m["id"] for m in ps["models"]] == ["tone/chorus"])
        assert "budget of memory (1 MiB) is exceeded by tone/chorus" in server.log.read_text()
        assert speak(client, "tone/sine").status_code == 200
