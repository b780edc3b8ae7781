"""Cloned voices over HTTP: kept, listed, spoken with, deleted; consents; 0.6.1's endpoints."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import openai
import pytest
from openai.types.audio.voice import Voice
from openai.types.audio.voice_consent import VoiceConsent
from openai.types.audio.voice_deleted import VoiceDeleted

from live import Live, live_server
from open_speech.testing import install_provider, sine, wav_bytes
from sound_files import sound_file

SOUND = wav_bytes(sine(1.0, frequency=300.0))
OTHER = wav_bytes(sine(1.0, frequency=500.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("voices")


@pytest.fixture(scope="module")
def live(folder: Path) -> Iterator[Live]:
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
    }
    with live_server(folder, environment) as server:
        yield server


@pytest.fixture
def client(live: Live) -> Iterator[httpx.Client]:
    """A client; what the test has kept is deleted after it."""
    with live.client() as client:
        yield client
        for voice in client.get("/api/voices/library").json():
            assert client.delete(f"/v1/audio/voices/{voice['id']}").status_code == 200
        for consent in client.get("/v1/audio/voice_consents?limit=100").json()["data"]:
            assert client.delete(f"/v1/audio/voice_consents/{consent['id']}").status_code == 200


@pytest.fixture
def sdk(live: Live, client: httpx.Client) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.address}/v1", api_key="unused", max_retries=0) as sdk:
        yield sdk


def keep(client: httpx.Client, name: str = "Ada", data: bytes = SOUND, **fields: str) -> Any:
    form = {"name": name, "consent": "I agree.", **fields}
    return client.post("/v1/audio/voices", data=form, files={"audio_sample": ("a.wav", data)})


def frequency(data: bytes) -> int:
    """Of raw sound at 24 kHz, in Hz."""
    samples = np.frombuffer(data, "<i2").astype(np.float32)
    return round(float(np.argmax(np.abs(np.fft.rfft(samples)))) * 24_000 / len(samples))


def speak(client: httpx.Client, **body: Any) -> httpx.Response:
    asked = {"input": "Hello there", "response_format": "pcm", **body}
    return client.post("/v1/audio/speech", json=asked)


def assert_error(answer: httpx.Response, status: int, code: str | None, said: str = "") -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert said in error["message"]


def test_the_official_client_keeps_a_voice_and_speaks_with_it(sdk, client):
    consent = sdk.audio.voice_consents.create(
        name="Ada agrees", language="en-GB", recording=("a.wav", io.BytesIO(SOUND), "audio/wav")
    )
    voice = sdk.audio.voices.create(
        name="Ada",
        audio_sample=("a.mp3", io.BytesIO(sound_file("mp3")), "audio/mpeg"),
        consent=consent.id,
    )
    assert isinstance(voice, Voice)
    assert (voice.object, voice.type, voice.name) == ("audio.voice", "audio_sample", "Ada")
    assert voice.id.startswith("voice_")
    spoken = sdk.audio.speech.create(
        model="tone/sine", input="Hello", voice={"id": voice.id}, response_format="wav"
    )
    assert spoken.content.startswith(b"RIFF")
    deleted = sdk.audio.voices.delete(voice.id)
    assert isinstance(deleted, VoiceDeleted)
    assert (deleted.id, deleted.deleted) == (voice.id, True)
    assert deleted.object == "audio.voice.deleted"
    with pytest.raises(openai.NotFoundError):
        sdk.audio.voices.delete(voice.id)
    assert [each.id for each in sdk.audio.voice_consents.list()] == [consent.id]


def test_the_official_client_keeps_consents(sdk):
    made = [
        sdk.audio.voice_consents.create(
            name=f"Consent {number}", language="en", recording=("a.wav", io.BytesIO(SOUND))
        )
        for number in range(5)
    ]
    assert all(isinstance(each, VoiceConsent) for each in made)
    assert made[0].object == "audio.voice_consent"
    listed = sdk.audio.voice_consents.list(limit=2)
    assert listed.has_more
    assert {each.id for each in listed} == {each.id for each in made}  # the pages one by one
    assert sdk.audio.voice_consents.retrieve(made[2].id) == made[2]
    assert sdk.audio.voice_consents.update(made[2].id, name="Other").name == "Other"
    deleted = sdk.audio.voice_consents.delete(made[2].id)
    assert deleted.deleted
    with pytest.raises(openai.NotFoundError):
        sdk.audio.voice_consents.retrieve(made[2].id)
    with pytest.raises(openai.BadRequestError):
        sdk.audio.voice_consents.list(after=made[2].id)


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_model_that_clones_speaks_with_the_recording(client, by):
    voice = keep(client, transcript="Hello.").json()
    assert frequency(speak(client, voice=voice[by]).content) == 300
    assert frequency(speak(client, voice="high").content) == 880


def test_a_model_that_does_not_clone_says_so(client):
    keep(client)
    answer = speak(client, voice="Ada", model="tone/plain")
    assert_error(answer, 400, "unsupported_capability", "voice_clone")


def test_an_unknown_voice_is_told_with_near_names(client):
    keep(client, "Lovelace")
    assert_error(speak(client, voice="Lovelac"), 400, "voice_not_found", "'Lovelace'")


def test_a_voice_is_told_with_what_is_known_of_it(client):
    made = keep(client, language="en-GB", text="Hello.")
    assert made.status_code == 200
    voice = made.json()
    for known in (voice["id"], "Ada", "ada"):
        assert client.get(f"/v1/audio/voices/{known}").json() == voice
    assert voice["consent"] == "I agree."
    assert (voice["language"], voice["transcript"], voice["seconds"]) == ("en-GB", "Hello.", 1.0)


def test_cloned_voices_are_listed_with_those_of_models(client):
    voice = keep(client).json()
    listed = client.get("/v1/audio/voices").json()
    assert listed["voices"] == listed["data"]
    entries = {each["id"]: each for each in listed["data"]}
    assert entries.keys() >= {"low", voice["id"]}
    assert entries[voice["id"]] == {**voice, "gender": None, "model": "tone/sine", "cloned": True}
    assert "cloned" not in entries["low"]
    ids = {
        model: {each["id"] for each in client.get(f"/v1/audio/voices?model={model}").json()["data"]}
        for model in ("tone/sine", "tone/plain")
    }
    assert voice["id"] in ids["tone/sine"]
    assert voice["id"] not in ids["tone/plain"]


def test_what_cannot_be_kept_is_refused(client):
    assert_error(keep(client, consent="cons_1234"), 404, "recording_not_found", "cons_1234")
    assert_error(keep(client, consent=""), 400, "invalid_request", "'consent' is required")
    assert_error(keep(client, "default"), 409, "recording_conflict")
    assert_error(keep(client, data=wav_bytes(sine(0.4))), 400, "invalid_audio", "0.40 seconds")
    assert_error(keep(client, data=wav_bytes(sine(61.0))), 413, "audio_too_long", "60 seconds")
    assert_error(keep(client, data=b"nothing"), 400, "invalid_audio")
    assert_error(keep(client, data=bytes((10 << 20) + 1)), 413, "request_too_large")
    assert_error(keep(client, language="no language"), 400, "invalid_request", "language")
    bare = client.post("/v1/audio/voices", data={"name": "Ada", "consent": "yes"})
    assert_error(bare, 400, "invalid_request", "'audio_sample' is required")
    assert client.get("/api/voices/library").json() == []
    keep(client)
    assert_error(keep(client), 409, "recording_conflict", "'Ada'")


def test_a_voice_from_a_description_is_refused(sdk):
    with pytest.raises(openai.BadRequestError, match="instructions") as caught:
        sdk.audio.voices.create(name="Ada", type="prompt", prompt="A deep voice")
    assert caught.value.param == "type"


def test_a_consent_stays_while_a_voice_rests_on_it(client):
    form = {"name": "Ada", "language": "en"}
    url = "/v1/audio/voice_consents"
    consent = client.post(url, data=form, files={"recording": ("a", SOUND)}).json()["id"]
    voice = keep(client, consent=consent).json()["id"]
    assert_error(client.delete(f"{url}/{consent}"), 409, "recording_conflict", voice)


def test_the_library_of_0_6_1(client):
    url = "/api/voices/library"
    made = client.post(url, data={"name": "Ada"}, files={"audio": ("a.wav", SOUND, "audio/wav")})
    assert made.status_code == 201
    entry = made.json()
    assert entry.keys() >= {"name", "content_type", "size_bytes", "created_at"}
    assert entry["content_type"] == "audio/wav"
    assert entry["size_bytes"] == 44 + 2 * 24_000
    assert datetime.fromisoformat(entry["created_at"]).tzinfo
    assert client.get(url).json() == [entry]
    assert client.get(f"{url}/Ada").json() == entry
    again = client.post(url, data={"name": "Ada"}, files={"audio": ("a.wav", OTHER, "audio/wav")})
    assert client.get(url).json() == [again.json()]
    assert frequency(speak(client, voice="Ada").content) == 500
    assert client.delete(f"{url}/Ada").status_code == 204
    assert_error(client.delete(f"{url}/Ada"), 404, "recording_not_found", "Ada")
    assert_error(client.get(f"{url}/Ada"), 404, "recording_not_found", "Ada")


def clone(client: httpx.Client, file: bytes | None = None, **fields: Any) -> httpx.Response:
    files = {"reference_audio": ("a.wav", file)} if file else {"none": ("", b"")}
    form = {"input": "Hello there", "response_format": "pcm", **fields}
    return client.post("/v1/audio/speech/clone", data=form, files=files)


def test_the_clone_route_of_0_6_1(client):
    keep(client, data=OTHER)
    assert frequency(clone(client, SOUND).content) == 300
    assert frequency(clone(client, voice_library_ref="Ada").content) == 500
    fast, slow = (clone(client, SOUND, speed=speed) for speed in (2.0, 0.5))
    assert len(slow.content) == 4 * len(fast.content)
    assert clone(client, SOUND, response_format="mp3").headers["content-type"] == "audio/mpeg"
    assert_error(clone(client), 400, "invalid_request", "Exactly one")
    assert_error(clone(client, SOUND, voice_library_ref="Ada"), 400, "invalid_request")
    assert_error(clone(client, SOUND, model="tone/plain"), 400, "unsupported_capability", "clone")
    assert_error(clone(client, SOUND, input=" "), 400, "invalid_request", "empty")
    assert_error(clone(client, SOUND, speed=9), 400, "invalid_parameter", "speed")
    assert_error(clone(client, SOUND, response_format="x"), 400, "invalid_request")
    assert_error(clone(client, voice_library_ref="Eve"), 400, "voice_not_found", "Eve")
    assert_error(clone(client, b"nothing"), 400, "invalid_audio")


@pytest.mark.parametrize("head", ["", "data:audio/wav;base64,"])
def test_a_recording_may_stand_in_the_json(client, head):
    reference = head + base64.b64encode(SOUND).decode()
    for text in ("reference_text", "clone_transcript"):
        answer = speak(client, reference_audio=reference, **{text: "Hello."})
        assert frequency(answer.content) == 300
    keep(client, data=OTHER)
    both = speak(client, reference_audio=reference, voice="Ada")
    assert_error(both, 400, "invalid_request", "carries another")
    unable = speak(client, reference_audio=reference, model="tone/plain")
    assert_error(unable, 400, "unsupported_capability", "voice_clone")
    url = speak(client, reference_audio="http://127.0.0.1/a.wav")
    assert_error(url, 400, "invalid_request", "does not fetch")
    assert_error(speak(client, reference_audio="nothing!"), 400, "invalid_audio", "base64")


def test_files_are_for_their_owner_alone(client, folder):
    keep(client)
    paths = list((folder / "data" / "voices").rglob("*"))
    assert len([path for path in paths if path.is_file()]) >= 3
    for path in paths:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def command(folder: Path, *arguments: str) -> str:
    """What the command prints, without a server unless the arguments name one."""
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OPEN_")},
        "PYTHONPATH": str(folder / "site"),
        "OS_DATA_DIR": str(folder / "data"),
        "OS_MODEL_DIR": str(folder / "models"),
        "TTS_MODEL": "tone/sine",
    }
    main = "from open_speech_server.cli import main; main()"
    line = [sys.executable, "-c", main, *arguments]
    return subprocess.run(
        line, env=variables, capture_output=True, check=True, text=True, timeout=120
    ).stdout


@pytest.mark.parametrize("with_server", [True, False], ids=["server", "alone"])
def test_the_command_lists_cloned_voices_and_speaks_with_them(
    client, live, folder, tmp_path, with_server
):
    voice = keep(client).json()
    where = ("--url", live.address) if with_server else ()
    listed = json.loads(command(folder, "voices", *where, "--json"))["voices"]
    assert (voice["id"], "tone/sine") in {(each["id"], each["model"]) for each in listed}
    assert "Ada" in command(folder, "voices", *where)
    path = tmp_path / "a.pcm"
    command(folder, "say", "Hello there", "--voice", "Ada", "-o", str(path), *where)
    assert frequency(path.read_bytes()) == 300


def test_nothing_of_a_voice_is_logged(client, live):
    keep(client, "Canaryname", transcript="canary transcript", consent="canary consent")
    speak(client, voice="Canaryname", input="canary text")
    log = live.log.read_text()
    assert "/v1/audio/voices" in log
    assert "canary" not in log.casefold()


HOSTILE = [
    "..", "../../canary", "%2e%2e%2fcanary", "%2e%2e", "x/.", "a//b", "/etc/passwd",
    "%2fetc%2fpasswd", "voice_%00", "a%0d%0aX-Evil:%201", "C:%5Cwindows", "%5C..%5Ccanary",
    "%E2%88%95", "%EF%BC%8E%EF%BC%8E", "a" * 10_000, "*", "voice_*", "%2a", "voice_" + "0" * 24,
    "%ed%a0%80", "%ff", "~root",
]  # fmt: skip
PATHS = ["/v1/audio/voices/", "/v1/audio/voice_consents/", "/api/voices/library/"]


def raw(live: Live, method: str, target: str) -> tuple[int, bytes]:
    """Send exactly this; the status and the body of the answer."""
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", live.port), 60) as connection:
        connection.sendall(head.encode("latin-1"))
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


@pytest.mark.parametrize("path", PATHS)
def test_no_id_in_a_path_leads_out_of_the_library(live, client, folder, path):
    keep(client)
    (folder / "canary.json").write_text("{}")
    (folder / "canary.wav").write_bytes(b"mine")
    before = tree(folder)
    for name in HOSTILE:
        for method in ("GET", "DELETE"):
            status, body = raw(live, method, path + name)
            assert 400 <= status < 500, (method, name, status)
            assert json.loads(body)["error"]["message"]
    assert tree(folder) == before


NAMES = ["..", ".", "../../canary", "/etc/passwd", "a\\b", "C:\\x", "a\0b", "a\r\nX-Evil: 1",
         "\x1b[31m", "\u202egnp", "a\u2028b", "a" * 65, "a" * 10_000, " ",
         "voice_" + "0" * 24]  # fmt: skip


def test_no_name_leads_out_of_the_library(live, client, folder):
    voice, before = keep(client).json(), tree(folder)
    for name in NAMES:
        for path, field in [("/v1/audio/voices", "audio_sample"), ("/api/voices/library", "audio")]:
            form = {"name": name, "consent": "yes"}
            answer = client.post(path, data=form, files={field: ("a.wav", SOUND)})
            assert answer.status_code == 400, (name, answer.text)
            assert answer.json()["error"]["param"] == "name"
        assert speak(client, voice=name).status_code in {200, 400}, name  # " " is the default
        assert clone(client, voice_library_ref=name).status_code in {200, 400}, name
    assert tree(folder) == before
    assert "\x1b" not in live.log.read_text()
    assert client.get(f"/v1/audio/voices/{quote(voice['name'])}").json() == voice
