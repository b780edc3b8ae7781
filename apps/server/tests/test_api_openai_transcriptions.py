"""The whole transcription contract over HTTP, on a Whisper model that comes from a hub."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import httpx
import openai
import pytest
from openai.types.audio import (
    Transcription,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
    TranslationVerbose,
)

from hearing import (
    CLIP,
    DATA,
    DIGITS,
    PAUSE,
    SPOKEN,
    TINY,
    URL,
    as_kind,
    events_of,
    hearing_server,
    send,
)
from live import Live
from open_speech import Transcription as Transcribed
from open_speech import TranscriptionRequest
from open_speech.testing import noise, silence, wav_bytes
from open_speech_server.api.openai.transcription_responses import render
from sound_files import KINDS, bare_decode, write

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with hearing_server(tmp_path_factory.mktemp("transcription"), {TINY: DIGITS}) as server:
        yield server


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


@pytest.fixture(scope="module")
def sdk(live: Live) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.address}/v1", api_key="unused", max_retries=0) as client:
        yield client


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


class TestJson:
    """OpenRouter's shape, which Open WebUI sends in its second mode."""

    @pytest.mark.parametrize("prefix", ["", "data:audio/wav;base64,"])
    def test_a_recording_in_base64(self, client, prefix):
        data = prefix + base64.b64encode(CLIP.read_bytes()).decode()
        body = {"model": TINY, "input_audio": {"data": data, "format": "wav"}, "language": None}
        answer = client.post(URL, json=body)
        assert (answer.status_code, answer.json()["text"]) == (200, SPOKEN)

    def test_other_fields_mean_what_they_mean_in_a_form(self, client):
        data = base64.b64encode(CLIP.read_bytes()).decode()
        body = {"input_audio": {"data": data}, "timestamp_granularities": ["word"]}
        answer = client.post(URL, json={**body, "response_format": "verbose_json"}).json()
        assert " ".join(word["word"].strip() for word in answer["words"]) == SPOKEN

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"model": TINY}, "'input_audio' is required in a JSON body."),
            ({"input_audio": {"data": "!"}}, "The field 'input_audio' is not valid base64."),
            ({"input_audio": {"format": "wav"}}, "'input_audio' needs the recording"),
            ({"input_audio": 3}, "'input_audio' needs the recording"),
            ({"input_audio": "https://a.example/b.wav"}, "The field 'input_audio' is a URL"),
            ([], "The body must be a JSON object."),
        ],
    )
    def test_what_is_wrong_is_said(self, client, body, said):
        answer = client.post(URL, json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith(said)

    def test_a_body_that_is_neither_names_its_header(self, client):
        headers = {"Content-Type": "audio/wav"}
        answer = client.post(URL, content=CLIP.read_bytes(), headers=headers)
        assert answer.status_code == 400
        assert "'audio/wav'" in answer.json()["error"]["message"]
        assert "multipart/form-data" in answer.json()["error"]["message"]

    def test_a_recording_too_large_for_json_is_refused(self, client):
        assert client.post(URL, json={"input_audio": {"data": "A" * (34 << 20)}}).status_code == 413


class TestFormats:
    def test_json(self, client):
        answer = send(client, CLIP.read_bytes())
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "text": SPOKEN,
            "languages": [{"code": "en"}],
            "usage": {"type": "duration", "seconds": 2.34},
        }

    def test_text(self, client):
        answer = send(client, CLIP.read_bytes(), response_format="text")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text == f"{SPOKEN}\n"

    def test_srt(self, client):
        answer = send(client, CLIP.read_bytes(), response_format="srt")
        assert answer.headers["content-type"].startswith("text/plain")
        number, times, words = answer.text.strip().splitlines()
        assert (number, words) == ("1", SPOKEN)
        assert times.startswith("00:00:00,000 --> 00:00:0")

    def test_vtt(self, client):
        answer = send(client, CLIP.read_bytes(), response_format="vtt")
        assert answer.headers["content-type"].startswith("text/vtt")
        head, _, times, words = answer.text.strip().splitlines()
        assert (head, words) == ("WEBVTT", SPOKEN)
        assert times.startswith("00:00:00.000 --> 00:00:0")

    def test_no_segments_no_cues(self, client):
        audio = wav_bytes(silence(1.0))
        assert send(client, audio, response_format="srt").text.strip() == ""
        assert send(client, audio, response_format="vtt").text.strip() == "WEBVTT"
        verbose = send(client, audio, response_format="verbose_json").json()
        assert (verbose["text"], verbose["segments"]) == ("", [])


