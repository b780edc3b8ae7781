"""The whole transcription contract over HTTP, on a Whisper model that comes from a hub."""

from __future__ import annotations

import io
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from openai.types.audio import (
    Transcription,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
    TranslationVerbose,
)

from live import Live, live_server
from open_speech import Transcription as Transcribed
from open_speech import TranscriptionRequest
from open_speech.testing import install_provider, noise, silence, sine, wav_bytes
from open_speech.testing.hub import FakeHub
from open_speech_server.answers import render
from sound_files import KINDS, bare_decode, write

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
from faster_whisper import WhisperModel

DATA = Path(__file__).parents[3] / "packages" / "open-speech-provider-whisper" / "tests" / "data"
TINY = "Systran/faster-whisper-tiny"
CLIP = DATA / "audio" / "digits_us_m4.wav"
PAUSE = DATA / "audio" / "two_phrases_2s_pause_gb_m4.wav"
STEPS = 1_000
"""Of the faulty provider, each when it is let."""
MINUTES = 31
SPOKEN = "one two three four five"
URL = "/v1/audio/transcriptions"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the faulty provider notes what it does."""
    return tmp_path_factory.mktemp("record") / "record"


@pytest.fixture(scope="module")
def gate(record: Path) -> Path:
    """A named pipe: each byte in it lets the faulty provider take a step."""
    os.mkfifo(record.with_name("gate"))
    return record.with_name("gate")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, record: Path, gate: Path) -> Iterator[Live]:
    """A server whose default is Whisper, beside the test providers."""
    folder = tmp_path_factory.mktemp("transcription")
    for name in ("tone", "faulty"):
        install_provider(folder / "site", name, f"open_speech.testing.{name}")
    with FakeHub() as hub:
        hub.add(TINY, DATA / "whisper-digits")
        environment = {
            "PYTHONPATH": str(folder / "site"),
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(folder / "nobodys"),
            "OPEN_SPEECH_FAULTY_GATE": str(gate),
            "OPEN_SPEECH_FAULTY_RECORD": str(record),
            "OPEN_SPEECH_FAULTY_STEPS": str(STEPS),
            "OPEN_SPEECH_FAULTY_AFTER": "1",
            "STT_MODEL": TINY,
            "TTS_MODEL": "tone/sine",
        }
        with live_server(folder, environment) as server:
            yield server


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


@pytest.fixture(scope="module")
def sdk(live: Live) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.address}/v1", api_key="unused", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def bare() -> WhisperModel:
    """The library alone, over the same weights."""
    return WhisperModel(str(DATA / "whisper-digits"), device="cpu", compute_type="int8")


def send(client: httpx.Client, audio: bytes, name: str = "a.wav", **fields: Any) -> httpx.Response:
    return client.post(URL, files={"file": (name, audio)}, data=fields)


def as_kind(clip: Path, kind: str) -> bytes:
    """The clip as another kind of file."""
    if kind == "wav":
        return clip.read_bytes()
    muxer, codec, rate = KINDS[kind]
    return write(muxer, codec, bare_decode(clip.read_bytes(), rate)[None], rate)


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data:")]


class TestEqualToTheLibrary:
    """What comes through the server is what the library says, to the last digit."""

    @pytest.mark.parametrize("kind", ["wav", "mp3", "webm"])
    @pytest.mark.parametrize("clip", [CLIP, PAUSE], ids=lambda clip: clip.stem)
    def test_text_and_times(self, client, bare, kind, clip):
        audio = as_kind(clip, kind)
        heard, info = bare.transcribe(io.BytesIO(audio), word_timestamps=True, vad_filter=True)
        expected = list(heard)
        answer = send(
            client, audio, f"a.{kind}", response_format="verbose_json",
            **{"timestamp_granularities[]": ["word", "segment"]},
        ).json()  # fmt: skip
        assert expected
        assert answer["text"] == " ".join(each.text.strip() for each in expected)
        assert answer["segments"] == [
            {
                "id": number,
                "seek": each.seek,
                "start": each.start,
                "end": each.end,
                "text": each.text,
                "tokens": each.tokens,
                "temperature": each.temperature,
                "avg_logprob": each.avg_logprob,
                "compression_ratio": each.compression_ratio,
                "no_speech_prob": each.no_speech_prob,
            }
            for number, each in enumerate(expected)
        ]
        assert answer["words"] == [
            {"word": word.word.strip(), "start": word.start, "end": word.end}
            for each in expected
            for word in each.words
        ]
        assert answer["duration"] == info.duration

    def test_prompt_keywords_and_temperature_reach_it(self, client, bare):
        audio = CLIP.read_bytes()
        heard, _ = bare.transcribe(
            io.BytesIO(audio), vad_filter=True, initial_prompt="six seven", temperature=0.4,
            hotwords="nine, zero",
        )  # fmt: skip
        (expected,) = heard
        (segment,) = send(
            client, audio, response_format="verbose_json", prompt="six seven", temperature="0.4",
            **{"keywords[]": ["nine", "zero"]},
        ).json()["segments"]  # fmt: skip
        assert segment["temperature"] == 0.4
        assert segment["text"] == expected.text
        assert segment["end"] == expected.end


@pytest.mark.parametrize("audio", [silence(2.0), noise(2.0)], ids=["silence", "noise"])
@pytest.mark.parametrize("stream", ["false", "true"])
def test_silence_and_noise_give_no_text(client, audio, stream):
    answer = send(client, wav_bytes(audio), stream=stream)
    done = events_of(answer)[-1] if stream == "true" else answer.json()
    # This model knows English alone, so that the language of silence is no question.
    assert (done["text"], done["languages"]) == ("", [{"code": "en"}])


def test_an_engine_that_tells_no_language_gives_an_empty_list():
    nothing = TranscriptionRequest(audio=silence(1.0))
    told = Transcribed(text="", language=None, duration=1.0)
    assert json.loads(bytes(render(told, nothing, "json").body))["languages"] == []


@pytest.mark.parametrize("name", ["silence", "noise_only"])
def test_recorded_silence_gives_no_text(client, name):
    assert send(client, (DATA / "audio" / f"{name}.wav").read_bytes()).json()["text"] == ""


class TestFormats:
    def test_c9_json(self, client):
        answer = send(client, CLIP.read_bytes())
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "text": SPOKEN,
            "languages": [{"code": "en"}],
            "usage": {"type": "duration", "seconds": 2.34},
        }

    def test_c9_text(self, client):
        answer = send(client, CLIP.read_bytes(), response_format="text")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text == f"{SPOKEN}\n"

    def test_c9_srt(self, client):
        answer = send(client, CLIP.read_bytes(), response_format="srt")
        assert answer.headers["content-type"].startswith("text/plain")
        number, times, words = answer.text.strip().splitlines()
        assert (number, words) == ("1", SPOKEN)
        assert times.startswith("00:00:00,000 --> 00:00:0")

    def test_c9_vtt(self, client):
        answer = send(client, CLIP.read_bytes(), response_format="vtt")
        assert answer.headers["content-type"].startswith("text/vtt")
        head, _, times, words = answer.text.strip().splitlines()
        assert (head, words) == ("WEBVTT", SPOKEN)
        assert times.startswith("00:00:00.000 --> 00:00:0")

    def test_c9_no_segments_no_cues(self, client):
        audio = wav_bytes(silence(1.0))
        assert send(client, audio, response_format="srt").text.strip() == ""
        assert send(client, audio, response_format="vtt").text.strip() == "WEBVTT"
        verbose = send(client, audio, response_format="verbose_json").json()
        assert (verbose["text"], verbose["segments"]) == ("", [])

    def test_c9_diarized_json_names_what_is_missing(self, client):
        answer = send(client, CLIP.read_bytes(), response_format="diarized_json")
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (400, "response_format")
        assert error["code"] == "unsupported_capability"
        assert "speakers" in error["message"]


class TestSdk:
    """Parsed strictly into the official client's own types."""

    def test_c9_json_with_logprobs(self, sdk):
        answer = sdk.audio.transcriptions.create(model=TINY, file=CLIP, include=["logprobs"])
        strict = Transcription.model_validate(answer.to_dict())
        assert strict.text == SPOKEN
        assert [language.code for language in strict.languages] == ["en"]
        assert strict.usage.type == "duration"
        assert "".join(each.token for each in strict.logprobs).strip() == SPOKEN
        assert all(each.logprob <= 0 for each in strict.logprobs)
        assert bytes(map(int, strict.logprobs[0].bytes)).decode() == strict.logprobs[0].token

    def test_c9_verbose_json(self, sdk):
        answer = sdk.audio.transcriptions.create(
            model="whisper-1", file=CLIP, response_format="verbose_json", language="en",
            temperature=0, timestamp_granularities=["word"],
        )  # fmt: skip
        strict = TranscriptionVerbose.model_validate(answer.to_dict())
        assert strict.language == "english"
        assert [word.word for word in strict.words] == SPOKEN.split()
        assert strict.usage.seconds == pytest.approx(strict.duration, abs=0.01)

    def test_c12_events_one_delta_a_segment(self, sdk):
        stream = sdk.audio.transcriptions.create(
            model=TINY, file=PAUSE, stream=True, include=["logprobs"], keywords=["lights"],
            chunking_strategy={"type": "server_vad", "silence_duration_ms": 500},
        )  # fmt: skip
        *deltas, done = [event.to_dict() for event in stream]
        parsed = [TranscriptionTextDeltaEvent.model_validate(delta) for delta in deltas]
        end = TranscriptionTextDoneEvent.model_validate(done)
        assert len(parsed) == 2
        assert "".join(delta.delta for delta in parsed) == end.text
        assert [each.token for delta in parsed for each in delta.logprobs] == [
            each.token for each in end.logprobs
        ]
        assert [language.code for language in end.languages] == ["en"]
        assert end.usage.total_tokens == end.usage.input_tokens + end.usage.output_tokens > 0

    @pytest.mark.parametrize("response_format", ["text", "srt", "vtt"])
    def test_c9_texts(self, sdk, response_format):
        answer = sdk.audio.transcriptions.create(
            model=TINY, file=CLIP, response_format=response_format
        )
        assert SPOKEN in answer

    @pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as OpenAI says
    def test_c9_a_translation(self, sdk):
        answer = sdk.audio.translations.create(
            model="tone/echo", file=CLIP, response_format="verbose_json", prompt="", temperature=0
        )
        strict = TranslationVerbose.model_validate(answer.to_dict())
        assert strict.language == "english"
        assert strict.segments

    @pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as OpenAI says
    def test_c11_a_model_that_does_not_translate_says_so(self, sdk):
        with pytest.raises(openai.BadRequestError) as caught:
            sdk.audio.translations.create(model=TINY, file=CLIP)
        assert caught.value.code == "unsupported_capability"
        assert "translation" in caught.value.message

    def test_c11_a_language_that_it_does_not_know(self, sdk):
        with pytest.raises(openai.BadRequestError) as caught:
            sdk.audio.transcriptions.create(model=TINY, file=CLIP, language="tlh")
        assert caught.value.param == "language"


