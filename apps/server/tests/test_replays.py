"""Requests of well-known clients, byte for byte as they send them, without the clients."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from live import Live, live_server
from open_speech.codecs.decode import decode
from open_speech.testing import install_provider, sine, wav_bytes
from sound_files import sound_file

KEY = "a-key-for-tests"
WAV = wav_bytes(sine(1.0, sample_rate=24_000))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("replays")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "OS_API_KEY": KEY,
        "OS_PUBLIC_METADATA": "true",
    }
    with live_server(folder, environment) as server:
        yield server


@pytest.fixture
def replay(live: Live) -> Callable[[str], httpx.Response]:
    """Send a request as it stands, with line ends, length and marked sound put in."""

    def replaying(text: str, **sound: bytes) -> httpx.Response:
        head, _, body = text.strip().replace("\n", "\r\n").partition("\r\n\r\n")
        data = body.encode()
        for name, content in sound.items():
            data = data.replace(b"<" + name.encode() + b">", content)
        data += b"\r\n" if sound else b""
        head = head.replace("{host}", f"127.0.0.1:{live.port}").replace("{key}", KEY)
        sent = f"{head}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data
        return _answer(live.port, sent)

    return replaying


def _answer(port: int, sent: bytes) -> httpx.Response:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(sent.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    if headers.pop("transfer-encoding", "") == "chunked":
        body = _unchunked(body)
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while (size := int(body.split(b"\r\n", 1)[0], 16)) > 0:
        start = body.index(b"\r\n") + 2
        whole, body = whole + body[start : start + size], body[start + size + 2 :]
    return whole


# aiohttp: the file comes last, named by a UUID; the answer is read as verbose_json.
OPEN_WEBUI = """
POST /v1/audio/transcriptions HTTP/1.1
Host: {host}
Authorization: Bearer {key}
X-OpenWebUI-User-Name: Anna%20M%C3%BCller
X-OpenWebUI-User-Id: 6f1f0f0e-5d0a-4c56-a9a9-6a4b9d7f0d11
X-OpenWebUI-User-Email: anna@example.org
X-OpenWebUI-User-Role: user
Accept: */*
Accept-Encoding: gzip, deflate, br
User-Agent: Python/3.11 aiohttp/3.13
Content-Type: multipart/form-data; boundary=5e2c1f0b7a6d4e3f9c8b7a6d5e4f3a2b

--5e2c1f0b7a6d4e3f9c8b7a6d5e4f3a2b
Content-Type: text/plain; charset=utf-8
Content-Disposition: form-data; name="model"

whisper-1
--5e2c1f0b7a6d4e3f9c8b7a6d5e4f3a2b
Content-Type: text/plain; charset=utf-8
Content-Disposition: form-data; name="response_format"

verbose_json
--5e2c1f0b7a6d4e3f9c8b7a6d5e4f3a2b
Content-Type: text/plain; charset=utf-8
Content-Disposition: form-data; name="timestamp_granularities[]"

segment
--5e2c1f0b7a6d4e3f9c8b7a6d5e4f3a2b
Content-Type: text/plain; charset=utf-8
Content-Disposition: form-data; name="language"

en
--5e2c1f0b7a6d4e3f9c8b7a6d5e4f3a2b
Content-Type: audio/webm
Content-Disposition: form-data; name="file"; filename="3f8e1c52-9d61-4a43-8a0a-0c6c2bb1c0d7.webm"

<sound>
--5e2c1f0b7a6d4e3f9c8b7a6d5e4f3a2b--
"""

# axios with form-data: the file comes first, and the type has a parameter.
LIBRECHAT = """
POST /v1/audio/transcriptions HTTP/1.1
Accept: application/json, text/plain, */*
Content-Type: multipart/form-data; boundary=--------------------------515890814546601021194782
Authorization: Bearer {key}
User-Agent: axios/1.12.2
Accept-Encoding: gzip, compress, deflate, br
Host: {host}

----------------------------515890814546601021194782
Content-Disposition: form-data; name="file"; filename="audio.webm"
Content-Type: audio/webm;codecs=opus

<sound>
----------------------------515890814546601021194782
Content-Disposition: form-data; name="model"

whisper-1
----------------------------515890814546601021194782
Content-Disposition: form-data; name="vad_filter"

