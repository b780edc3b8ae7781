"""Who speaks, over HTTP: diarized transcripts, turns, vectors of voices, where speech is."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator

import httpx
import openai
import pytest
from openai.types import CreateEmbeddingResponse
from openai.types.audio import (
    TranscriptionDiarized,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionTextSegmentEvent,
)

from hearing import events_of
from live import Live, live_server
from open_speech import Audio, Config, OpenSpeech
from open_speech.errors import ModelNotFound
from open_speech.testing import install_provider, join, read_wav, silence, sine, wav_bytes
from open_speech_server.api.speakers.form import default_model
from sound_files import write

LOW, HIGH, OTHER = (sine(2.0, frequency=each) for each in (220.0, 880.0, 1760.0))
TALK = wav_bytes(join(LOW, silence(1.0), HIGH))
ECHO = "16000 samples peaking at 0.50"
URL = "/v1/audio/transcriptions"
TURNS = [
    {"start": 0.0, "end": 2.0, "speaker": "A"},
    {"start": 3.0, "end": 5.0, "speaker": "B"},
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("speakers")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    install_provider(folder / "site", "faulty", "open_speech.testing.faulty")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
        "DIARIZATION_MODEL": "tone/pitch",
        "OS_MAX_AUDIO_S": "3600",
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


def send(
    client: httpx.Client, url: str = URL, sound: bytes = TALK, **fields: object
) -> httpx.Response:
    query = {"diarize": "true"} if fields.pop("in_query", None) else None
    return client.post(url, files={"file": ("a talk.wav", sound)}, data=fields, params=query)


def data_url(sound: Audio) -> str:
    return "data:audio/wav;base64," + base64.b64encode(wav_bytes(sound)).decode()


def known(*voices: tuple[str, Audio]) -> dict[str, list[str]]:
    return {
        "known_speaker_names[]": [name for name, _ in voices],
        "known_speaker_references[]": [data_url(voice) for _, voice in voices],
    }


class TestTranscripts:
    def test_segments_have_speakers(self, sdk):
        found = sdk.audio.transcriptions.create(
            model="gpt-4o-transcribe-diarize",
            file=("talk.wav", TALK),
            response_format="diarized_json",
            chunking_strategy="auto",
        )
        strict = TranscriptionDiarized.model_validate(found.to_dict(), strict=True)
        assert [each.speaker for each in strict.segments] == ["A", "A", "B", "B"]
        assert [each.text for each in strict.segments] == [ECHO] * 4
        assert [each.start for each in strict.segments] == [0.0, 1.0, 3.0, 4.0]
        assert strict.duration == pytest.approx(5.0)
        assert strict.text == " ".join([ECHO] * 4)
        assert strict.task == "transcribe"
        assert len({each.id for each in strict.segments}) == 4

    def test_a_stream_tells_each_segment_with_its_speaker(self, sdk):
        events = list(
            sdk.audio.transcriptions.create(
                model="gpt-4o-transcribe-diarize",
                file=("talk.wav", TALK),
                response_format="diarized_json",
                stream=True,
            )
        )
        segments = [each for each in events if isinstance(each, TranscriptionTextSegmentEvent)]
        deltas = [each for each in events if isinstance(each, TranscriptionTextDeltaEvent)]
        assert [(each.speaker, each.text) for each in segments] == [
            ("A", ECHO), ("A", ECHO), ("B", ECHO), ("B", ECHO),
        ]  # fmt: skip
        assert [each.segment_id for each in deltas] == [each.id for each in segments]
        assert isinstance(events[-1], TranscriptionTextDoneEvent)
        assert "".join(each.delta for each in deltas) == events[-1].text

    def test_json_says_who_said_what(self, client):
        """As in open-speech 0.6, in the query or in the form."""
        for fields in ({"in_query": True}, {"diarize": "true"}):
            found = send(client, **fields).json()
            assert [each["speaker"] for each in found["segments"]] == ["A", "A", "B", "B"]
            assert set(found["segments"][0]) == {"speaker", "start", "end", "text"}
            assert found["text"] == " ".join([ECHO] * 4)

    def test_text_has_a_line_for_each_speaker(self, client):
        found = send(client, response_format="text", diarize="true")
        assert found.text == f"A: {ECHO} {ECHO}\nB: {ECHO} {ECHO}\n"

    def test_verbose_json_has_speakers_of_segments_and_words(self, client):
        fields = {"response_format": "verbose_json", "timestamp_granularities[]": ["word"]}
        found = send(client, diarize="true", **fields).json()
        assert {each["speaker"] for each in found["words"]} == {"A", "B"}
        fields["timestamp_granularities[]"] = ["segment"]
        found = send(client, diarize="true", **fields).json()
        assert [each["speaker"] for each in found["segments"]] == ["A", "A", "B", "B"]
        assert "words" not in found
        assert "speaker" not in send(client, **fields).json()["segments"][0]

    def test_subtitles_name_speakers(self, client):
        srt = send(client, response_format="srt", diarize="true").text
        assert re.findall(r"^(\w): ", srt, re.MULTILINE) == ["A", "B"]
        vtt = send(client, response_format="vtt", diarize="true").text
        assert re.findall(r"^<v (\w)>", vtt, re.MULTILINE) == ["A", "B"]
        fields = {"response_format": "verbose_json", "subtitles[]": "vtt"}
        both = send(client, diarize="true", **fields).json()
        assert both["subtitles"]["vtt"] == vtt

    def test_without_being_asked_nobody_is_named(self, client):
        assert "segments" not in send(client).json()
        assert "<v " not in send(client, response_format="vtt").text

    def test_known_speakers_have_their_names(self, sdk, client):
        found = sdk.audio.transcriptions.create(
            model="gpt-4o-transcribe-diarize",
            file=("talk.wav", TALK),
            response_format="diarized_json",
            extra_body={
                "known_speaker_names": ["Helen", "Otto"],
                "known_speaker_references": [data_url(HIGH), data_url(OTHER)],
            },
        )
        assert [each.speaker for each in found.segments] == ["A", "A", "Helen", "Helen"]

    def test_a_model_without_word_times_is_joined_by_segments(self, client):
        sound = wav_bytes(join(LOW, HIGH))
        found = send(client, sound=sound, model="tone/count", response_format="diarized_json")
        assert [each["speaker"] for each in found.json()["segments"]] == ["A", "A", "B", "B"]

    def test_translations_know_speakers_too(self, client):
        url = "/v1/audio/translations"
        found = send(client, url, response_format="diarized_json", model="tone/echo").json()
        assert [each["speaker"] for each in found["segments"]] == ["A", "A", "B", "B"]
        assert found["task"] == "translate"

    def test_silence_has_neither_words_nor_speakers(self, client):
        sound = wav_bytes(silence(2.0))
        found = send(client, sound=sound, response_format="diarized_json").json()
        assert (found["text"], found["segments"]) == ("", [])

    def test_every_container_is_read_as_often_as_it_is_needed(self, client):
        """Three times: for voice activity, for its speakers, for its words."""
        sound = read_wav(TALK)
        flac = write("flac", "flac", sound.samples[None], sound.sample_rate)
        found = send(client, sound=flac, response_format="diarized_json").json()
        assert {each["speaker"] for each in found["segments"]} == {"A", "B"}


class TestTurns:
    def test_json(self, client):
        found = send(client, "/v1/audio/diarization").json()
        assert found == {"duration": 5.0, "segments": TURNS}

    def test_rttm(self, client):
        found = send(client, "/v1/audio/diarization", response_format="rttm")
        assert found.headers["content-type"].startswith("text/plain")
        assert found.text.splitlines() == [
            "SPEAKER a_talk 1 0.000 2.000 <NA> <NA> A <NA> <NA>",
            "SPEAKER a_talk 1 3.000 2.000 <NA> <NA> B <NA> <NA>",
        ]

    def test_names_with_spaces_stay_one_field_of_rttm(self, client):
        fields = {"response_format": "rttm", **known(("Mary Ann", LOW))}
        found = send(client, "/v1/audio/diarization", **fields)
        assert found.text.splitlines()[0].split()[7] == "Mary_Ann"

    def test_no_more_speakers_than_asked_for(self, client):
        found = send(client, "/v1/audio/diarization", max_speakers="1").json()
        assert {each["speaker"] for each in found["segments"]} == {"A"}

    def test_a_stranger_is_not_named(self, client):
        fields = known(("Otto", OTHER))
        found = send(client, "/v1/audio/diarization", **fields).json()
        assert found["segments"] == TURNS


class TestVectors:
    def test_a_voice_is_a_vector_of_length_one(self, client):
        found = send(client, "/v1/audio/speech/embedding", wav_bytes(LOW)).json()
        strict = CreateEmbeddingResponse.model_validate(found)
        (vector,) = (each.embedding for each in strict.data)
        assert math.hypot(*vector) == pytest.approx(1.0)
        assert found["model"] == "tone/pitch"
        assert found["usage"]["total_tokens"] == 32_000

    def test_voices_can_be_compared(self, client):
        url = "/v1/audio/speech/embedding"
        low, again, high = (
            send(client, url, wav_bytes(sound)).json()["data"][0]["embedding"]
            for sound in (LOW, sine(1.0, frequency=220.0), HIGH)
        )
        alike = sum(a * b for a, b in zip(low, again, strict=True))
        different = sum(a * b for a, b in zip(low, high, strict=True))
        assert alike > 0.9 > different


def test_where_somebody_speaks(client):
    found = send(client, "/v1/audio/speech/timestamps", min_silence_duration_ms="100")
    assert found.json() == [{"start": 0, "end": 2000}, {"start": 3000, "end": 5000}]


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"known_speaker_names[]": ["Ann"]}, "known_speaker_references", "1 names"),
        ({"known_speaker_references[]": [data_url(LOW)]}, "known_speaker_names", "1 recordings"),
        (known(("Ann", LOW), ("Ann", HIGH)), "known_speaker_names", "twice"),
        (known(("Ann", sine(0.1))), "known_speaker_references", "too short"),
        (
            {"known_speaker_names[]": ["Ann"],
             "known_speaker_references[]": ["https://example.com/ann.wav"]},
            "known_speaker_references", "does not fetch",
        ),
        (
            {"known_speaker_names[]": ["Ann"], "known_speaker_references[]": ["data:,Ann"]},
            "known_speaker_references", "base64",
        ),
        (
            {"known_speaker_names[]": ["Ann"],
             "known_speaker_references[]": ["data:audio/wav;base64,QW5u"]},
            "known_speaker_references", "",
        ),
        ({"min_speakers": "3", "max_speakers": "2"}, "min_speakers", "At least 3"),
        ({"max_speakers": "0"}, "max_speakers", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("url", [URL, "/v1/audio/diarization"])
def test_what_does_not_fit_is_named(client, url, fields, param, said):
    form = fields if url != URL else {**fields, "response_format": "diarized_json"}
    answer = send(client, url, **form)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert said in error["message"]


def test_known_speakers_are_an_error_where_nobody_is_named(client):
    error = send(client, **known(("Ann", LOW))).json()["error"]
    assert error["param"] == "known_speaker_names"
    assert "diarized_json" in error["message"] + (error.get("hint") or "")


@pytest.mark.parametrize(
    ("url", "field"),
    [
        (URL, "diarization_model"),
        ("/v1/audio/diarization", "model"),
        ("/v1/audio/speech/embedding", "model"),
    ],
)
def test_a_model_of_another_kind_is_refused(client, url, field):
    fields = {field: "tone/sine", "diarize": "true"}
    answer = send(client, url, **fields)
    assert answer.status_code == 400
    assert "text to speech, not diarization" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("faulty/diarize-beyond-the-end", "invalid_result"),
        ("faulty/diarize-disordered", "invalid_result"),
        ("faulty/diarize-endless", "invalid_result"),
        ("faulty/diarize-kill", "worker_died"),
    ],
)
@pytest.mark.parametrize("stream", ["false", "true"])
def test_a_fault_of_the_engine_is_one_clear_error(client, model, code, stream):
    fields = {"response_format": "diarized_json", "diarization_model": model, "stream": stream}
    answer = send(client, **fields)
    error = answer.json()["error"]
    assert answer.status_code >= 500
    assert error["code"] == code
    assert model in error["message"]
    assert send(client, response_format="diarized_json").status_code == 200


def test_vectors_that_are_none_are_an_error(client):
    answer = send(client, "/v1/audio/speech/embedding", model="faulty/embed-nan")
    assert answer.json()["error"]["code"] == "invalid_result"


def test_the_list_has_the_task(client):
    found = client.get("/v1/models", params={"task": "speaker-diarization"}).json()["data"]
    assert {"tone/pitch", "speaker-diarization"} <= {each["id"] for each in found}


async def test_where_nothing_tells_speakers_apart_it_says_what_to_install():
    async with OpenSpeech(Config(providers=())) as speech:
        with pytest.raises(ModelNotFound, match="diarization") as caught:
            default_model(speech)
    assert "open-speech providers install campplus" in (caught.value.hint or "")


def test_clients_of_the_stream_see_errors_of_the_words_in_it(client):
    answer = send(client, response_format="diarized_json", stream="true", model="faulty/hear-raise")
    assert answer.status_code == 502
    good = send(client, response_format="diarized_json", stream="true")
    kinds = [each["type"] for each in events_of(good)]
    pair = ["transcript.text.delta", "transcript.text.segment"]
    assert kinds == [*pair * 4, "transcript.text.done"]