class TestFields:
    @pytest.mark.parametrize("language", ["en", "en-GB", "EN"])
    def test_language(self, client, language):
        assert send(client, CLIP.read_bytes(), language=language).json()["text"] == SPOKEN

    @pytest.mark.parametrize("name", ["keywords", "keywords[]"])
    def test_c10_a_hundred_keywords(self, client, name):
        answer = send(client, CLIP.read_bytes(), **{name: ["nine"] * 100})
        assert answer.status_code == 200, answer.text

    def test_c10_unknown_fields_are_ignored(self, client):
        more = {"vad_filter": "true", "hotwords": "x", "without_timestamps": "true", "x[y]": "z"}
        assert send(client, CLIP.read_bytes(), **more).json()["text"] == SPOKEN

    @pytest.mark.parametrize(
        ("media_type", "rate"),
        [("audio/pcm", 16_000), ("audio/raw", 16_000), ("audio/pcm;rate=24000", 24_000)],
    )
    def test_raw_sound_by_its_content_type(self, client, media_type, rate):
        samples = (bare_decode(CLIP.read_bytes(), rate) * 32767).astype("<i2").tobytes()
        answer = client.post(URL, files={"file": ("a.pcm", samples, media_type)})
        assert answer.json()["text"] == SPOKEN
        assert answer.json()["usage"]["seconds"] == pytest.approx(2.34, abs=0.01)

    @pytest.mark.parametrize("kind", sorted(KINDS))
    @pytest.mark.parametrize("lie", [False, True], ids=["true", "lie"])
    def test_c14_every_kind_of_file_under_any_name(self, client, kind, lie):
        name, media_type = ("a.txt", "image/png") if lie else (f"a.{kind}", f"audio/{kind}")
        audio = as_kind(CLIP, kind)
        answer = client.post(URL, files={"file": (name, audio, media_type)})
        assert answer.status_code == 200, answer.text
        narrow = KINDS[kind][2] == 8_000  # the model has never heard a telephone
        assert narrow or answer.json()["text"] == SPOKEN

    def test_c14_a_video_with_one_track_of_sound(self, client):
        samples = bare_decode(CLIP.read_bytes(), 44_100)[None]
        audio = write("mp4", "aac", samples, 44_100, video=True)
        assert send(client, audio, "film.mp4").json()["text"] == SPOKEN