true
----------------------------515890814546601021194782--
"""


def test_open_webui_transcribes(replay):
    answer = replay(OPEN_WEBUI, sound=sound_file("webm"))
    assert answer.status_code == 200, answer.text
    heard: dict[str, Any] = answer.json()
    assert heard["text"]
    assert {"start", "end", "text"} <= heard["segments"][0].keys()


def test_open_webui_reads_why_it_failed(replay):
    answer = replay(OPEN_WEBUI, sound=b"no sound")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["webm", "m4a", "mp3", "wav", "ogg"])
def test_librechat_transcribes_whatever_the_name_says(replay, kind):
    answer = replay(LIBRECHAT, sound=sound_file(kind))
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"]


def test_open_webui_speaks(replay):
    body = {"input": "Hello there", "voice": "alloy", "model": "tts-1", "speed": 1}
    answer = replay(
        "POST /v1/audio/speech HTTP/1.1\nHost: {host}\nAuthorization: Bearer {key}\n"
        f"Content-Type: application/json\nAccept: */*\n\n{json.dumps(body)}"
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")


def test_librechat_speaks(replay):
    body = {"input": "Hello there", "model": "tts-1", "voice": "alloy", "backend": "openai"}
    answer = replay(
        "POST /v1/audio/speech HTTP/1.1\nAccept: application/json, text/plain, */*\n"
        "Content-Type: application/json\nAuthorization: Bearer {key}\nHost: {host}\n"
        f"User-Agent: axios/1.12.2\n\n{json.dumps(body)}"
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")


def test_anythingllm_speaks_with_the_official_client(replay):
    """Its Node client: no format, so mp3; the answer's bytes are passed on."""
    body = {"model": "tts-1-hd", "voice": "shimmer", "input": "Hello there"}
    answer = replay(
        "POST /v1/audio/speech HTTP/1.1\nHost: {host}\nAccept: application/octet-stream\n"
        "Content-Type: application/json\nUser-Agent: OpenAI/JS 4.95.1\nX-Stainless-Lang: js\n"
        "X-Stainless-Package-Version: 4.95.1\nX-Stainless-OS: Linux\nX-Stainless-Arch: x64\n"
        "X-Stainless-Runtime: node\nX-Stainless-Retry-Count: 0\nAuthorization: Bearer {key}\n"
        f"Accept-Encoding: gzip,deflate\n\n{json.dumps(body, separators=(',', ':'))}"
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert decode(answer.content, sample_rate=24_000).seconds == pytest.approx(0.55, abs=0.15)


def test_anythingllm_reads_the_voices(replay):
    """Its Kokoro mode takes plain names or objects with an id and a name."""
    answer = replay(
        "GET /v1/audio/voices HTTP/1.1\nHost: {host}\nAuthorization: Bearer {key}\n"
        "Accept: */*\nUser-Agent: node\n\n"
    )
    voices = answer.json()["voices"]
    assert all(isinstance(voice["id"], str) and isinstance(voice["name"], str) for voice in voices)


@pytest.mark.parametrize("key", ["{key}", ""], ids=["with a key", "with an empty one"])
def test_sillytavern_speaks(replay, key):
    """Its own server sends it; without a key the header is ``Bearer `` and nothing."""
    body = {
        "input": "Hello there",
        "response_format": "mp3",
        "voice": "nova",
        "speed": 1,
        "model": "tts-1",
    }
    answer = replay(
        "POST /v1/audio/speech HTTP/1.1\nHost: {host}\nContent-Type: application/json\n"
        f"Authorization: Bearer {key}\nAccept: */*\nUser-Agent: node-fetch\n"
        f"Accept-Encoding: gzip, deflate, br\n\n{json.dumps(body)}"
    )
    if key:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    else:
        assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/v1/models", "/v1/audio/models", "/v1/audio/voices"])
def test_open_webui_asks_for_voices_and_models_without_a_key(replay, path):
    answer = replay(f"GET {path} HTTP/1.1\nHost: {{host}}\nAccept: */*\n\n")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "authorization", ["", "Authorization: Bearer \n", "Authorization: Basic x\n"]
)
def test_without_the_key_there_is_no_transcription(replay, authorization):
    asked = OPEN_WEBUI.replace("Authorization: Bearer {key}\n", authorization)
    answer = replay(asked, sound=sound_file("webm"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


# LiveKit sends 24 kHz mono as file.wav, after the fields; AnythingLLM a temperature of 0.
@pytest.mark.parametrize(
    "fields",
    [
        {"model": "gpt-4o-mini-transcribe", "language": "en", "response_format": "json"},
        {"model": "whisper-1", "language": "en", "response_format": "verbose_json"},
        {"model": "whisper-1", "temperature": "0"},
        {"model": "gpt-4o-transcribe", "prompt": "x", "response_format": "json",
         "include[]": "logprobs"},
    ],
    ids=["livekit", "livekit-verbose", "anythingllm", "pipecat"],
)  # fmt: skip
def test_fields_of_other_clients(live, fields):
    with live.client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        answer = client.post(
            "/v1/audio/transcriptions", data=fields, files={"file": ("file.wav", WAV, "audio/wav")}
        )
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"]
