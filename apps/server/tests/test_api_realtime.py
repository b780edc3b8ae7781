"""``WS /v1/realtime`` by OpenAI's own client and, where that would not, by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import openai
import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from live import Live, live_server
from open_speech import Audio
from open_speech.testing import install_provider, join, silence, sine
from open_speech.testing.tone import spoken_seconds
from open_speech_server.api.realtime.audio import A_LAW, MU_LAW, AudioFormat

RATE = 24_000
KNOWN = TypeAdapter(RealtimeServerEvent)
TRANSCRIPTION = "conversation.item.input_audio_transcription"


def spoken(rate: int = RATE) -> Audio:
    return join(
        silence(0.5, sample_rate=rate),
        sine(1.0, sample_rate=rate),
        silence(1.0, sample_rate=rate),
        sine(0.5, sample_rate=rate, amplitude=0.25),
        silence(1.0, sample_rate=rate),
    )


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("realtime")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    install_provider(folder / "site", "faulty", "open_speech.testing.faulty")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
        "TURN_MODEL": "tone/loudness",
        "OS_STREAM_CHUNK_MS": "200",
        "OS_MAX_TEXT_CHARS": "1000",
        "OS_STREAM_MAX_CONNECTIONS": "50",
    }
    with live_server(folder, environment) as server:
        yield server


class Client:
    """A client that checks every event against the official types."""

    def __init__(self, connection: ClientConnection, *, beta: bool = False) -> None:
        self.connection = connection
        self.beta = beta
        self.session = self.until("session.created")[-1]["session"]

    def send(self, kind: str, **fields: Any) -> None:
        self.connection.send(json.dumps({"type": kind, **fields}))

    def append(self, data: bytes, size: int = 4800) -> None:
        for first in range(0, len(data), size):
            audio = base64.b64encode(data[first : first + size]).decode()
            self.send("input_audio_buffer.append", audio=audio)

    def take(self) -> dict[str, Any]:
        event = json.loads(self.connection.recv(timeout=30))
        if not self.beta:
            KNOWN.validate_python(event)
        return event

    def until(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        found = []
        while count:
            found.append(self.take())
            count -= found[-1]["type"] == kind
            assert kind == "error" or found[-1]["type"] != "error", found[-1]
        return found

    def update(self, **session: Any) -> dict[str, Any]:
        self.send("session.update", session=session)
        return self.until("session.updated")[-1]["session"]

    def error(self) -> dict[str, Any]:
        return self.until("error")[-1]["error"]


@pytest.fixture
def client(live: Live) -> Iterator[Callable[..., Client]]:
    opened = ExitStack()

    def open_one(query: str = "", *, beta: bool = False, **options: Any) -> Client:
        address = live.address.replace("http", "ws") + f"/v1/realtime{query}"
        if beta:
            options["additional_headers"] = {"OpenAI-Beta": "realtime=v1"}
        connection = connect(address, proxy=None, max_size=None, **options)
        return Client(opened.enter_context(connection), beta=beta)

    with opened:
        yield open_one


def pcm(audio: Audio) -> bytes:
    return AudioFormat().write(audio.samples)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


# Transcription.


@pytest.mark.parametrize("model", ["", "&model=tone/echo"])
def test_turns_become_items_with_their_text(client, model):
    session = client(f"?intent=transcription{model}")
    assert session.session["type"] == "transcription"
    turns = {"type": "server_vad", "silence_duration_ms": 300, "prefix_padding_ms": 100}
    updated = session.update(
        type="transcription",
        audio={"input": {"turn_detection": turns, "noise_reduction": {"type": "near_field"}}},
    )
    assert updated["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 300
    assert updated["audio"]["input"]["noise_reduction"] is None
    session.append(pcm(spoken()))
    events = session.until(f"{TRANSCRIPTION}.completed", 2)
    first, second = of(events, "input_audio_buffer.speech_started")
    assert first["audio_start_ms"] == pytest.approx(400, abs=40)
    assert second["audio_start_ms"] == pytest.approx(2400, abs=40)
    stopped = of(events, "input_audio_buffer.speech_stopped")
    assert stopped[0]["audio_end_ms"] == pytest.approx(1800, abs=40)
    committed = of(events, "input_audio_buffer.committed")
    assert [each["item_id"] for each in committed] == [first["item_id"], second["item_id"]]
    assert committed[1]["previous_item_id"] == first["item_id"]
    for started in (first, second):
        mine = [each for each in events if each.get("item_id") == started["item_id"]]
        order = list(dict.fromkeys(kinds(mine)))
        assert order[0].endswith("speech_started")
        assert order[-1] == f"{TRANSCRIPTION}.completed"
        deltas = of(mine, f"{TRANSCRIPTION}.delta")
        assert "".join(each["delta"] for each in deltas) == mine[-1]["transcript"]
        assert mine[-1]["usage"]["type"] == "duration"
        assert of(mine, f"{TRANSCRIPTION}.segment")
    completed = of(events, f"{TRANSCRIPTION}.completed")
    assert completed[0]["transcript"].startswith("16000 samples peaking at 0.50")
    assert completed[0]["languages"] == [{"code": "en"}]
    assert "0.25" in completed[1]["transcript"]


@pytest.mark.parametrize("kind", ["audio/pcm", MU_LAW, A_LAW])
def test_without_turn_detection_the_client_commits(client, kind):
    session = client("?intent=transcription")
    rate = RATE if kind == "audio/pcm" else 8_000
    session.update(
        audio={"input": {"format": {"type": kind}, "turn_detection": None}},
        include=["item.input_audio_transcription.logprobs"],
    )
    session.append(AudioFormat(kind, rate).write(sine(1.0, sample_rate=rate).samples))
    session.send("input_audio_buffer.commit")
    events = session.until(f"{TRANSCRIPTION}.completed")
    assert not of(events, "input_audio_buffer.speech_started")
    assert events[-1]["transcript"].startswith("16000 samples peaking at 0.5")
    assert events[-1]["logprobs"][0] == {"token": "16000", "bytes": list(b"16000"), "logprob": 0.0}
    committed = kinds(events).index("input_audio_buffer.committed")
    assert kinds(events)[committed + 1 : committed + 3] == [
        "conversation.item.added",
        "conversation.item.done",
    ]


def test_what_is_cleared_is_not_understood(client):
    session = client("?intent=transcription")
    session.update(audio={"input": {"turn_detection": None}})
    session.append(pcm(sine(1.0, sample_rate=RATE)))
    session.send("input_audio_buffer.clear")
    session.until("input_audio_buffer.cleared")
    session.send("input_audio_buffer.commit")
    assert session.error()["code"] == "input_audio_buffer_commit_empty"
    session.append(pcm(sine(0.5, sample_rate=RATE)))
    session.send("input_audio_buffer.commit")
    text = session.until(f"{TRANSCRIPTION}.completed")[-1]["transcript"]
    assert text == "8000 samples peaking at 0.50"


def test_semantic_turns_are_judged_by_a_model(client):
    session = client("?intent=transcription")
    turns = {"type": "semantic_vad", "eagerness": "high"}
    updated = session.update(audio={"input": {"turn_detection": turns}})
    assert updated["audio"]["input"]["turn_detection"]["eagerness"] == "high"
    shouting = sine(1.0, sample_rate=RATE, amplitude=0.9)
    pause = silence(2.5, sample_rate=RATE)
    session.append(pcm(join(shouting, pause)))
    ended = session.until("input_audio_buffer.speech_stopped")[-1]
    assert ended["audio_end_ms"] == pytest.approx(3000, abs=60)  # not before two seconds


def test_another_model_may_go_on(client):
    session = client("?intent=transcription")
    turns = {"type": "server_vad", "silence_duration_ms": 300}
    session.update(audio={"input": {"turn_detection": turns}})
    sound = join(sine(1.0, sample_rate=RATE), silence(0.5, sample_rate=RATE))
    session.append(pcm(sound))
    session.until(f"{TRANSCRIPTION}.completed")
    session.update(audio={"input": {"transcription": {"model": "tone/live"}}})
    session.append(pcm(sound))
    events = session.until(f"{TRANSCRIPTION}.completed")
    started = of(events, "input_audio_buffer.speech_started")[0]
    assert started["audio_start_ms"] == pytest.approx(1500, abs=60)
    assert "samples peaking" in events[-1]["transcript"]


def test_speech_that_cannot_be_understood_is_told(client):
    session = client("?intent=transcription&model=faulty/hear-raise")
    session.update(audio={"input": {"turn_detection": None}})
    session.append(pcm(sine(1.0, sample_rate=RATE)))
    session.send("input_audio_buffer.commit")
    failed = session.until(f"{TRANSCRIPTION}.failed")[-1]
    assert "faulty/hear-raise" in failed["error"]["message"]
    session.append(pcm(sine(1.0, sample_rate=RATE)))
    session.send("input_audio_buffer.commit")
    session.until(f"{TRANSCRIPTION}.failed")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("{", "invalid_json"),
        ("[]", "invalid_json"),
        ('"x"', "invalid_json"),
        ({"type": "no.such"}, "unknown_event"),
        ({"no": "type"}, "unknown_event"),
        ({"type": ["x"]}, "unknown_event"),
        ({"type": "session.update"}, "missing_parameter"),
        ({"type": "session.update", "session": {"audio": {"input": {"format": 5}}}},
         "invalid_value"),
        (
            {"type": "session.update",
             "session": {"audio": {"input": {"transcription": {"model": "nobody/knows"}}}}},
            "model_not_found",
        ),
        ({"type": "input_audio_buffer.append"}, "missing_parameter"),
        ({"type": "input_audio_buffer.append", "audio": "%%%"}, "invalid_base64"),
        ({"type": "input_audio_buffer.append", "audio": 5}, "missing_parameter"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        ({"type": "response.create"}, "invalid_event"),
        ({"type": "response.cancel"}, "response_cancel_not_active"),
        ({"type": "conversation.item.retrieve", "item_id": "x"}, "item_not_found"),
        ({"type": "conversation.item.delete", "item_id": 5}, "item_not_found"),
        ({"type": "conversation.item.truncate"}, "item_not_found"),
        ({"type": "conversation.item.create"}, "invalid_value"),
        ({"type": "conversation.item.create", "item": {"type": "message", "role": "x"}},
         "invalid_value"),
        ({"type": "conversation.item.create", "item": {"type": "message", "role": ["user"]}},
         "invalid_value"),
        ({"type": "conversation.item.create", "previous_item_id": [1],
          "item": {"type": "message", "role": "user"}}, "item_not_found"),
        ({"type": "response.cancel", "response_id": {}}, "response_cancel_not_active"),
    ],
)  # fmt: skip
def test_an_event_that_is_not_right_is_told_and_the_session_goes_on(client, event, code):
    session = client("?intent=transcription")
    text = event if isinstance(event, str) else json.dumps({**event, "event_id": "mine"})
    session.connection.send(text)
    error = session.error()
    assert error["code"] == code
    if isinstance(event, dict):
        assert error["event_id"] == "mine"
    assert session.update()["type"] == "transcription"


@pytest.mark.parametrize("given", [5, True, "text", {"a": 1}])
def test_an_input_that_is_no_list_is_told(client, given):
    session = client()
    session.send("response.create", response={"input": given})
    assert session.error()["param"] == "response.input"


def test_a_model_that_nobody_has_is_refused_at_the_door(client):
    with pytest.raises(InvalidStatus) as refused:
        client("?model=nobody/knows")
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body)["error"]["code"] == "model_not_found"


# Speech.


def test_a_response_speaks_the_text_it_is_given(client):
    session = client("?model=gpt-realtime")
    assert session.session["type"] == "realtime"
    session.update(type="realtime", audio={"output": {"voice": "alloy"}})
    text = "Good morning. How are you today?"
    session.send("response.create", response={"instructions": text})
    events = session.until("response.done")
    order = list(dict.fromkeys(kinds(events)))
    assert order == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    sound = b"".join(
        base64.b64decode(each["delta"]) for each in of(events, "response.output_audio.delta")
    )
    assert len(sound) / 2 / RATE == pytest.approx(spoken_seconds(text), abs=0.3)
    said = [each["delta"] for each in of(events, "response.output_audio_transcript.delta")]
    assert "".join(said) == text
    response = events[-1]["response"]
    assert response["status"] == "completed"
    assert response["output"][0]["content"][0]["transcript"] == text


def test_the_newest_text_of_the_client_is_spoken(client):
    session = client()
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
    session.send("conversation.item.create", item=item)
    session.until("conversation.item.done")
    session.send("response.create")
    events = session.until("response.done")
    assert events[-1]["response"]["output"][0]["content"][0]["transcript"] == "Hello"


@pytest.mark.parametrize("kind", [MU_LAW, A_LAW])
def test_speech_in_the_formats_of_telephones(client, kind):
    session = client()
    session.update(audio={"output": {"format": {"type": kind}}})
    session.send("response.create", response={"instructions": "Good morning."})
    events = session.until("response.done")
    data = b"".join(
        base64.b64decode(each["delta"]) for each in of(events, "response.output_audio.delta")
    )
    sound = AudioFormat(kind, 8_000).read(data)
    assert sound.seconds == pytest.approx(spoken_seconds("Good morning."), abs=0.3)
    assert float(np.abs(sound.samples).max()) == pytest.approx(0.5, abs=0.05)


def test_a_response_can_be_cancelled_and_truncated(client):
    session = client()
    text = "One two three four five six. " * 100
    session.send("response.create", response={"instructions": text[:900]})
    events = session.until("response.output_audio.delta", 3)
    session.send("response.create", response={"instructions": "And another."})
    assert session.until("error")[-1]["error"]["code"].startswith("conversation_already")
    session.send("response.cancel")
    done = session.until("response.done")[-1]["response"]
    assert done["status"] == "cancelled"
    assert done["status_details"]["reason"] == "client_cancelled"
    item_id = of(events, "response.output_item.added")[0]["item"]["id"]
    heard_ms = round(spoken_seconds("One two three four five six.") * 1000)
    session.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms // 2
    )
    assert session.until("conversation.item.truncated")[-1]["audio_end_ms"] == heard_ms // 2
    session.send("conversation.item.retrieve", item_id=item_id)
    item = session.until("conversation.item.retrieved")[-1]["item"]
    assert item["content"][0]["transcript"] in {"One two three", "One two", "One two three four"}


def test_a_response_of_text_is_text(client):
    session = client()
    session.send("response.create", response={"instructions": "Hi.", "output_modalities": ["text"]})
    events = session.until("response.done")
    assert not of(events, "response.output_audio.delta")
    assert of(events, "response.output_text.done")[0]["text"] == "Hi."


def test_a_response_that_fails_says_why(client):
    session = client("?model=faulty/raise")
    session.send("response.create", response={"instructions": "Hi.", "voice": "any"})
    response = session.until("response.done")[-1]["response"]
    assert response["status"] == "failed"
    assert "faulty/raise" in response["status_details"]["error"]["message"]
    session.update(type="realtime")


def test_nothing_to_say_is_told(client):
    session = client()
    session.send("response.create")
    error = session.error()
    assert error["code"] == "missing_parameter"
    assert "OS_LLM_BASE_URL" in error["message"]


# Clients.


def test_the_beta_has_its_own_names(client):
    session = client("?model=gpt-4o-realtime-preview", beta=True)
    assert session.session["input_audio_format"] == "pcm16"
    session.update(
        input_audio_format="pcm16",
        input_audio_transcription={"model": "whisper-1"},
        turn_detection={"type": "server_vad", "silence_duration_ms": 300},
        voice="alloy",
    )
    session.append(pcm(join(sine(1.0, sample_rate=RATE), silence(1.0, sample_rate=RATE))))
    events = session.until(f"{TRANSCRIPTION}.completed")
    assert of(events, "conversation.item.created")
    assert not of(events, "conversation.item.added")
    session.send("response.create", response={"instructions": "Good morning."})
    found = set(kinds(session.until("response.done")))
    assert {
        "response.audio.delta",
        "response.audio.done",
        "response.audio_transcript.delta",
    } <= found


def test_a_client_that_updates_in_the_shape_of_the_beta_speaks_it(client):
    session = client()
    session.send(
        "session.update", session={"input_audio_format": "g711_ulaw", "modalities": ["text"]}
    )
    session.beta = True
    updated = session.until("session.updated")[-1]["session"]
    assert updated["input_audio_format"] == "g711_ulaw"
    assert updated["modalities"] == ["text"]


async def test_the_official_client_understands_and_speaks(live):
    async with openai.AsyncOpenAI(base_url=f"{live.address}/v1", api_key="any") as sdk:
        query = {"intent": "transcription"}
        async with sdk.realtime.connect(model="gpt-realtime", extra_query=query) as connection:
            await connection.session.update(
                session={
                    "type": "transcription",
                    "audio": {
                        "input": {
                            "format": {"type": "audio/pcm", "rate": RATE},
                            "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                            "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
                        }
                    },
                }
            )
            data = pcm(spoken())
            for first in range(0, len(data), 4800):
                audio = base64.b64encode(data[first : first + 4800]).decode()
                await connection.input_audio_buffer.append(audio=audio)
            texts = []
            async for event in connection:
                assert event.type != "error", event
                if event.type == f"{TRANSCRIPTION}.completed":
                    texts.append(event.transcript)
                if len(texts) == 2:
                    break
        assert texts[0].startswith("16000 samples")
        async with sdk.realtime.connect(model="gpt-realtime") as connection:
            await connection.response.create(response={"instructions": "Good morning."})
            heard = b""
            async for event in connection:
                if event.type == "response.output_audio.delta":
                    heard += base64.b64decode(event.delta)
                if event.type == "response.done":
                    break
        assert len(heard) / 48_000 == pytest.approx(spoken_seconds("Good morning."), abs=0.3)


def test_a_browser_gets_a_key_of_its_own(tmp_path):
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "OS_API_KEY": "s3cret-of-the-server",
        "OS_STREAM_MAX_CONNECTIONS": "1",
    }
    with live_server(tmp_path, environment) as server:
        sdk = openai.OpenAI(base_url=f"{server.address}/v1", api_key="s3cret-of-the-server")
        with sdk:
            secret = sdk.realtime.client_secrets.create(
                session={"type": "transcription", "audio": {"input": {"turn_detection": None}}}
            )
        assert secret.value.startswith("ek_")
        assert secret.session.type == "transcription"
        address = server.address.replace("http", "ws") + "/v1/realtime"
        protocols = ["realtime", f"openai-insecure-api-key.{secret.value}"]
        with connect(address, proxy=None, subprotocols=protocols) as connection:
            assert connection.subprotocol == "realtime"
            session = Client(connection).session
            assert session["type"] == "transcription"
            assert session["audio"]["input"]["turn_detection"] is None
            with (
                pytest.raises(InvalidStatus) as refused,
                connect(address, proxy=None, subprotocols=protocols),
            ):
                pass
            assert refused.value.response.status_code == 503
            assert refused.value.response.headers["retry-after"] == "5"
        for wrong in (f"ek_{'x' * 43}", "", "s3cret"):
            headers = {"Authorization": f"Bearer {wrong}"}
            with (
                pytest.raises(InvalidStatus) as refused,
                connect(address, proxy=None, additional_headers=headers),
            ):
                pass
            assert refused.value.response.status_code == 401
        with server.client(headers={"Authorization": f"Bearer {secret.value}"}) as http:
            assert http.get("/v1/models").status_code == 401
        log = server.log.read_text()
        assert "s3cret-of-the-server" not in log
        assert secret.value not in log


def test_a_server_that_stops_tells_its_sessions(tmp_path):
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
    }
    with live_server(tmp_path, environment) as server:
        address = server.address.replace("http", "ws") + "/v1/realtime?intent=transcription"
        with connect(address, proxy=None) as connection:
            session = Client(connection)
            session.append(pcm(sine(1.0, sample_rate=RATE)))
            session.until("input_audio_buffer.speech_started")
            server.process.terminate()
            events = session.until(f"{TRANSCRIPTION}.completed")
            assert events[-1]["transcript"].startswith("16000 samples")
            assert session.error()["code"] == "server_stop"
            with pytest.raises(ConnectionClosed):
                connection.recv(timeout=30)
            assert connection.close_code == 1001
        assert server.process.wait(30) == 0