class TestSdk:
    """Parsed strictly into the official client's own types."""

    def test_json_with_logprobs(self, sdk):
        answer = sdk.audio.transcriptions.create(model=TINY, file=CLIP, include=["logprobs"])
        strict = Transcription.model_validate(answer.to_dict())
        assert strict.text == SPOKEN
        assert [language.code for language in strict.languages] == ["en"]
        assert strict.usage.type == "duration"
        assert "".join(each.token for each in strict.logprobs).strip() == SPOKEN
        assert all(each.logprob <= 0 for each in strict.logprobs)
        assert bytes(map(int, strict.logprobs[0].bytes)).decode() == strict.logprobs[0].token

    def test_verbose_json(self, sdk):
        answer = sdk.audio.transcriptions.create(
            model="whisper-1", file=CLIP, response_format="verbose_json", language="en",
            temperature=0, timestamp_granularities=["word"],
        )  # fmt: skip
        strict = TranscriptionVerbose.model_validate(answer.to_dict())
        assert strict.language == "english"
        assert [word.word for word in strict.words] == SPOKEN.split()
        assert strict.usage.seconds == pytest.approx(strict.duration, abs=0.01)

    def test_events_one_delta_a_segment(self, sdk):
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
    def test_texts(self, sdk, response_format):
        answer = sdk.audio.transcriptions.create(
            model=TINY, file=CLIP, response_format=response_format
        )
        assert SPOKEN in answer

    @pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as OpenAI says
    def test_a_translation(self, sdk):
        answer = sdk.audio.translations.create(
            model="tone/echo", file=CLIP, response_format="verbose_json", prompt="", temperature=0
        )
        strict = TranslationVerbose.model_validate(answer.to_dict())
        assert strict.language == "english"
        assert strict.segments

    @pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as OpenAI says
    def test_a_model_that_does_not_translate_says_so(self, sdk):
        with pytest.raises(openai.BadRequestError) as caught:
            sdk.audio.translations.create(model=TINY, file=CLIP)
        assert caught.value.code == "unsupported_capability"
        assert "translation" in caught.value.message

    def test_a_language_that_it_does_not_know(self, sdk):
        with pytest.raises(openai.BadRequestError) as caught:
            sdk.audio.transcriptions.create(model=TINY, file=CLIP, language="tlh")
        assert caught.value.param == "language"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer sk-unused", "Basic x"])
def test_without_a_key_set_every_client_is_heard(live, header):
    headers = {} if header is None else {"Authorization": header}
    with live.client(headers=headers) as client:
        assert send(client, CLIP.read_bytes()).json()["text"] == SPOKEN


class TestFields:
    @pytest.mark.parametrize("language", ["en", "en-GB", "EN"])
    def test_language(self, client, language):
        assert send(client, CLIP.read_bytes(), language=language).json()["text"] == SPOKEN

    @pytest.mark.parametrize("name", ["keywords", "keywords[]"])
    def test_a_hundred_keywords(self, client, name):
        answer = send(client, CLIP.read_bytes(), **{name: ["nine"] * 100})
        assert answer.status_code == 200, answer.text

    def test_unknown_fields_are_ignored(self, client):
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
    def test_every_kind_of_file_under_any_name(self, client, kind, lie):
        name, media_type = ("a.txt", "image/png") if lie else (f"a.{kind}", f"audio/{kind}")
        audio = as_kind(CLIP, kind)
        answer = client.post(URL, files={"file": (name, audio, media_type)})
        assert answer.status_code == 200, answer.text
        narrow = KINDS[kind][2] == 8_000  # the model has never heard a telephone
        assert narrow or answer.json()["text"] == SPOKEN

    def test_a_video_with_one_track_of_sound(self, client):
        samples = bare_decode(CLIP.read_bytes(), 44_100)[None]
        audio = write("mp4", "aac", samples, 44_100, video=True)
        assert send(client, audio, "film.mp4").json()["text"] == SPOKEN
