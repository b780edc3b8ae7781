"""Speech from text that is still being written, over ``WS /v1/audio/speech/stream``."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import av
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from live import Live, live_server
from open_speech.testing import install_provider
from open_speech.testing.tone import spoken_seconds

FIRST, SECOND = "Good morning.", "How are you today?"
TEXT = f"{FIRST} {SECOND}"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("spoken")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    install_provider(folder / "site", "faulty", "open_speech.testing.faulty")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "OS_MAX_TEXT_CHARS": "1000",
    }
    with live_server(folder, environment) as server:
        yield server


@contextmanager
def connected(live: Live) -> Iterator[ClientConnection]:
    address = live.address.replace("http", "ws") + "/v1/audio/speech/stream"
    with connect(address, proxy=None, max_size=None) as connection:
        yield connection


def send(connection: ClientConnection, kind: str, **fields: Any) -> None:
    connection.send(json.dumps({"type": kind, **fields}))


def take(connection: ClientConnection) -> dict[str, Any] | bytes:
    message = connection.recv(timeout=30)
    return message if isinstance(message, bytes) else json.loads(message)


def until_done(connection: ClientConnection) -> list[dict[str, Any] | bytes]:
    found = [take(connection)]
    while not isinstance(found[-1], dict) or found[-1]["type"] != "session.done":
        found.append(take(connection))
    return found


def seconds(data: bytes) -> float:
    with av.open(BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
    return sum(frame.samples for frame in frames) / frames[0].sample_rate


def test_each_sentence_is_a_file(live):
    with connected(live) as connection:
        send(connection, "session.config", voice="alloy", response_format="wav")
        for letter in TEXT:
            send(connection, "input.text", text=letter)
        send(connection, "input.done")
        found = until_done(connection)
    kinds = [each if isinstance(each, bytes) else each["type"] for each in found]
    assert [kind if isinstance(kind, str) else "sound" for kind in kinds] == [
        "audio.start", "sound", "audio.done", "audio.start", "sound", "audio.done", "session.done",
    ]  # fmt: skip
    start, sound, done = found[:3]
    assert start == {
        "type": "audio.start",
        "utterance_index": 0,
        "sentence_index": 0,
        "sentence_text": FIRST,
        "format": "wav",
    }
    assert done["total_bytes"] == len(sound)
    assert done["error"] is False
    assert seconds(sound) == pytest.approx(spoken_seconds(FIRST), abs=0.2)
    assert found[3]["sentence_text"] == SECOND
    assert found[-1]["total_sentences"] == 2


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "flac", "aac", "pcm"])
def test_every_format(live, name):
    with connected(live) as connection:
        send(connection, "session.config", response_format=name)
        send(connection, "input.text", text=SECOND)
        send(connection, "input.done")
        sound = b"".join(each for each in until_done(connection) if isinstance(each, bytes))
    length = len(sound) / 2 / 24_000 if name == "pcm" else seconds(sound)
    assert length == pytest.approx(spoken_seconds(SECOND), abs=0.2)


def test_the_first_sentence_sounds_before_the_text_ends(live):
    with connected(live) as connection:
        send(connection, "session.config", response_format="pcm", stream_audio=True)
        send(connection, "input.text", text=f"{FIRST} And then after a while")
        assert take(connection)["type"] == "audio.start"
        assert isinstance(take(connection), bytes)
        send(connection, "input.text", text=" it ends.")
        send(connection, "input.done")
        assert until_done(connection)[-1]["total_sentences"] == 2


def test_a_flush_speaks_what_there_is(live):
    with connected(live) as connection:
        send(connection, "session.config", response_format="pcm", stream_audio=True)
        send(connection, "input.text", text="Wait a")
        send(connection, "input.flush")
        assert take(connection)["sentence_text"] == "Wait a"
        assert isinstance(take(connection), bytes)
        send(connection, "input.done")
        assert until_done(connection)[-1]["total_sentences"] == 1


def test_a_connection_speaks_many_texts(live):
    with connected(live) as connection:
        for index in range(3):
            send(connection, "input.text", text=FIRST)
            send(connection, "input.done")
            assert until_done(connection)[-1] == {
                "type": "session.done",
                "utterance_index": index,
                "total_sentences": 1,
            }
        send(connection, "input.done")  # of nothing
        assert until_done(connection)[-1]["total_sentences"] == 0
        send(connection, "session.close")
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=30)
        assert connection.close_code == 1000


def test_words_have_times(live):
    with connected(live) as connection:
        send(connection, "session.config", response_format="pcm", stream_audio=True,
             timestamps=True)  # fmt: skip
        send(connection, "input.text", text=TEXT)
        send(connection, "input.done")
        deltas = [each for each in until_done(connection) if each["type"] == "audio.delta"]
    words = [word for delta in deltas for word in delta["timestamps"]]
    assert [word["word"] for word in words] == ["Good", "morning", "How", "are", "you", "today"]
    assert [TEXT[word["text_start"] : word["text_end"]] for word in words][2] == "How"
    times = [word["start_time"] for word in words]
    assert times == sorted(times)
    sound = b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
    assert len(sound) / 48_000 == pytest.approx(spoken_seconds(TEXT), abs=0.3)


def test_it_can_be_cancelled_and_goes_on(live):
    with connected(live) as connection:
        send(connection, "session.config", response_format="pcm", stream_audio=True)
        send(connection, "input.text", text="And so on. " * 50)
        assert take(connection)["type"] == "audio.start"
        send(connection, "input.cancel")
        done = until_done(connection)[-1]
        assert done["cancelled"] is True
        send(connection, "input.text", text=FIRST)
        send(connection, "input.done")
        assert until_done(connection)[-1]["total_sentences"] == 1


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not known"),
        ('{"type": "x"}', "not known"),
        ('{"type": "input.text"}', "'text'"),
        ('{"type": "session.config", "speed": 9}', "speed"),
        ('{"type": "session.config", "response_format": "midi"}', "midi"),
        ('{"type": "session.config", "stream_audio": true}', "pcm"),
        (b"\0\0", "JSON text"),
        (json.dumps({"type": "input.text", "text": "x" * 1001}), "1000 characters"),
    ],
)
def test_what_is_wrong_is_told_and_the_session_goes_on(live, message, said):
    with connected(live) as connection:
        connection.send(message)
        error = take(connection)
        assert error["type"] == "error"
        assert said in error["message"]
        send(connection, "input.text", text=FIRST)
        send(connection, "input.done")
        assert until_done(connection)[-1]["type"] == "session.done"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model": "nobody/knows"}, "nobody/knows"),
        ({"voice": "nobody"}, "nobody"),
        ({"model": "faulty/raise", "voice": "any"}, "faulty/raise"),
    ],
)
def test_a_text_that_cannot_be_spoken_does_not_end_the_session(live, config, said):
    with connected(live) as connection:
        send(connection, "session.config", **config)
        send(connection, "input.text", text=FIRST)
        send(connection, "input.done")
        found = until_done(connection)
        (error,) = (each for each in found if isinstance(each, dict) and each["type"] == "error")
        assert said in error["message"]
        send(connection, "session.config")
        send(connection, "input.text", text=FIRST)
        send(connection, "input.done")
        assert until_done(connection)[-1]["total_sentences"] == 1