@pytest.fixture(scope="module")
def talk() -> bytes:
    """A long recording of little size: tones a minute apart, silence otherwise."""
    minute = np.zeros(60 * 8_000, np.float32)
    minute[2_000:6_000] = np.sin(np.arange(4_000) / 3) * 0.5
    return write("flac", "flac", np.tile(minute, MINUTES)[None], 8_000)


class TestLongRecordings:
    """Above thirty minutes a recording is heard stretch by stretch."""

    def test_times_are_those_of_the_whole(self, client, talk):
        answer = send(client, talk, model="tone/echo", response_format="verbose_json").json()
        assert answer["duration"] == MINUTES * 60
        starts = np.array([each["start"] for each in answer["segments"]])
        minutes = np.round(starts / 60)
        assert set(minutes) == set(range(MINUTES))
        # Seconds are counted anew from where the recording was cut, which is no whole second.
        assert np.all(np.abs(starts - 60 * minutes) <= 1.01)
        assert np.all(np.diff(starts) > 0)

    def test_events_come_before_the_last_stretch_is_decoded(self, client, talk):
        answer = send(client, talk, model="tone/echo", stream="true")
        *deltas, done = events_of(answer)
        assert len(deltas) == len(done["text"].split(" samples peaking at ")) - 1 >= MINUTES
        assert done["usage"]["input_tokens"] == MINUTES * 600


