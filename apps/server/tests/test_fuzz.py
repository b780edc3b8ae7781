"""What strangers send to the server's parsers: heads, forms, JSON, WebSocket frames, Wyoming.

Whatever comes, it gets an answer that is no failure of the server, and the log has no traceback.
``OPEN_SPEECH_FUZZ_EXAMPLES`` sets how many of each kind; ``deep`` runs many.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from live import Live, live_server
from open_speech.testing import install_provider
from ports import free_port
from sound_files import sound_file

FEW, MANY = int(os.environ.get("OPEN_SPEECH_FUZZ_EXAMPLES", "60")), 3_000
COUNTS = [FEW, pytest.param(MANY, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
MOST_S = 20
SOUND = sound_file("wav", 0.2)
FAILED = {500, 502}
"""Statuses that say that the server or an engine failed; nothing here may lead to one."""


@pytest.fixture(scope="module")
def wyoming() -> int:
    return free_port()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, wyoming: int) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("fuzz")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
        "TURN_MODEL": "tone/loudness",
        "OS_MODEL_ALIASES": "kokoro=tone/sine",
        "OS_STREAM_MAX_CONNECTIONS": "100",
        "OS_WYOMING_PORT": str(wyoming),
    }
    with live_server(folder, environment) as running:
        yield running
        assert "Traceback" not in running.log.read_text()


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.address, timeout=MOST_S) as found:
        yield found


def examples(count: int) -> Callable[[Any], Any]:
    """Run a test that often."""
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


def mutated(good: bytes) -> st.SearchStrategy[bytes]:
    """A good message with a few places changed, cut out or doubled."""
    places = st.integers(0, len(good))
    piece = st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b"\r\n", b"\r\n\r\n", b"\0", b"--", b'"', b"%00", b": ", b"\xff" * 4]),
        st.sampled_from([good[:40], good[-40:], b"9" * 30]),
    )
    edits = st.lists(st.tuples(places, st.integers(0, 20), piece), min_size=1, max_size=5)

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        data = bytearray(good)
        for place, length, new in edits:
            data[place : place + length] = new
        return bytes(data)

    return edits.map(apply)


NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False, width=32)
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), NUMBERS, st.text(max_size=20),
        st.sampled_from(["", "wav", "mp3", "-1", "default", "tone/sine", "\ud800", "a" * 5_000]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)  # fmt: skip
SPEECH = {
    "input": "Hello", "model": "tone/sine", "voice": "low", "response_format": "wav", "speed": 1.0,
    "stream": True, "stream_format": "sse", "sample_rate": 16_000, "language": "en", "seed": 1,
    "instructions": "a", "volume_multiplier": 1.0, "timestamps": True, "ssml": True,
    "allow_voice_tags": True, "normalization_options": {"normalize": True}, "keep_alive": "5m",
    "reference_audio": "QQ==", "voice_aliases": {"a": "low"},
    "turns": [{"voice": "a", "text": "b"}],
    "messages": [{"role": "user", "content": "a"}], "text": "a", "phonemes": "a",
}  # fmt: skip
BODIES = st.one_of(
    VALUES,
    st.dictionaries(st.sampled_from(sorted(SPEECH)), VALUES, max_size=5),
    st.dictionaries(st.sampled_from(sorted(SPEECH)), VALUES, max_size=2).map(
        lambda odd: {"input": "Hello", **odd}
    ),
)
JSON_ROUTES = (
    "/v1/audio/speech", "/dev/captioned_speech", "/v1/audio/transcriptions",
    "/speaches/v1/audio/speech", "/speaches/v1/chat/completions", "/kokoro/v1/audio/speech",
    "/kokoro/dev/dialogue", "/kokoro/dev/ssml", "/kokoro/dev/generate_from_phonemes",
    "/kokoro/v1/audio/voices/combine", "/api/models/tone/sine/load", "/api/models/tone/sine/pin",
    "/v1/realtime/client_secrets",
)  # fmt: skip


@pytest.mark.parametrize("count", COUNTS)
def test_json_of_any_kind(live, client, count):
    @examples(count)
    @given(route=st.sampled_from(JSON_ROUTES), body=BODIES)
    def send(route: str, body: object) -> None:
        answer = client.post(route, content=json.dumps(body), headers={"content-type": "text/json"})
        assert answer.status_code not in FAILED, (route, body, answer.text)

    send()


@pytest.mark.parametrize("count", COUNTS)
def test_forms_of_any_kind(live, client, count):
    request = httpx.Request("POST", "http://x", files={"file": ("a.wav", SOUND)}, data={"a": "b"})
    kind = request.headers["content-type"]
    routes = st.sampled_from(
        ["/v1/audio/transcriptions", "/v1/audio/translations", "/v1/audio/voices",
         "/speaches/v1/audio/transcriptions", "/speaches/v1/audio/speech/timestamps"]
    )  # fmt: skip

    @examples(count)
    @given(route=routes, body=mutated(request.read()), kind=st.sampled_from([kind, kind[:-4], "x"]))
    def send(route: str, body: bytes, kind: str) -> None:
        answer = client.post(route, content=body, headers={"content-type": kind})
        assert answer.status_code not in FAILED, (route, body, answer.text)

    send()


HEAD = (
    b"POST /v1/audio/speech?stream=true HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
    b"application/json\r\nContent-Length: 17\r\nAuthorization: Bearer x\r\n"
    b'Connection: close\r\n\r\n{"input":"Hello"}'
)


@pytest.mark.parametrize("count", COUNTS)
def test_heads_of_any_kind(live, count):
    @examples(count)
    @given(data=st.one_of(mutated(HEAD), st.binary(max_size=200)))
    def send(data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", live.port), timeout=MOST_S) as sock:
            answer = exchange(sock, data)
        if answer:
            assert answer.startswith(b"HTTP/1."), answer[:200]
            assert int(answer[9:12]) not in FAILED, (data, answer[:500])

    send()


def exchange(sock: socket.socket, data: bytes) -> bytes:
    """Send everything, say that this was all, and read what comes."""
    answer = b""
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while part := sock.recv(65_536):
            answer += part
    except ConnectionError:  # it may hang up on what it has heard enough of
        pass
    return answer


EVENTS = (
    "session.update", "transcription_session.update", "input_audio_buffer.append",
    "input_audio_buffer.commit", "input_audio_buffer.clear", "conversation.item.create",
    "conversation.item.delete", "conversation.item.retrieve", "conversation.item.truncate",
    "response.create", "response.cancel", "output_audio_buffer.clear", "stop", "config", "text",
    "flush", "input", "end",
)  # fmt: skip
FIELDS = (
    "audio", "session", "item", "item_id", "response", "text", "previous_item_id", "content_index",
    "audio_end_ms", "voice", "model", "language", "speed", "response_format",
)  # fmt: skip
EVENT = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(EVENTS)},
        optional=dict.fromkeys(FIELDS, VALUES),
    ),
    VALUES,
)
FRAME = st.one_of(
    st.binary(max_size=400),
    EVENT.map(json.dumps),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
SOCKETS = (
    "/v1/realtime?model=gpt-realtime", "/v1/realtime?intent=transcription", "/v1/audio/stream",
    "/v1/audio/speech/stream", "/speaches/v1/realtime?model=x", "/v1/audio/stream?sample_rate=8000",
)  # fmt: skip


@pytest.mark.parametrize("count", COUNTS)
def test_frames_of_any_kind(live, count):
    address = live.address.replace("http", "ws")

    @examples(count)
    @given(path=st.sampled_from(SOCKETS), frames=st.lists(FRAME, max_size=8))
    def send(path: str, frames: list[str | bytes]) -> None:
        end: int | None = None
        try:
            with connect(address + path, proxy=None, open_timeout=MOST_S) as connection:
                for frame in frames:
                    connection.send(frame.encode() if isinstance(frame, str) else frame,
                                    text=isinstance(frame, str))  # fmt: skip
                connection.ping().wait(MOST_S)
        except InvalidStatus as error:
            end = error.response.status_code
        except ConnectionClosed as error:
            end = error.rcvd.code if error.rcvd else None
        assert end not in {*FAILED, 1011}, (path, frames)

    send()


TYPES = (
    "describe", "transcribe", "audio-start", "audio-chunk", "audio-stop", "synthesize",
    "synthesize-start", "synthesize-chunk", "synthesize-stop", "ping", "detect",
)  # fmt: skip
LINE = st.one_of(
    st.builds(
        lambda kind, data: json.dumps({"type": kind, "data": data}).encode() + b"\n",
        st.sampled_from(TYPES),
        st.dictionaries(
            st.sampled_from(["text", "rate", "width", "channels", "language", "voice", "name"]),
            VALUES,
            max_size=4,
        ),
    ),
    st.builds(
        lambda length: b'{"type":"audio-chunk","payload_length":%d}\n' % length + b"\0" * 64,
        st.integers(-5, 2**40),
    ),
    st.binary(max_size=100),
)


@pytest.mark.parametrize("count", COUNTS)
def test_wyoming_of_any_kind(live, wyoming, count):
    @examples(count)
    @given(lines=st.lists(LINE, max_size=6))
    def send(lines: list[bytes]) -> None:
        with socket.create_connection(("127.0.0.1", wyoming), timeout=MOST_S) as sock:
            exchange(sock, b"".join(lines))
        with socket.create_connection(("127.0.0.1", wyoming), timeout=MOST_S) as sock:
            assert b'"pong"' in exchange(sock, b'{"type":"ping"}\n')

    send()
