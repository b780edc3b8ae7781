"""Live transcription over ``WS /v1/audio/stream``, as clients of open-speech 0.6.1 use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from live import Live, live_server
from open_speech.testing import install_provider, join, silence, sine

SPOKEN = join(silence(0.3), sine(1.0), silence(0.8), sine(0.5, amplitude=0.25), silence(0.8))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
        "OS_STREAM_CHUNK_MS": "200",
    }
    with live_server(folder, environment) as server:
        yield server


@contextmanager
def connected(live: Live, query: str = "", **options: Any) -> Iterator[ClientConnection]:
    address = live.address.replace("http", "ws") + f"/v1/audio/stream{query}"
    with connect(address, proxy=None, max_size=None, **options) as connection:
        yield connection


def pcm(samples: np.ndarray) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


def send(connection: ClientConnection, data: bytes, size: int = 3200) -> None:
    for first in range(0, len(data), size):
        connection.send(data[first : first + size])


def rest(connection: ClientConnection) -> list[dict[str, Any]]:
    found = []
    try:
        while True:
            found.append(json.loads(connection.recv(timeout=30)))
    except ConnectionClosed:
        return found


def test_what_is_said_comes_back_while_it_is_said(live):
    with connected(live) as connection:
        send(connection, pcm(SPOKEN.samples))
        connection.send('{"type":"stop"}')
        events = rest(connection)
    begin, *middle, end = events
    assert begin["type"] == "session.begin"
    assert begin["model"] == "tone/echo"
    assert begin["sample_rate"] == begin["internal_sample_rate"] == 16_000
    assert begin["vad_enabled"] is True
    assert end["type"] == "session.end"
    assert end["reason"] == "client_stop"
    assert end["errors"] == 0
    states = [event["state"] for event in middle if event["type"] == "vad"]
    assert states == ["speech_start", "speech_end"] * 2
    spoken = [event for event in middle if event.get("speech_final")]
    assert len(spoken) == 2
    assert all(event["is_final"] for event in spoken)
    assert spoken[0]["text"].startswith("16000 samples peaking at 0.50")
    assert "0.25" in spoken[1]["text"]
    assert spoken[0]["start"] == pytest.approx(0.0, abs=0.05)
    assert connection.close_code == 1000


def test_text_is_the_utterance_so_far(live):
    with connected(live) as connection:
        send(connection, pcm(SPOKEN.samples))
        connection.send('{"type":"stop"}')
        texts = [event for event in rest(connection) if event["type"] == "transcript"]
    stable = ""
    for event in texts:
        if event["is_final"] and not event["speech_final"]:
            assert event["text"].startswith(stable)
            stable = event["text"]
        elif event["speech_final"]:
            assert event["text"].startswith(stable)
            stable = ""


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_any_rate_is_taken(live, rate):
    sound = join(sine(1.0, sample_rate=rate), silence(0.8, sample_rate=rate))
    with connected(live, f"?sample_rate={rate}&interim_results=false&vad=true") as connection:
        send(connection, pcm(sound.samples))
        connection.send('{"type":"stop"}')
        events = rest(connection)
    (text,) = (event for event in events if event.get("speech_final"))
    assert text["text"].startswith("16000 samples")
    assert not [event for event in events if event.get("is_final") is False]


def test_without_voice_activity_everything_is_one_utterance(live):
    with connected(live, "?vad=false") as connection:
        send(connection, pcm(join(sine(1.0), silence(1.0)).samples))
        connection.send('{"type":"stop"}')
        events = rest(connection)
    assert not [event for event in events if event["type"] == "vad"]
    (text,) = (event for event in events if event.get("speech_final"))
    assert text["text"] == "16000 samples peaking at 0.50 16000 samples peaking at 0.00"


def test_words_have_times_where_they_are_asked_for(live):
    with connected(live, "?words=true&language=English") as connection:
        send(connection, pcm(SPOKEN.samples))
        connection.send('{"type":"stop"}')
        first = next(event for event in rest(connection) if event.get("speech_final"))
    assert first["words"][0]["word"] == "16000"
    assert first["language"] == "en"


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x02\x03", b"\xff" * 3201])
def test_odd_bytes_are_no_error(live, data):
    with connected(live, "?vad=false") as connection:
        connection.send(data)
        connection.send('{"type":"stop"}')
        events = rest(connection)
    assert events[-1]["type"] == "session.end"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "stop", '{"type": 5}', '{"type":"config"}', "[" * 10_000]
)
def test_text_that_means_nothing_is_passed_over(live, text):
    with connected(live) as connection:
        connection.send(text)
        send(connection, pcm(SPOKEN.samples))
        connection.send('{"type":"stop"}')
        events = rest(connection)
    assert sum(bool(event.get("speech_final")) for event in events) == 2


@pytest.mark.parametrize(
    "query",
    [
        "?sample_rate=7999",
        "?sample_rate=192001",
        "?sample_rate=x",
        "?sample_rate=-1",
        "?endpointing=x",
        "?endpointing=-5",
    ],
)
def test_options_that_cannot_be_are_refused(live, query):
    with connected(live, query) as connection:
        (event,) = rest(connection)
    assert event["type"] == "error"
    assert query[1:].partition("=")[0] in event["message"]
    assert connection.close_code == 1008


@pytest.mark.parametrize("model", ["nobody/knows", "tone/sine", "../../etc/passwd"])
def test_a_model_that_cannot_be_used_is_told(live, model):
    with connected(live, f"?model={model}") as connection:
        events = rest(connection)
    assert [event["type"] for event in events] == ["error", "session.end"]
    assert events[-1]["reason"] == "error"
    assert connection.close_code == 1011


def test_a_message_that_is_too_large_ends_the_session(live):
    with connected(live, "?vad=false") as connection:
        connection.send(b"\0" * (1024 * 1024 + 2))
        rest(connection)
    assert connection.close_code == 1009


def test_a_plain_get_is_told_to_upgrade(live):
    with live.client() as client:
        answer = client.get("/v1/audio/stream")
    assert answer.status_code == 426
    assert answer.json()["error"]["code"] == "websocket_upgrade_required"
    assert answer.headers["upgrade"] == "websocket"


def test_there_are_only_so_many_sessions(tmp_path):
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "OS_STREAM_MAX_CONNECTIONS": "2",
        "OS_STREAM_IDLE_S": "1",
        "OS_API_KEY": "s3cret",
    }
    with live_server(tmp_path, environment) as server:
        with pytest.raises(InvalidStatus) as refused, connected(server):
            pass
        assert refused.value.response.status_code == 401
        key = "?api_key=s3cret"
        with connected(server, key) as one, connected(server, key) as two:
            assert json.loads(one.recv(30))["type"] == "session.begin"
            assert json.loads(two.recv(30))["type"] == "session.begin"
            with connected(server, key) as three:
                (event,) = rest(three)
            assert "2 live sessions" in event["message"]
            assert three.close_code == 1013
            # Nothing is said in them, so that they end by themselves.
            assert rest(one)[-1]["reason"] == "idle"
            assert rest(two)[-1]["reason"] == "idle"
        with connected(server, key) as four:
            assert json.loads(four.recv(30))["type"] == "session.begin"
        assert "s3cret" not in server.log.read_text()


def test_a_server_that_stops_finishes_what_was_said(tmp_path):
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
    }
    with live_server(tmp_path, environment) as server, connected(server) as connection:
        send(connection, pcm(join(sine(1.0)).samples))
        assert json.loads(connection.recv(30))["type"] == "session.begin"
        assert json.loads(connection.recv(30)) == {"type": "vad", "state": "speech_start"}
        server.process.terminate()
        events = rest(connection)
        assert [event["text"] for event in events if event.get("speech_final")]
        assert events[-1]["reason"] == "server_stop"
        assert connection.close_code == 1001
        assert server.process.wait(30) == 0


def test_pages_of_other_origins_may_not_listen(tmp_path):
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "OS_CORS_ORIGINS": "https://my.example",
    }
    with live_server(tmp_path, environment) as server:
        with (
            pytest.raises(InvalidStatus) as refused,
            connected(server, origin="https://evil.example"),
        ):
            pass
        assert refused.value.response.status_code == 403
        with connected(server, origin="https://my.example") as connection:
            assert json.loads(connection.recv(30))["type"] == "session.begin"
