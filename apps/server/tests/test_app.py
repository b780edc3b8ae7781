"""The whole server as its users meet it: a real process, real engines, real clients."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import struct
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import av
import httpx
import openai
import psutil
import pytest

from live import Live, live_server
from open_speech.testing import install_provider, sine, wav_bytes
from open_speech.testing.tone import spoken_seconds

FORMATS = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "m4a": "audio/mp4",
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the faulty provider notes what it does."""
    return tmp_path_factory.mktemp("record") / "record"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, record: Path) -> Iterator[Live]:
    """One server with the embedded engines and the test providers."""
    folder = tmp_path_factory.mktemp("live")
    for name in ("tone", "faulty"):
        install_provider(folder / "site", name, f"open_speech.testing.{name}")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "OPEN_SPEECH_FAULTY_RECORD": str(record),
        "OS_LOG_LEVEL": "debug",
        "OS_REQUEST_TIMEOUT_S": "60",
    }
    with live_server(folder, environment) as server:
        yield server


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


@pytest.fixture(scope="module")
def sdk(live: Live) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.address}/v1", api_key="unused", max_retries=0) as sdk:
        yield sdk


def speak(client: httpx.Client, **body: object) -> httpx.Response:
    return client.post("/v1/audio/speech", json={"input": "Hello", **body})


def decoded(data: bytes) -> tuple[int, float]:
    """Rate and seconds."""
    with av.open(BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
    return frames[0].sample_rate, sum(frame.samples for frame in frames) / frames[0].sample_rate


@pytest.mark.parametrize("name", FORMATS)
def test_speech_in_every_format(client, name):
    answer = speak(client, model="tone/sine", input="x" * 40, response_format=name)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == FORMATS[name]
    if name == "pcm":
        seconds = len(answer.content) / 2 / 24_000
    else:
        _, seconds = decoded(answer.content)
    assert seconds == pytest.approx(spoken_seconds("x" * 40), abs=0.1)


def test_speech_is_mp3_by_default(client):
    assert speak(client, model="tone/sine").headers["content-type"] == "audio/mpeg"


def test_speech_as_events(client):
    answer = speak(client, model="tone/sine", stream_format="sse", response_format="pcm")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data:")]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1]["type"] == "speech.audio.done"
    assert events[-1]["usage"]["total_tokens"] > 0


def test_the_openai_sdk_speaks_and_listens(sdk, tmp_path):
    spoken = sdk.audio.speech.create(
        model="tts-1", voice="alloy", input="one two three", response_format="wav"
    )
    result = sdk.audio.transcriptions.create(
        model="whisper-1",
        file=("speech.wav", spoken.content),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        extra_body={"grammar": "digits"},
    )
    assert result.text.split() == ["one", "two", "three"]
    assert result.language == "english"
    assert result.duration == pytest.approx(decoded(spoken.content)[1], abs=0.1)
    assert result.segments
    assert [word.word for word in result.words] == ["one", "two", "three"]
    assert all(0 <= word.start <= word.end <= result.duration for word in result.words)


def test_the_openai_sdk_gets_every_text_format(sdk):
    audio = wav_bytes(sine(2.0))
    make = sdk.audio.transcriptions.create
    file = ("a.wav", audio)
    assert make(model="tone/echo", file=file).text.startswith("16000 samples")
    assert make(model="tone/echo", file=file, response_format="text").startswith("16000 samples")
    srt = make(model="tone/echo", file=file, response_format="srt")
    assert "00:00:00,000 --> 00:00:02,000" in srt
    vtt = make(model="tone/echo", file=file, response_format="vtt")
    assert vtt.startswith("WEBVTT")


def test_the_openai_sdk_streams_a_transcription(sdk):
    stream = sdk.audio.transcriptions.create(
        model="tone/echo", file=("a.wav", wav_bytes(sine(3.0))), stream=True
    )
    events = list(stream)
    assert [event.type for event in events] == ["transcript.text.delta"] * 3 + [
        "transcript.text.done"
    ]
    assert events[-1].text == "".join(event.delta for event in events[:-1])


def test_the_openai_sdk_lists_models(sdk):
    names = {model.id for model in sdk.models.list()}
    assert {"espeak/en-us", "pocketsphinx/en-us", "tts-1", "whisper-1"} <= names
    assert sdk.models.retrieve("espeak/en-us").id == "espeak/en-us"


def test_an_unknown_model_is_not_found_with_near_matches(client, sdk):
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.audio.speech.create(model="espeak/en-uss", voice="alloy", input="Hello")
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"
    assert "Did you mean" in caught.value.message


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"model": "../etc"}, 400, "invalid_model_id", "model"),
        ({"model": "pocketsphinx/en-us"}, 400, "invalid_request", "model"),
        ({"voice": "nobody"}, 400, "voice_not_found", "voice"),
        ({"input": "  "}, 400, "invalid_request", "input"),
        ({"input": "x" * 100_001}, 400, "text_too_long", "input"),
        ({"response_format": "midi"}, 400, "invalid_request", "response_format"),
        ({"speed": 9}, 400, None, "speed"),
        ({"model": "faulty/load-raise"}, 502, "model_load_failed", None),
        ({"model": "faulty/raise"}, 502, "provider_error", None),
        ({"model": "faulty/nan"}, 502, "invalid_result", None),
        ({"model": "faulty/any", "input": "fault:exit"}, 503, "worker_died", None),
    ],
)
def test_every_error_is_openais_shape(client, body, status, code, param):
    answer = speak(client, **body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert len(error["message"]) > 20
    if code:
        assert error["code"] == code
    if param:
        assert error["param"] == param
    if status == 503:
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("data", "code"),
    [({"model": "nobody/knows"}, "model_not_found"), ({"model": "espeak/en-us"}, "invalid_request"),
     ({"response_format": "docx"}, None)],
)  # fmt: skip
def test_errors_of_transcriptions(client, data, code):
    answer = client.post("/v1/audio/transcriptions", data=data, files={"file": wav_bytes(sine())})
    assert answer.status_code in (400, 404), answer.text
    if code:
        assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no audio at all" * 100, b"\x89PNG\r\n" * 50])