def _until(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)  # between two looks at another process


@pytest.fixture
def steps(gate: Path, record: Path) -> Iterator[Callable[[int], None]]:
    """Let the faulty provider take some steps, and wait for each."""
    record.unlink(missing_ok=True)
    record.touch()
    with gate.open("r+b", buffering=0) as pipe:

        def take(count: int) -> None:
            for _ in range(count):
                done = len(record.read_bytes())
                pipe.write(b"1")
                _until(lambda done=done: len(record.read_bytes()) > done, "nothing was done")

        yield take
        os.set_blocking(pipe.fileno(), False)
        pipe.read(1_000)


@pytest.mark.parametrize("stream", ["false", "true"])
def test_s1_a_client_that_leaves_stops_the_hearing(live, record, steps, stream):
    sound = {"file": ("a.wav", wav_bytes(sine(1.0)))}
    with live.client() as own:
        request = own.build_request(
            "POST", URL, files=sound, data={"model": "faulty/hear", "stream": stream}
        )
        raw = b"POST " + URL.encode() + b" HTTP/1.1\r\n"
        raw += b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.raw)
        raw += b"\r\n" + request.read()
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(raw)
        steps(2)
        if stream == "true":
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    # It would take STEPS of them. What it takes until the server sees that nobody is there, and
    # the one that it was in, are all that it takes.
    while b"finally" not in record.read_bytes():
        steps(1)
        assert record.read_bytes().count(b"step") < STEPS / 10
    status = "complete=False" if stream == "true" else "status=499"
    _until(lambda: status in live.log.read_text(), "the request was not ended")
    assert "ClientLeft" not in live.log.read_text()


@pytest.fixture
def one_step(gate: Path) -> Iterator[None]:
    """Let the faulty provider take its one step whenever it comes to it."""
    with gate.open("r+b", buffering=0) as pipe:
        pipe.write(b"1")
        yield
        os.set_blocking(pipe.fileno(), False)
        pipe.read(1_000)


def test_s6_a_failure_is_a_status_where_nothing_was_sent(client, one_step):
    answer = send(client, wav_bytes(sine(1.0)), model="faulty/hear-none")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "invalid_result")


def test_s6_a_failure_after_the_first_event_is_told_and_breaks_the_stream(client, one_step):
    request = client.build_request(
        "POST", URL, files={"file": ("a.wav", wav_bytes(sine(1.0)))},
        data={"model": "faulty/hear-none", "stream": "true"},
    )  # fmt: skip
    answer = client.send(request, stream=True)
    lines: list[str] = []
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 - it breaks on the way
        for line in answer.iter_lines():
            lines.append(line)  # noqa: PERF402 - what came before the end counts
    delta, error = (json.loads(line[6:]) for line in lines if line)
    assert (delta["type"], delta["delta"]) == ("transcript.text.delta", "step 0")
    assert (error["type"], error["error"]["code"]) == ("error", "invalid_result")
