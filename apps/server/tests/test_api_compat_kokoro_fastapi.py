"""The API of Kokoro-FastAPI: its fields, voices, links and errors, by a path and at the root."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import httpx
import pytest

from live import Live, live_server
from open_speech import ModelInfo
from open_speech.codecs.decode import decode
from open_speech.errors import InvalidRequest
from open_speech.testing import install_provider
from open_speech_server.api.compat.kokoro_fastapi import save_name, tags_of

RATE = 24_000
VOICE = "middle"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("kokoro")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "OS_COMPAT": "kokoro",
        "TTS_MODEL": "tone/sine",
        "OS_MODEL_ALIASES": "kokoro=tone/sine",
        "ALLOW_DEV_UNLOAD": "true",
        "ENABLE_DEBUG_ENDPOINTS": "true",
    }
    with live_server(folder, environment) as running:
        yield running


@pytest.fixture(params=["", "/kokoro"])
def client(live: Live, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.address + request.param, timeout=60) as found:
        yield found


def seconds(answer: httpx.Response) -> float:
    assert answer.status_code == 200, answer.text
    return decode(answer.content, sample_rate=RATE).seconds


def speak(
    client: httpx.Client, text: str = "Hello, my friend.", **fields: object
) -> httpx.Response:
    body = {"input": text, "voice": VOICE, "response_format": "wav", **fields}
    return client.post("/v1/audio/speech", json=body)


def test_speech_has_its_headers(client):
    answer = speak(client, response_format="mp3")
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["content-disposition"] == "attachment; filename=speech.mp3"
    assert answer.headers["transfer-encoding"] == "chunked"
    whole = speak(client, response_format="flac", stream=False)
    assert whole.headers["content-length"] == str(len(whole.content))


def test_lists_have_its_shape(client):
    assert client.get("/health").json() == {"status": "healthy"}
    assert client.get("/v1/test").json() == {"status": "ok"}
    assert set(client.get("/web/config").json()) == {"root_path", "version"}
    models = client.get("/v1/models").json()["data"]
    assert [each["id"] for each in models] == ["tts-1", "tts-1-hd", "kokoro", "gpt-4o-mini-tts"]
    assert client.get("/v1/models/tts-1").json() == models[0]
    voices = client.get("/v1/audio/voices").json()["voices"]
    assert voices[0] == {"id": "low", "name": "low"}
    assert client.get("/v1/audio/voices?legacy=true").json()["voices"][0] == "low"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"model": "gpt-9"}, 400, "invalid_model"),
        ({"voice": "nobody"}, 400, "validation_error"),
        ({"voice": "low+"}, 400, "validation_error"),
        ({"voice": "low(0)"}, 400, "validation_error"),
        ({"text": " "}, 400, "validation_error"),
        ({"text": "<speak>a", "ssml": True, "allow_voice_tags": True}, 400, "validation_error"),
        ({"text": "<speak>a</speak>", "ssml": True}, 400, "validation_error"),
        ({"response_format": "m4a"}, 422, None),
        ({"speed": 9}, 422, None),
        ({"voice_aliases": {"a": "low(2])"}}, 422, None),
        ({"voice_aliases": {"a": {"voice": "low", "rate": 9}}}, 422, None),
    ],
)
def test_errors_have_its_shape(client, fields, status, error):
    answer = speak(client, **{"text": "Hello", **fields})
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    if error is None:
        assert detail[0]["loc"][0] == "body"
    else:
        assert detail["error"] == error
        assert detail["type"] == "invalid_request_error"


def test_an_alias_has_its_own_pace(client):
    plain = seconds(speak(client))
    aliases = {"Slow": {"voice": "high", "rate": 0.5}, "other": "low"}
    slow = seconds(speak(client, voice="slow", voice_aliases=aliases))
    assert slow / plain == pytest.approx(2.0, rel=0.1)
    tagged = seconds(
        speak(client, "[rate:2.0] Hello, my friend.", voice="slow", voice_aliases=aliases,
              allow_voice_tags=True)
    )  # fmt: skip
    assert tagged / plain == pytest.approx(1.0, rel=0.1)  # twice the alias's half
    switched = seconds(
        speak(client, "[voice:SLOW] Hello, my friend. [voice:other] Hello, my friend.",
              voice_aliases=aliases, allow_voice_tags=True)
    )  # fmt: skip
    assert switched / plain == pytest.approx(3.0, rel=0.15)


def test_a_dialogue_is_its_turns(client):
    turns = [{"voice": "low", "text": "Hello there."}, {"voice_id": "high", "text": "Hi."}]
    one = seconds(client.post("/dev/dialogue", json={"turns": turns, "response_format": "wav"}))
    body = {"inputs": turns, "response_format": "wav", "pause_between_turns": 1.5}
    assert seconds(client.post("/dev/dialogue", json=body)) - one == pytest.approx(1.5, abs=0.4)
    for wrong in ([], [{"voice": "low", "text": " "}], [{"voice": "]", "text": "a"}]):
        assert client.post("/dev/dialogue", json={"turns": wrong}).status_code == 422


def test_words_come_with_their_times(client):
    body = {"input": "Hello my friend.", "voice": VOICE, "response_format": "wav"}
    lines = client.post("/dev/captioned_speech", json=body).text.splitlines()
    words = [each["word"] for line in lines for each in json.loads(line)["timestamps"]]
    assert [word.strip(".") for word in words] == ["Hello", "my", "friend"]
    one = client.post("/dev/captioned_speech", json={**body, "stream": False}).json()
    assert one["audio_format"] == "audio/wav"
    assert base64.b64decode(one["audio"])[:4] == b"RIFF"


@pytest.mark.parametrize("stream", [True, False])
def test_a_link_leads_to_what_was_spoken(client, stream):
    answer = speak(client, "One two three. Four five six.", return_download_link=True,
                   return_timing=True, stream=stream)  # fmt: skip
    link = answer.headers["x-download-path"]
    found = client.get(f"/v1{link}")
    assert found.headers["content-type"] == "audio/wav"
    assert decode(found.content, sample_rate=RATE).seconds == seconds(answer)
    named = client.get(f"/v1{link}", params={"name": "../../my talk.sh"})
    assert 'filename="my_talk.wav"' in named.headers["content-disposition"]
    if stream:
        chunks = client.get(f"/v1{answer.headers['x-timing-path']}").json()["chunks"]
        assert [each["text"] for each in chunks] == ["One two three.", "Four five six."]
        assert 0 <= chunks[0]["start"] < chunks[0]["end"] <= chunks[1]["start"] + 0.05
        assert chunks[1]["end"] <= seconds(answer) + 0.05


def test_timing_tells_who_speaks(client):
    aliases = {"narrator": {"voice": "high", "rate": 0.5}}
    text = "[voice:narrator] One two three. [voice:low] Four five six. [pause:1s] Seven."
    answer = speak(client, text, voice_aliases=aliases, allow_voice_tags=True,
                   return_download_link=True, return_timing=True)  # fmt: skip
    chunks = client.get(f"/v1{answer.headers['x-timing-path']}").json()["chunks"]
    assert [(each["text"], each["voice"]) for each in chunks] == [
        ("One two three.", "high"),
        ("Four five six.", "low"),
        ("Seven.", "low"),
    ]
    assert chunks[2]["start"] - chunks[1]["end"] > 0.9
    assert chunks[2]["end"] == pytest.approx(seconds(answer), abs=0.3)


def test_a_link_may_lead_to_another_format(client):
    answer = speak(client, return_download_link=True, download_format="flac")
    link = answer.headers["x-download-path"]
    assert link.endswith(".flac")
    assert client.get(f"/v1{link}").content[:4] == b"fLaC"


@pytest.mark.parametrize("name", ["nope.mp3", "..%2F..%2Fetc%2Fpasswd", "a" * 22 + ".mp3"])
def test_nothing_else_can_be_fetched(client, name):
    answer = client.get(f"/v1/download/{name}")
    assert answer.status_code == 404
    assert answer.json()["detail"]["error"] == "not_found"


def test_a_text_is_spelt_and_phonemes_are_spoken(client):
    told = client.post("/dev/phonemize", json={"text": "Hello World", "language": "a"}).json()
    assert told == {"phonemes": "hello world", "tokens": []}
    body = {"phonemes": "helO world.", "voice": VOICE}
    answer = client.post("/dev/generate_from_phonemes", json=body)
    assert answer.status_code == 400  # these voices take none
    assert "phonemes" in answer.json()["detail"]["message"]


def test_parts_have_switches(client):
    assert client.post("/dev/unload").json() == {"status": "unloaded"}
    assert client.get("/debug/threads").json()["total_threads"] > 0
    assert client.get("/debug/storage").json()["storage_info"]
    assert client.get("/debug/system").json()["cpu"]["cpu_count"]
    refused = client.post("/v1/audio/voices/combine", json="low+high")
    assert refused.status_code == 403
    assert refused.json()["detail"]["error"] == "permission_denied"


def test_switches_are_off(tmp_path):
    environment = {"OS_COMPAT": "kokoro", "ENABLE_VOICE_TAGS": "false", "ENABLE_SSML": "false"}
    with live_server(tmp_path, environment, ready=False) as live, live.client() as client:
        off = client.get("/debug/system")
        assert off.status_code == 403
        assert off.json()["detail"] == {"error": "Debug endpoints are disabled"}
        assert client.post("/dev/unload").status_code == 403
        assert client.get("/dev/ssml").json()["detail"]["error"] == "permission_denied"
        tagged = {"input": "Hello", "allow_voice_tags": True}
        for path, body in (
            ("/v1/audio/speech", tagged),
            ("/dev/captioned_speech", tagged),
            ("/dev/dialogue", {"turns": [{"voice": "low", "text": "Hello"}]}),
            ("/dev/ssml", {"text": "<speak>Hello</speak>"}),
        ):
            answer = client.post(path, json=body)
            assert answer.status_code == 403, path
            assert answer.json()["detail"]["type"] == "permission_error"


@pytest.mark.parametrize(
    ("document", "voice", "text"),
    [
        ("Hello [pause:1s] there", "low", "Hello [pause:1s] there"),
        ("<speaker>Hello</speaker>", "", "<speaker>Hello</speaker>"),
        ('<speak>Hi<break time="750ms"/>there</speak>', "", "Hi [pause:0.75s] there"),
        ('<speak>Hi<break strength="none"/>there</speak>', "", "Hithere"),
        ("<?xml version='1.0'?><!-- a --><speak><s>One.</s><s>Two.</s></speak>", "", "One. Two."),
        ('<speak>one <voice name="b">two</voice> three</speak>', "", "one two three"),
        (
            '<speak>one <voice name="b">two</voice> three</speak>',
            "a",
            "one [voice:b] two [voice:a] three",
        ),
        (
            '<speak><prosody rate="slow">a <voice name="b">b</voice> c</prosody></speak>',
            "a",
            "[rate:0.75] a [voice:b] [rate:0.75] b [voice:a] [rate:0.75] c [rate:1.0]",
        ),
        (
            "<speak>Take <emphasis>this</emphasis> as <prosody rate='slow'>it</prosody>.</speak>",
            "",
            "Take this as it.",
        ),
    ],
)
def test_a_document_becomes_tags(document, voice, text):
    model = ModelInfo(id="m", kind="tts")
    assert tags_of(document, voice, model) == text


@pytest.mark.parametrize(
    "text", ["<speak>a", "<!DOCTYPE speak [<!ENTITY a 'b'>]><speak>&a;</speak>"]
)
def test_a_broken_document_is_refused(text):
    with pytest.raises(InvalidRequest):
        tags_of(text, "", ModelInfo(id="m", kind="tts"))


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (None, "stored.mp3"),
        ("a_b-2026.mp3", "a_b-2026.mp3"),
        ("af_bella+af_sky", "af_bella_af_sky.mp3"),
        ("report.wav", "report.mp3"),
        ("../../etc/passwd", "etc_passwd.mp3"),
        ('bad";name', "bad_name.mp3"),
        ("...", "stored.mp3"),
        ("x" * 200, f"{'x' * 100}.mp3"),
    ],
)
def test_a_file_is_saved_under_a_safe_name(wanted, name):
    assert save_name(wanted, "stored.mp3") == name


@pytest.mark.parametrize(
    ("path", "place"),
    [("/", "/open-speech/web"), ("/web", "/open-speech/web"), ("/kokoro/web", "/open-speech/web")],
)
def test_the_page_is_where_our_own_api_is(live, path, place):
    with live.client(follow_redirects=True) as found:
        answer = found.get(path)
    assert answer.url.path == place
    assert "<title>" in answer.text