def test_what_is_no_audio_is_a_400(client, content):
    answer = client.post("/v1/audio/transcriptions", files={"file": ("a.wav", content)})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_form_without_a_file_is_a_400(client):
    answer = client.post("/v1/audio/transcriptions", data={"model": "tone/echo"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "file"


def test_list_fields_are_taken_with_and_without_brackets(client):
    for name in ("timestamp_granularities", "timestamp_granularities[]"):
        answer = client.post(
            "/v1/audio/transcriptions",
            data={"model": "tone/echo", "response_format": "verbose_json", name: "word",
                  "some_extra_field": "ignored"},
            files={"file": wav_bytes(sine())},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert answer.json()["words"]


def transcribe(client: httpx.Client, seconds: float = 2.0, **data: object) -> httpx.Response:
    data.setdefault("model", "tone/echo")
    files = {"file": ("a.wav", wav_bytes(sine(seconds)))}
    return client.post("/v1/audio/transcriptions", data=data, files=files)


def test_keep_alive_per_request(client):
    speak(client, model="tone/plain", keep_alive="10m")
    transcribe(client, 1.0, model="tone/count", keep_alive="-1")
    models = {model["id"]: model for model in client.get("/api/models").json()["models"]}
    assert 300 < models["tone/plain"]["ttl_remaining"] <= 600
    assert models["tone/count"]["ttl_remaining"] is None
    answer = speak(client, model="tone/plain", keep_alive="soon")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "keep_alive"


def test_a_recording_is_translated(client):
    answer = client.post(
        "/v1/audio/translations",
        data={"model": "tone/echo", "response_format": "verbose_json"},
        files={"file": ("a.wav", wav_bytes(sine(1.0)))},
    )
    assert answer.json()["task"] == "translate"
    assert answer.json()["language"] == "english"
    assert answer.json()["text"].startswith("translated")


def test_every_parameter_reaches_the_model(client):
    answer = transcribe(
        client, 1.0, prompt="before", temperature="0.5", language="de", **{"keywords[]": "alpha"}
    )
    assert answer.json()["text"] == "after before 16000 samples peaking at 0.50 alpha"


def test_logprobs_on_request(client):
    answer = transcribe(client, 1.0, **{"include[]": "logprobs"}).json()
    assert answer["logprobs"][0] == {"token": "16000", "bytes": list(b"16000"), "logprob": 0.0}
    assert "logprobs" not in transcribe(client, 1.0).json()


@pytest.mark.parametrize(
    "chunking",
    [{"chunking_strategy": "auto"},
     {"chunking_strategy[type]": "server_vad", "chunking_strategy[threshold]": "0.4"},
     {"chunking_strategy": '{"type": "server_vad", "silence_duration_ms": 200}'}],
)  # fmt: skip
def test_chunking_strategy_in_every_form(client, chunking):
    assert transcribe(client, **chunking).status_code == 200


def test_silence_gives_no_text_where_the_model_knows_silence(client):
    silence = wav_bytes(sine(2.0, amplitude=0.0))
    answer = client.post("/v1/audio/transcriptions", data={"model": "tone/echo"},
                         files={"file": ("a.wav", silence)})  # fmt: skip
    assert answer.json()["text"] == ""


@pytest.mark.parametrize(
    ("data", "param"),
    [({"known_speaker_names[]": "Ann"}, "known_speaker_references"),
     ({"model": "tone/count", "include[]": "logprobs"}, "include"),
     ({"chunking_strategy": '{"type": "server_vad", "threshold": 9}'}, "chunking_strategy"),
     ({"chunking_strategy": "{"}, "chunking_strategy"),
     ({"temperature": "nan"}, "temperature")],
)  # fmt: skip
def test_what_cannot_be_done_names_the_parameter(client, data, param):
    answer = transcribe(client, **data)
    assert answer.status_code == 400, answer.text
    assert (answer.json()["error"]["param"] or "").startswith(param)


def test_voices_are_listed_in_both_shapes(client):
    answer = client.get("/v1/audio/voices", params={"model": "tone/sine"}).json()
    assert answer["voices"] == answer["data"]
    assert answer["voices"][0] == {
        "id": "low",
        "name": "low",
        "language": "en",
        "gender": None,
        "model": "tone/sine",
    }
    assert any(voice["model"] == "espeak/en-us"
               for voice in client.get("/v1/audio/voices").json()["voices"])  # fmt: skip


@pytest.mark.parametrize("path", ["espeak/en-us", "espeak%2Fen-us"])
def test_an_id_with_a_slash_is_reachable(client, path):
    assert client.get(f"/v1/models/{path}").json()["id"] == "espeak/en-us"


def test_api_models_tells_the_state(client):
    speak(client, model="tone/sine")
    models = {model["id"]: model for model in client.get("/api/models").json()["models"]}
    assert models["tone/sine"]["state"] == "loaded"
    assert models["tone/sine"]["memory_bytes"] > 5e6
    assert models["tone/chorus"]["state"] == "downloaded"
    assert models["espeak/en-us"]["is_default"]


def test_options_that_a_model_lacks_are_named_and_left_out(client):
    answer = speak(client, model="tone/plain", seed=2, instructions="sing")
    assert answer.status_code == 200
    assert answer.headers["x-ignored-options"] == "instructions, seed"
    assert "x-ignored-options" not in speak(client, model="tone/plain").headers
    data = {"model": "tone/count", "prompt": "a", "temperature": "0.5", "keywords[]": "alpha"}
    heard = client.post("/v1/audio/transcriptions", data=data, files={"file": wav_bytes(sine())})
    assert heard.status_code == 200
    assert heard.headers["x-ignored-options"] == "prompt, keywords, temperature"


def test_the_operator_may_have_such_options_refused(tmp_path):
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "TTS_MODEL": "tone/plain",
        "OS_UNSUPPORTED_OPTIONS": "refuse",
    }
    with live_server(tmp_path, environment) as server, server.client() as client:
        answer = client.post(
            "/v1/audio/speech", json={"model": "tone/plain", "input": "Hello", "seed": 2}
        )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unsupported_capability"
    assert answer.json()["error"]["param"] == "seed"


def test_figures_are_there_for_prometheus(client):
    speak(client, model="tone/sine")
    text = client.get("/metrics").text
    assert re.search(r'open_speech_model_resident_bytes\{.*model="tone/sine".*\} [1-9]', text)
    assert re.search(r'open_speech_requests_total\{.*route="/v1/audio/speech".*\} [1-9]', text)


def test_the_server_holds_no_engine_and_no_provider(live, client):
    speak(client)
    maps = Path(f"/proc/{live.process.pid}/maps").read_text()
    for library in ("espeak", "pocketsphinx", "torch", "onnxruntime", "ctranslate2"):
        assert library not in maps


def _steps(record: Path) -> int:
    return sum(line.startswith("step") for line in record.read_text().splitlines())


def _until(condition, message: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.02)


@pytest.mark.parametrize("stage", ["before the first sound", "in the middle"])
def test_a_client_that_leaves_stops_the_engine(live, record, tmp_path, stage):
    """Counted in the engine: after the client has gone, it makes no more than one further step."""
    record.unlink(missing_ok=True)
    body = json.dumps({"model": "faulty/hang" if stage.startswith("before") else "faulty/any",
                       "input": "Hello", "response_format": "pcm"}).encode()  # fmt: skip
    if stage.startswith("before"):
        with socket.create_connection(("127.0.0.1", live.port)) as connection:
            connection.sendall(_request(body))
            _until(record.exists, "the engine was not called")
        # The slot must become free although this engine can only be killed: others are served.
        with live.client() as client:
            assert speak(client, model="tone/sine").status_code == 200
        return
    with (
        live.client() as client,
        client.stream("POST", "/v1/audio/speech", json=json.loads(body)) as answer,
    ):
        next(answer.iter_bytes())
    _until(lambda: "finally" in record.read_text(), "the engine went on")


def _request(body: bytes) -> bytes:
    return (
        b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )


def test_a_failure_after_the_first_sound_is_no_silent_short_file(client):
    body = {"input": "Hello", "model": "faulty/rate-changes", "response_format": "pcm"}
    request = client.build_request("POST", "/v1/audio/speech", json=body)
    answer = client.send(request, stream=True)
    assert answer.status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        answer.read()


def test_a_failure_in_an_event_stream_is_an_error_event(client):
    body = {"input": "Hello", "model": "faulty/rate-changes", "stream_format": "sse",
            "response_format": "pcm"}  # fmt: skip
    request = client.build_request("POST", "/v1/audio/speech", json=body)
    answer = client.send(request, stream=True)
    lines: list[str] = []
    with suppress(httpx.RemoteProtocolError):
        for line in answer.iter_lines():
            lines.append(line)  # noqa: PERF402 - what came before the end counts
    assert '"type": "error"' in [line for line in lines if line][-1]


def test_sixteen_callers_are_all_served(live):
    with ThreadPoolExecutor(16) as threads, live.client() as client:
        calls = [threads.submit(speak, client, model="tone/sine", input=f"{n} words")
                 for n in range(16)]  # fmt: skip
        assert [call.result().status_code for call in calls] == [200] * 16


def test_a_wav_can_be_read_by_the_standard_library(client):
    content = speak(client, model="tone/sine", response_format="wav").content
    with wave.open(BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        frames = file.readframes(10_000_000)
    assert len(frames) == len(content) - 44
    assert struct.unpack("<h", frames[:2])


def test_no_text_audio_or_key_in_the_logs(live, client):
    speak(client, model="tone/sine", input="canary-sentence")
    client.get("/v1/models", headers={"Authorization": "Bearer canary-key"})
    text = live.log.read_text()
    assert "canary-sentence" not in text
    assert "canary-key" not in text


class TestStopping:
    """What happens at the end."""

    @pytest.fixture
    def stoppable(self, tmp_path) -> Iterator[Live]:
        install_provider(tmp_path / "site", "faulty", "open_speech.testing.faulty")
        gate = tmp_path / "gate"
        os.mkfifo(gate)
        environment = {
            "PYTHONPATH": str(tmp_path / "site"),
            "OPEN_SPEECH_FAULTY_GATE": str(gate),
            "TTS_MODEL": "faulty/any",
            "STT_MODEL": "faulty/hear",
        }
        with live_server(tmp_path, environment) as server:
            yield server

    def test_what_is_under_way_is_finished_and_nothing_is_left(self, stoppable, tmp_path):
        body = {"model": "faulty/any", "input": "Hello", "response_format": "pcm"}
        workers = stoppable.workers()
        assert workers
        # Open for both: neither end then waits for the other.
        with (tmp_path / "gate").open("r+b", buffering=0) as gate:
            gate.write(b"1")
            with (
                stoppable.client() as client,
                client.stream("POST", "/v1/audio/speech", json=body) as answer,
            ):
                pieces = answer.iter_bytes()
                received = len(next(pieces))
                stoppable.process.send_signal(signal.SIGTERM)
                _until(lambda: b"no new work" in stoppable.log.read_bytes(), "no word of it")
                gate.write(b"11")
                received += sum(len(piece) for piece in pieces)
        assert received == round(0.3 * 24_000) * 2
        assert stoppable.process.wait(60) == 0
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert alive == []

    def test_until_then_new_connections_are_told(self, stoppable, tmp_path):
        body = {"model": "faulty/any", "input": "Hello", "response_format": "pcm"}
        with (
            (tmp_path / "gate").open("r+b", buffering=0) as gate,
            stoppable.client() as client,
            ThreadPoolExecutor(1) as threads,
        ):
            call = threads.submit(client.post, "/v1/audio/speech", json=body)
            _until(lambda: _busy(stoppable), "the request did not arrive")
            stoppable.process.send_signal(signal.SIGTERM)
            _until(lambda: b"no new work" in stoppable.log.read_bytes(), "no word of it")
            with stoppable.client() as other:
                ready = other.get("/health/ready")
                refused = other.post("/v1/audio/speech", json=body)
            gate.write(b"111")
            assert call.result().status_code == 200
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "shutting_down"
        assert stoppable.process.wait(60) == 0

    def test_what_takes_longer_than_the_limit_is_answered_in_our_shape(self, tmp_path):
        install_provider(tmp_path / "site", "faulty", "open_speech.testing.faulty")
        os.mkfifo(tmp_path / "gate")
        environment = {
            "PYTHONPATH": str(tmp_path / "site"),
            "OPEN_SPEECH_FAULTY_GATE": str(tmp_path / "gate"),
            "TTS_MODEL": "faulty/any",
            "OS_DRAIN_S": "0.5",
        }
        body = {"model": "faulty/any", "input": "Hello"}
        with (
            live_server(tmp_path, environment) as server,
            (tmp_path / "gate").open("r+b", buffering=0),
            ThreadPoolExecutor(1) as threads,
            server.client() as client,
        ):
            call = threads.submit(client.post, "/v1/audio/speech", json=body)
            _until(lambda: _busy(server), "the request did not arrive")
            server.process.send_signal(signal.SIGTERM)
            answer = call.result()
            assert server.process.wait(60) == 0
            log = server.log.read_text()
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "shutting_down"
        assert int(answer.headers["retry-after"]) > 0
        assert "Traceback" not in log

    def test_a_second_signal_ends_it_at_once(self, stoppable, tmp_path):
        body = {"model": "faulty/any", "input": "Hello"}
        workers = stoppable.workers()
        with (
            (tmp_path / "gate").open("r+b", buffering=0),
            ThreadPoolExecutor(1) as threads,
            stoppable.client() as client,
        ):
            call = threads.submit(client.post, "/v1/audio/speech", json=body)
            _until(lambda: _busy(stoppable), "the request did not arrive")
            stoppable.process.send_signal(signal.SIGTERM)
            _until(lambda: b"no new work" in stoppable.log.read_bytes(), "no word of it")
            stoppable.process.send_signal(signal.SIGTERM)
            stoppable.process.wait(60)
            with suppress(httpx.TransportError):  # or cut off before there was an answer
                assert call.result().status_code >= 500
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


def _busy(live: Live) -> bool:
    with live.client() as client:
        return 'open_speech_model_users{device="cpu",model="faulty/any",provider="faulty"} 1' in (
            client.get("/metrics").text
        )


def test_a_key_is_needed_everywhere_but_for_health_and_pages(tmp_path):
    environment = {"OS_API_KEY": "s3cret", "TTS_MODEL": "espeak/en-us"}
    with live_server(tmp_path, environment, ready=False) as server, server.client() as client:
        paths = client.get("/health").status_code, client.get("/health/live").status_code
        assert paths == (200, 200)
        for path in ("/v1/models", "/openapi.json", "/metrics", "/api/models", "/x", "/web/x"):
            answer = client.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        with openai.OpenAI(base_url=f"{server.address}/v1", api_key="s3cret") as sdk:
            assert sdk.models.list().data


def test_health_answers_at_once_while_models_load(tmp_path):
    install_provider(tmp_path / "site", "faulty", "open_speech.testing.faulty")
    environment = {"PYTHONPATH": str(tmp_path / "site"), "TTS_MODEL": "faulty/load-hang"}
    with live_server(tmp_path, environment, ready=False) as server, server.client() as client:
        assert client.get("/health").json()["status"] == "ok"
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert "faulty/load-hang" in answer.json()["pending"]


def test_a_cold_model_is_loaded_once_for_all(live):
    async def many() -> list[int]:
        async with httpx.AsyncClient(base_url=live.address, timeout=120) as client:
            body = {"model": "tone/chorus", "input": "Hello"}
            answers = await asyncio.gather(
                *(client.post("/v1/audio/speech", json=body) for _ in range(30))
            )
        return [answer.status_code for answer in answers]

    assert asyncio.run(many()) == [200] * 30


def test_voices_of_what_is_loaded_are_listed_though_the_default_is_not_installed(tmp_path):
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {"PYTHONPATH": str(tmp_path / "site"), "TTS_MODEL": "nobody/has-it,tone/sine"}
    with live_server(tmp_path, environment, ready=False) as server, server.client() as client:
        assert speak(client, model="tone/sine").status_code == 200
        voices = client.get("/v1/audio/voices").json()["voices"]
    assert {voice["model"] for voice in voices} == {"tone/sine"}
