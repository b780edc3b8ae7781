"""The API of Speaches: its paths, lists, status codes and errors, by a path and at the root."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator

import httpx
import openai
import pytest
from websockets.sync.client import connect

from chat_server import chat_server
from live import Live, live_server
from open_speech import Config, OpenSpeech
from open_speech.codecs.decode import decode
from open_speech.testing import install_provider, join, sine, wav_bytes
from open_speech_server.api.compat import chat
from open_speech_server.settings.compat import our_model

MODEL = "tone/sine"
KEY = "a-key-of-theirs"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("speaches")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    with chat_server() as llm:
        llm.words = ["Good ", "morning."]
        environment = {
            "PYTHONPATH": str(folder / "site"),
            "OS_COMPAT": "speaches",
            "UVICORN_HOST": "127.0.0.1",
            "STT_MODEL": "tone/echo",
            "TTS_MODEL": MODEL,
            "VAD_MODEL": "tone/level",
            "DIARIZATION_MODEL": "tone/pitch",
            "STT_MODEL_TTL": "-1",
            "CHAT_COMPLETION_BASE_URL": llm.address,
        }
        with live_server(folder, environment) as running:
            yield running


@pytest.fixture(params=["", "/speaches"])
def client(live: Live, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.address + request.param, timeout=60) as found:
        yield found


@pytest.fixture(scope="module")
def recording(live: Live) -> bytes:
    body = {"model": MODEL, "voice": "middle", "input": "Hello, world!", "response_format": "wav"}
    return httpx.post(f"{live.address}/v1/audio/speech", json=body, timeout=60).content


def test_models_are_loaded_once_and_by_name(client):
    assert client.get("/health").json() == {"message": "OK"}
    client.delete(f"/api/ps/{MODEL}")
    assert MODEL not in client.get("/api/ps").json()["models"]
    assert client.post(f"/api/ps/{MODEL}").status_code == 201
    assert client.post(f"/api/ps/{MODEL}").status_code == 409
    assert MODEL in client.get("/api/ps").json()["models"]
    assert client.delete(f"/api/ps/{MODEL}").status_code == 200
    assert client.delete(f"/api/ps/{MODEL}").status_code == 404
    assert client.post("/api/ps/nobody/has-this").status_code == 404


def test_lists_have_its_shape(client):
    models = client.get("/v1/models", params={"task": "text-to-speech"}).json()
    assert models["object"] == "list"
    found = {each["id"]: each for each in models["data"]}
    assert {each["task"] for each in found.values()} == {"text-to-speech"}
    assert found[MODEL]["owned_by"] == "tone"
    assert found[MODEL]["voices"][0]["id"] == "low"
    assert "kokoro" not in found  # not on disk
    away = [each["id"] for each in client.get("/v1/registry").json()["data"]]
    assert "kokoro" in away
    assert MODEL not in away
    assert client.get("/v1/audio/models").json()["models"] == models["data"]
    voices = client.get("/v1/audio/voices").json()["voices"]
    assert {"middle", "high"} <= {each["name"] for each in voices}


def test_models_on_disk_are_all_there_is(client):
    assert client.get(f"/v1/models/{MODEL}").json()["id"] == MODEL
    assert client.get("/v1/models/kokoro").status_code == 404
    assert client.get("/v1/models/no-such").json() == {"detail": "Model 'no-such' not found"}
    assert client.post(f"/v1/models/{MODEL}").status_code == 201
    assert client.post("/v1/models/no-such").status_code == 404
    assert client.delete("/v1/models/kokoro").status_code == 404


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("speaches-ai/Kokoro-82M-v1.0-ONNX", "kokoro"),
        ("speaches-ai/Kokoro-82M-v1.0-ONNX-int8", "kokoro"),
        ("speaches-ai/piper-en_US-amy-low", "piper/en_US-amy-low"),
        ("Systran/faster-whisper-small", "Systran/faster-whisper-small"),
    ],
)
def test_its_names_of_models_are_known(theirs, ours):
    assert our_model("speaches", theirs) == ours


def test_events_of_speech_end_with_its_count(client):
    body = {"model": "tts-1", "voice": "alloy", "input": "Hello", "stream_format": "sse"}
    lines = client.post("/v1/audio/speech", json=body).text.strip().split("\n\n")
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert base64.b64decode(events[0]["audio"])
    assert events[-1]["type"] == "speech.audio.done"
    assert {"input_tokens", "output_tokens", "total_tokens"} == set(events[-1]["token_usage"])


def test_words_come_with_segments(client, recording):
    answer = client.post(
        "/v1/audio/transcriptions",
        files={"file": ("a.wav", recording)},
        data={"model": "whisper-1", "response_format": "verbose_json", "hotwords": "a b",
              "timestamp_granularities[]": "word", "without_timestamps": "true"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert answer.json()["words"]
    assert answer.json()["segments"]
    translated = client.post(
        "/v1/audio/translations", files={"file": ("a.wav", recording)}, data={"model": "whisper-1"}
    )
    assert translated.json()["text"]


def test_speech_is_found_in_milliseconds(client, recording):
    seconds = decode(recording, sample_rate=16_000).seconds
    answer = client.post("/v1/audio/speech/timestamps", files={"file": ("a.wav", recording)})
    (span,) = answer.json()
    assert 0 <= span["start"] < span["end"] <= 1000 * seconds + 1
    wrong = {"threshold": "2"}
    answer = client.post(
        "/v1/audio/speech/timestamps", files={"file": ("a.wav", recording)}, data=wrong
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/audio/speech", {"model": MODEL, "voice": "middle"}, 422),
        ("POST", "/v1/audio/speech", {"model": MODEL, "input": "a", "sample_rate": 7999}, 422),
        ("POST", "/v1/audio/speech", {"model": "no-such", "input": "a"}, 404),
        ("POST", "/v1/audio/speech", {"model": MODEL, "input": "a", "voice": "none"}, 400),
        ("GET", "/v1/nothing", None, 404),
    ],
)
def test_errors_have_its_shape(client, method, path, body, status):
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert set(answer.json()) == {"detail"}
    if status == 422:
        (problem,) = answer.json()["detail"]
        assert problem["loc"][0] == "body"
        assert problem["msg"]


def test_its_realtime_sessions_have_the_earlier_names(live):
    address = live.address.replace("http", "ws")
    with connect(f"{address}/v1/realtime?model=gpt-4o-realtime-preview", proxy=None) as socket:
        event = json.loads(socket.recv(30))
    assert event["type"] == "session.created"
    assert event["session"]["modalities"]  # the GA protocol says output_modalities


def test_our_own_api_lies_beside_it(live):
    with live.client() as client:
        assert client.get("/open-speech/health").json()["status"] == "ok"
        ids = [each["id"] for each in client.get("/open-speech/v1/models").json()["data"]]
        assert "kokoro" in ids
        assert "whisper-1" in ids
        wrong = client.get("/open-speech/v1/models/no-such").json()
        assert wrong["error"]["code"] == "model_not_found"
        assert client.get("/api/models").json()["models"]  # what it lacks, ours answers
        assert client.get("/open-speech/web").status_code == 200


def ask(live: Live, **fields: object) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{live.address}/v1", api_key="none", max_retries=0)


def spoken_question(recording: bytes) -> list[dict[str, object]]:
    sound = {"data": base64.b64encode(recording).decode(), "format": "wav"}
    text = {"type": "text", "text": "What is said here?"}
    return [{"role": "user", "content": [text, {"type": "input_audio", "input_audio": sound}]}]


def test_a_question_in_sound_is_answered_in_sound(live, recording):
    client = ask(live)
    answer = client.chat.completions.create(
        model="some-llm",
        modalities=["text", "audio"],
        audio={"voice": "middle", "format": "wav"},
        messages=spoken_question(recording),
    )
    message = answer.choices[0].message
    assert message.content is None
    assert message.audio.transcript == "Good morning."
    assert decode(base64.b64decode(message.audio.data), sample_rate=24_000).seconds > 0.3
    again = client.chat.completions.create(
        model="some-llm",
        messages=[{"role": "assistant", "audio": {"id": message.audio.id}}],
    )
    assert again.choices[0].message.content == "Good morning."
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(
            model="some-llm", messages=[{"role": "assistant", "audio": {"id": "audio_none"}}]
        )


def test_an_answer_is_spoken_while_it_is_written(live, recording):
    chunks = list(
        ask(live).chat.completions.create(
            model="some-llm",
            modalities=["text", "audio"],
            audio={"voice": "middle", "format": "pcm16"},
            messages=spoken_question(recording),
            stream=True,
        )
    )
    parts = [each.choices[0].delta.model_dump().get("audio") or {} for each in chunks]
    assert "".join(part.get("transcript", "") or "" for part in parts) == "Good morning."
    sound = b"".join(base64.b64decode(part.get("data") or "") for part in parts)
    assert len(sound) > 24_000 * 2 * 0.3
    assert len({part["id"] for part in parts if part}) == 1


def test_its_names_of_models_speak_in_a_chat(live, recording):
    """The model is not on disk here, and the server says which one it would be."""
    with pytest.raises(openai.APIStatusError) as caught:
        ask(live).chat.completions.create(
            model="some-llm",
            modalities=["text", "audio"],
            audio={"voice": "af_heart", "format": "wav"},
            messages=[{"role": "user", "content": "Hello"}],
            extra_body={"speech_model": "speaches-ai/Kokoro-82M-v1.0-ONNX"},
        )
    assert "weights of 'kokoro'" in caught.value.response.text


def test_a_stream_is_spoken_as_pcm16_alone(live, recording):
    with pytest.raises(openai.BadRequestError):
        ask(live).chat.completions.create(
            model="some-llm",
            modalities=["text", "audio"],
            audio={"voice": "middle", "format": "wav"},
            messages=spoken_question(recording),
            stream=True,
        )


def test_a_key_is_asked_for_as_there(tmp_path):
    environment = {"OS_COMPAT": "speaches", "API_KEY": KEY}
    with live_server(tmp_path, environment, ready=False) as live, live.client() as client:
        none = client.get("/v1/models")
        assert none.status_code == 403
        assert none.headers["www-authenticate"] == "Bearer"
        assert none.json()["detail"].startswith("API key required.")
        wrong = client.get("/api/ps", headers={"Authorization": "Bearer no"})
        assert (wrong.status_code, wrong.json()["detail"]) == (
            403,
            "Invalid API key. The provided API key is incorrect.",
        )
        key = {"Authorization": f"Bearer {KEY}"}
        assert client.get("/v1/models", headers=key).status_code == 200
        assert client.get("/openapi.json").status_code == 200
        assert client.get("/health").json() == {"message": "OK"}
        assert client.get("/open-speech/openapi.json").status_code == 401
        assert client.get("/kokoro/v1/models").status_code == 401


def test_a_stream_that_breaks_off_says_so(tmp_path):
    install_provider(tmp_path / "site", "faulty", "open_speech.testing.faulty")
    with chat_server() as llm:
        environment = {
            "PYTHONPATH": str(tmp_path / "site"),
            "OS_LLM_BASE_URL": llm.address,
            "TTS_MODEL": "faulty/raise",
        }
        with live_server(tmp_path, environment, ready=False) as live, live.client() as client:
            body = {
                "model": "x",
                "messages": [],
                "modalities": ["audio"],
                "audio": {"format": "pcm16"},
                "stream": True,
                "speech_model": "faulty/raise",
            }
            answer = client.post("/speaches/v1/chat/completions", json=body)
            log = live.log.read_text()
    events = [line for line in answer.text.split("\n\n") if line]
    assert '"error"' in events[-2]
    assert events[-1] == "data: [DONE]"
    assert "Traceback" not in log


class SilentAnswer(chat._SpokenAnswer):
    """Its voice has nothing to say yet."""

    async def _speak(self) -> None:
        await asyncio.Event().wait()


async def test_a_listener_who_leaves_ends_the_work():
    """The queue is full then, and nobody takes anything from it any more."""
    full = asyncio.Event()

    async def chunks():
        while True:
            if answer.ready.full():
                full.set()
            yield {"choices": []}

    body = chat.ChatBody(messages=[], audio={"format": "pcm16"})
    answer = SilentAnswer(body, OpenSpeech(Config()))
    working = asyncio.ensure_future(answer.work(chunks()))
    await asyncio.wait_for(full.wait(), 10)
    working.cancel()
    done, _ = await asyncio.wait({working}, timeout=10)
    assert done


TALK = wav_bytes(join(sine(2.0, frequency=220.0), sine(2.0, frequency=880.0)))
DIARIZES, EMBEDS = (
    "pyannote/speaker-diarization-community-1",
    "pyannote/wespeaker-voxceleb-resnet34-LM",
)


@pytest.mark.parametrize("name", [DIARIZES, EMBEDS])
def test_its_models_for_speakers_are_there(client, name):
    answer = client.post(f"/v1/models/{name}")
    assert (answer.status_code, answer.text) == (201, f"Model '{name}' already exists")
    assert client.get(f"/v1/models/{name}").json()["task"] == "speaker-diarization"


def test_speakers_are_told_apart(client):
    files = {"file": ("audio.wav", TALK)}
    turns = [
        {"start": 0.0, "end": 2.0, "speaker": "A"},
        {"start": 2.0, "end": 4.0, "speaker": "B"},
    ]
    found = client.post("/v1/audio/diarization", files=files, data={"model": DIARIZES})
    assert found.json() == {"duration": 4.0, "segments": turns}
    fields = {"model": DIARIZES, "response_format": "rttm"}
    lines = client.post("/v1/audio/diarization", files=files, data=fields).text.splitlines()
    assert lines[1] == "SPEAKER audio 1 2.000 2.000 <NA> <NA> B <NA> <NA>"


def test_a_voice_is_described(client):
    files = {"file": ("audio.wav", wav_bytes(sine(1.0)))}
    found = client.post("/v1/audio/speech/embedding", files=files, data={"model": EMBEDS}).json()
    assert found["model"] == EMBEDS
    assert found["data"][0]["object"] == "embedding"
    assert found["usage"] == {"prompt_tokens": 16_000, "total_tokens": 16_000}
