"""What a name can be made to do, on a real socket."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from live import Live, live_server
from open_speech.testing import install_provider
from open_speech.testing.hub import FakeHub, Fault, Mode
from open_speech_server.api.models.lifecycle import VERBS
from open_speech_server.app import create_api
from open_speech_server.settings.settings import Settings
from reference_pages import _endpoints

HOSTILE = [
    "..",
    "../../canary",
    "tone/../../../canary",
    "tone%2f..%2f..%2f..%2fcanary",
    "%2e%2e%2f%2e%2e%2fcanary",
    "%2e%2e",
    "%252e%252e%252fcanary",
    "x/.",
    "x/",
    "a//b",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "tone/voices-%00",
    "tone/voices-a%0d%0aX-Evil:%201",
    "C:%5Cwindows%5Csystem32",
    "tone%5C..%5C..%5Ccanary",
    "tone%E2%88%95sine",
    "tone/voices-%EF%BC%8E%EF%BC%8E",
    "tone/voices-" + "a" * 10_000,
    "x@../../canary",
    "tone:..",
    "tone:../canary",
    "@",
    ":",
    "~root/canary",
    "-rf",
    "tone/voices-$(touch%20canary2)",
]
"""As they stand on the request line."""


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    (folder / "canary").mkdir()
    (folder / "canary" / "config.json").write_text("{}")
    (folder / "models").mkdir()
    (folder / "models" / "canary").write_text("mine")
    return folder


@pytest.fixture(scope="module")
def live(folder: Path, hub: FakeHub) -> Iterator[Live]:
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(folder / "nobodys"),
        "TTS_MODEL": "tone/sine",
        "STT_MODEL": "tone/echo",
        "OS_ALLOW_ANY_MODEL": "true",
    }
    with live_server(folder, environment) as server:
        yield server


def routes() -> list[tuple[str, str]]:
    """Method and path of every route that takes a model's name in its path."""
    return sorted(
        (method, path)
        for methods, path in _endpoints.routes(create_api(Settings()).routes)
        for method in methods - {"HEAD"}
        if "{model" in path
    )


def raw(live: Live, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
    """Send exactly this; the status and the body of the answer."""
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", live.port), 60) as connection:
        connection.sendall(head.encode("latin-1") + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split(None, 2)[1]), answer.partition(b"\r\n\r\n")[2]


def tree(folder: Path) -> str:
    """A hash of every name and byte below a folder but logs and what Python writes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix != ".log" and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes() if path.is_file() else b"/")
    return digest.hexdigest()


def test_no_name_in_a_path_leads_outside_of_the_store(live, hub, folder):
    assert len(routes()) >= 14
    before = tree(folder)
    for method, path in routes():
        for name in HOSTILE:
            status, body = raw(live, method, path.replace("{model:path}", name))
            assert 400 <= status < 500, (method, path, name, status)
            assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}
    assert tree(folder) == before
    assert hub.exchanges == []


BODIES = [
    ("POST", "/v1/audio/speech", lambda name: {"model": name, "input": "Hello"}),
    ("POST", "/v1/audio/models/load", lambda name: {"model": name}),
    ("POST", "/v1/audio/models/unload", lambda name: {"model": name}),
]
QUERIES = ["/v1/audio/voices", "/api/tts/capabilities"]
DECODED = ["../../canary", "/etc/passwd", "a//b", "x/.", "tone/voices-\0", "tone\\..\\canary",
           "tone/voices-\u2215..", "a" * 10_000, "x@../..", "tone:..", "\ud800"]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
def test_no_name_in_a_body_leads_outside_of_the_store(live, hub, folder, method, path, body):
    before = tree(folder)
    for name in DECODED:
        status, answer = raw(live, method, path, json.dumps(body(name)).encode())
        assert status in (400, 404, 414), (name, status, answer)
    assert tree(folder) == before
    assert hub.exchanges == []


@pytest.mark.parametrize("path", QUERIES)
def test_no_name_in_a_query_leads_outside_of_the_store(live, hub, folder, path):
    before = tree(folder)
    for name in HOSTILE:
        status, answer = raw(live, "GET", f"{path}?model={name}")
        assert status in (400, 404, 414), (name, status, answer)
    assert tree(folder) == before
    assert hub.exchanges == []


def test_every_route_is_reached_by_an_id_with_slashes(live):
    """The figures tell which route answered."""
    with live.client() as client:
        for method, path in routes():
            before = _answered(client, method, path)
            for name in ("no/such-model", "no%2Fsuch-model", "tone:no/such/model@1"):
                client.request(method, path.replace("{model:path}", name))
            assert _answered(client, method, path) == before + 3, (method, path)


def _answered(client: httpx.Client, method: str, path: str) -> float:
    found = re.findall(
        rf'^open_speech_requests_total{{method="{method}",route="{re.escape(path)}",'
        r'status="\d+"} (\S+)$',
        client.get("/metrics").text,
        re.MULTILINE,
    )
    return sum(map(float, found))


def test_the_verbs_are_those_of_the_routes():
    prefix = "/api/models/{model:path}/"
    declared = {path.removeprefix(prefix) for _, path in routes() if path.startswith(prefix)}
    assert declared == VERBS


def test_a_verb_with_the_wrong_method_is_not_part_of_an_id(live):
    with live.client() as client:
        assert client.get("/api/models/tone/sine/load").status_code == 405
        assert client.delete("/api/models/tone/sine/pin").status_code == 405
        assert client.get("/api/models/tone/sine").json()["state"] == "loaded"


@pytest.fixture
def bystander() -> Iterator[socket.socket]:
    """A listener that nobody has any business with."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_name_is_never_an_address(live, hub, bystander):
    port = bystander.getsockname()[1]
    with live.client() as client:
        for name in (
            f"http://127.0.0.1:{port}/x",
            f"127.0.0.1:{port}/x",
            f"[::1]:{port}/x",
            f"user@127.0.0.1:{port}/x",
            "169.254.169.254/latest/meta-data",
            f"hf://127.0.0.1:{port}/x",
            "file:///etc/passwd",
        ):
            answer = client.post("/v1/audio/speech", json={"model": name, "input": "Hello"})
            assert answer.status_code in (400, 404), name
            assert client.post(f"/api/pull/{name}").status_code in (400, 404), name
    assert hub.exchanges == []


def test_the_hub_cannot_send_us_to_a_private_address(live, hub, bystander):
    hub.add("tone/voices-astray", {"model.bin": b"weights"})
    port = bystander.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/x", "file:///etc/passwd"):
        hub.fault("*", Fault(Mode.REDIRECT, url=url))
        with live.client() as client:
            answer = client.post("/api/pull/tone/voices-astray")
        assert answer.status_code == 503, answer.text
        hub.heal()
    hub.forget()
