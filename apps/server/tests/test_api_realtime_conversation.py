"""Voice conversations: a chat API answers, the answer is spoken, and may be interrupted."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from chat_server import ChatServer, chat_server
from live import Live, live_server
from open_speech import Audio
from open_speech.testing import install_provider, join, silence, sine
from open_speech_server.api.realtime.audio import AudioFormat

RATE = 24_000
TRANSCRIPTION = "conversation.item.input_audio_transcription"
TURN = {"type": "server_vad", "silence_duration_ms": 300, "prefix_padding_ms": 100}


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with chat_server() as server:
        yield server


@pytest.fixture
def live(chat: ChatServer, tmp_path) -> Iterator[Live]:
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
        "OS_LLM_BASE_URL": chat.address,
        "OS_LLM_MODEL": "llama",
        "OS_LLM_API_KEY": "chat-key",
    }
    with live_server(tmp_path, environment) as server:
        yield server


class Client:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.until("session.created")

    def send(self, kind: str, **fields: Any) -> None:
        self.connection.send(json.dumps({"type": kind, **fields}))

    def say(self, audio: Audio) -> None:
        data = AudioFormat().write(audio.samples)
        for first in range(0, len(data), 4800):
            part = base64.b64encode(data[first : first + 4800]).decode()
            self.send("input_audio_buffer.append", audio=part)

    def until(self, wanted: str | Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        found = []
        while True:
            found.append(json.loads(self.connection.recv(timeout=30)))
            if found[-1]["type"] == wanted if isinstance(wanted, str) else wanted(found[-1]):
                return found

    def configure(self, **turns: Any) -> None:
        incoming = {"transcription": {}, "turn_detection": {**TURN, **turns}}
        session = {"type": "realtime", "instructions": "Be brief.", "audio": {"input": incoming}}
        self.send("session.update", session=session)
        self.until("session.updated")


@contextmanager
def talking(live: Live, **turns: Any) -> Iterator[Client]:
    address = live.address.replace("http", "ws") + "/v1/realtime?model=gpt-realtime"
    with connect(address, proxy=None, max_size=None) as connection:
        client = Client(connection)
        client.configure(**turns)
        yield client


SPOKEN = join(sine(1.0, sample_rate=RATE), silence(0.6, sample_rate=RATE))


def test_what_is_said_is_answered_aloud(live, chat):
    with talking(live) as client:
        client.say(SPOKEN)
        events = client.until("response.done")
        said = next(each for each in events if each["type"] == f"{TRANSCRIPTION}.completed")
        response = events[-1]["response"]
        assert response["status"] == "completed"
        assert response["output"][0]["content"][0]["transcript"] == "Good morning. I am well."
        assert [each["type"] for each in events].count("response.output_audio.delta") > 1
        client.say(SPOKEN)
        client.until("response.done")
    first, second = (each["messages"] for each in chat.asked)
    assert chat.asked[0]["model"] == "llama"
    assert chat.asked[0]["stream"] is True
    assert chat.keys == ["Bearer chat-key"] * 2
    assert first == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": said["transcript"]},
    ]
    assert [each["role"] for each in second] == ["system", "user", "assistant", "user"]
    assert second[2]["content"] == "Good morning. I am well."
    assert "chat-key" not in live.log.read_text()


def test_the_answer_sounds_before_it_is_written_to_its_end(live, chat):
    chat.waits, chat.words = True, ["Good morning. And then, after that, ", "it ends."]
    with talking(live) as client:
        client.say(SPOKEN)
        client.until("response.output_audio.delta")
        chat.goes_on.set()
        assert client.until("response.done")[-1]["response"]["status"] == "completed"


def test_whoever_speaks_interrupts_the_answer(live, chat):
    chat.waits, chat.words = True, ["One two three four. Five six seven. ", "Never."]
    with talking(live) as client:
        client.say(SPOKEN)
        events = client.until("response.output_audio.delta")
        item = next(each for each in events if each["type"] == "response.output_item.added")["item"]
        client.say(sine(0.5, sample_rate=RATE))
        events = client.until("response.done")
        response = events[-1]["response"]
        assert response["status"] == "cancelled"
        assert response["status_details"]["reason"] == "turn_detected"
        assert chat.left.wait(30)  # the chat API need not write on
        client.send("conversation.item.truncate", item_id=item["id"], content_index=0,
                    audio_end_ms=500)  # fmt: skip
        client.until("conversation.item.truncated")
        chat.waits = False
        client.say(silence(0.6, sample_rate=RATE))
        client.until("response.done")
    heard = [each for each in chat.asked[-1]["messages"] if each["role"] == "assistant"]
    assert heard[0]["content"] in {"One two", "One two three"}


def test_a_chat_api_that_fails_is_told_and_the_session_goes_on(live, chat):
    chat.status = 500
    with talking(live) as client:
        client.say(SPOKEN)
        response = client.until("response.done")[-1]["response"]
        assert response["status"] == "failed"
        assert "OS_LLM_BASE_URL" in response["status_details"]["error"]["message"]
        chat.status = 200
        client.say(SPOKEN)
        assert client.until("response.done")[-1]["response"]["status"] == "completed"


def test_the_client_may_decide_when_to_answer(live, chat):
    with talking(live, create_response=False) as client:
        client.say(SPOKEN)
        client.until(f"{TRANSCRIPTION}.completed")
        assert not chat.asked
        client.send("response.create", response={"instructions": "Answer in verse."})
        assert client.until("response.done")[-1]["response"]["status"] == "completed"
    assert chat.asked[0]["messages"][0] == {"role": "system", "content": "Answer in verse."}


def test_the_page_knows_that_there_is_a_conversation(live):
    with live.client() as http:
        found = http.get("/api/live").json()
    assert found["conversation"] is True
    assert found["vad_model"] == "tone/level"
    assert found["sessions"] == 0
