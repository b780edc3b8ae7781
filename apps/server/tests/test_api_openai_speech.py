"""Speech with everything that a request may ask of it, checked as sound and as text."""

from __future__ import annotations

import base64
import io
import json
import socket
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import httpx
import numpy as np
import psutil
import pytest

from live import Live, live_server
from open_speech.codecs.decode import decode
from open_speech.codecs.encode import FORMATS
from open_speech.testing import install_provider

PRESETS = """
presets:
  narrator:
    voice: low
    model: tone/sine
    speed: 2.0
    description: Deep and quick.
  twice-as-loud: {voice: high, volume: 2.0}
"""
UNTIMED = '''
"""espeak without its word times: speech that somebody else has to align."""
from dataclasses import replace

from open_speech import Capability, TTSBackend, TTSModel, hookimpl
from open_speech_provider_espeak.backend import EspeakBackend


class Untimed(TTSModel):
    def __init__(self, inner):
        self.inner = inner

    def synthesize(self, request):
        yield from self.inner.synthesize(request)


class UntimedBackend(TTSBackend):
    name = "untimed"

    def list_available(self):
        return [
            replace(
                model,
                id="untimed/en-us",
                aliases=(),
                capabilities=model.capabilities - {Capability.WORD_TIMESTAMPS},
            )
            for model in EspeakBackend().list_available()
            if model.id == "espeak/en-us"
        ]

    def load(self, model, context):
        return Untimed(EspeakBackend().load(replace(model, id="espeak/en-us"), context))


@hookimpl
def open_speech_backends():
    return [UntimedBackend()]
'''
TEXT = "Good morning, Doctor Smith! It costs 25 dollars [pause:300ms] and that is all."


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("speech")
    for name in ("tone", "faulty"):
        install_provider(folder / "site", name, f"open_speech.testing.{name}")
    (folder / "site" / "untimed_provider.py").write_text(UNTIMED)
    install_provider(folder / "site", "untimed", "untimed_provider")
    presets = folder / "presets.yaml"
    presets.write_text(PRESETS)
    environment = {"PYTHONPATH": str(folder / "site"), "OS_VOICE_PRESETS": str(presets)}
    with live_server(folder, environment) as server:
        yield server


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


def speak(client: httpx.Client, text: str = "Hello", **body: object) -> httpx.Response:
    answer = client.post("/v1/audio/speech", json={"input": text, **body})
    assert answer.status_code == 200, answer.text
    return answer


def heard(data: bytes, rate: int = 48_000) -> np.ndarray:
    return decode(data, sample_rate=rate).samples


def pitch(samples: np.ndarray, rate: int) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return float(spectrum.argmax() * rate / len(middle))


def rate_of(data: bytes) -> int:
    with av.open(io.BytesIO(data)) as container:
        return container.streams.audio[0].rate


NOTHING_TO_SAY = ["...", ".", "!", "\N{GRINNING FACE}", "***", "<br>", "[pause:0s]"]


def is_short_silence(samples: np.ndarray, rate: int) -> bool:
    """About 0.3 s without a sound; coding may leave a trace of noise."""
    return 0.25 <= len(samples) / rate <= 0.45 and float(np.abs(samples).max()) < 1e-3


@pytest.mark.parametrize("text", NOTHING_TO_SAY)
@pytest.mark.parametrize("name", FORMATS)
def test_a_text_with_nothing_to_say_is_a_short_silence(client, name, text):
    for more in ({}, {"stream": False}, {"stream_format": "sse"}):
        answer = speak(client, text, model="espeak/en-us", response_format=name, **more)
        data = answer.content
        if "stream_format" in more:
            lines = [line[5:] for line in answer.text.split("\n") if line.startswith("data:")]
            events = [json.loads(line) for line in lines]
            assert events[-1]["type"] == "speech.audio.done"
            data = b"".join(base64.b64decode(event.get("audio", "")) for event in events)
        if name == "pcm":
            samples = np.frombuffer(data, "<i2") / 32768
            assert is_short_silence(samples, 24_000)
        else:
            assert is_short_silence(heard(data), 48_000)


@pytest.mark.parametrize("text", NOTHING_TO_SAY)
def test_a_text_with_nothing_to_say_has_no_words(client, text):
    body = {"model": "espeak/en-us", "timestamps": True, "response_format": "wav"}
    whole = speak(client, text, stream=False, **body).json()
    assert whole["timestamps"] == []
    assert is_short_silence(heard(base64.b64decode(whole["audio"])), 48_000)
    lines = [json.loads(line) for line in speak(client, text, **body).text.splitlines()]
    assert [line["timestamps"] for line in lines] == [[]] * len(lines)


def test_ssml_with_nothing_to_say_is_a_short_silence(client):
    for text in ("<speak></speak>", "<speak>...</speak>"):
        answer = speak(client, text, model="espeak/en-us", response_format="wav", ssml=True)
        assert is_short_silence(heard(answer.content), 48_000)


@pytest.mark.parametrize("text", ["", " ", "\n\t \u2003"])
def test_an_empty_input_is_an_error(client, text):
    answer = client.post("/v1/audio/speech", json={"input": text, "model": "espeak/en-us"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "input"


@pytest.mark.parametrize("rate", [None, 8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pcm"])
def test_every_format_at_every_rate_sounds_right(client, name, rate):
    """A tone of 440 Hz that lasts a second stays one."""
    body = {"sample_rate": rate} if rate else {}
    data = speak(client, "x" * 20, model="tone/sine", response_format=name, **body).content
    form = FORMATS[name]
    written = rate_of(data)
    # Opus counts at 48 kHz whatever it was made from.
    assert written == (48_000 if name == "opus" else form.sample_rate_for(rate or 24_000))
    samples = heard(data)
    beyond = (form.delay + 2 * form.frame) / min(written, rate or 24_000) + 0.003
    assert len(samples) / 48_000 == pytest.approx(1.0, abs=beyond)
    assert pitch(samples, 48_000) == pytest.approx(440.0, rel=0.01)
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_pcm_is_24_khz_unless_another_rate_is_asked_for(client, rate):
    body = {} if rate == 24_000 else {"sample_rate": rate}
    for model, seconds in (("tone/sine", 0.5), ("espeak/en-us", None)):
        data = speak(client, "x" * 10, model=model, response_format="pcm", **body).content
        if seconds:
            assert len(data) == 2 * rate * seconds
            samples = np.frombuffer(data, "<i2") / 32_768
            assert pitch(samples, rate) == pytest.approx(440.0, rel=0.02)


@pytest.mark.parametrize("name", ["pcm", "wav"])
@pytest.mark.parametrize("model", ["tone/sine", "espeak/en-us"])
def test_streamed_and_whole_are_the_same_sample_for_sample(client, model, name):
    text = "First of all, this. Then that! And is there more? There is."
    whole = speak(client, text, model=model, response_format=name, stream=False)
    streamed = speak(client, text, model=model, response_format=name)
    assert int(whole.headers["content-length"]) == len(whole.content)
    assert "content-length" not in streamed.headers
    skip = 44 if name == "wav" else 0
    assert whole.content[skip:] == streamed.content[skip:]


def test_a_whole_wav_states_its_true_length(client):
    for ask in ({"json": {"stream": False}}, {"params": {"stream": "false"}, "json": {}}):
        body = {"input": "Hello", "model": "tone/sine", "response_format": "wav", **ask["json"]}
        answer = client.post("/v1/audio/speech", json=body, params=ask.get("params"))
        with wave.open(io.BytesIO(answer.content)) as file:
            assert (file.getframerate(), file.getnframes()) == (24_000, 6_000)


def test_sentences_meet_without_a_click(client):
    """The tone starts anew with every sentence: at full scale where the last one may have ended."""
    text = "This one is a sentence. And here there is another one! Is this a third? It is."
    data = speak(client, text, model="tone/sine", response_format="pcm").content
    samples = np.frombuffer(data, "<i2") / 32_768
    steepest = 0.5 * 2 * np.pi * 440 / 24_000
    assert np.abs(np.diff(samples)).max() < 1.5 * steepest


def test_volume_is_a_factor(client):
    plain = heard(speak(client, model="tone/sine", response_format="wav").content)
    soft = heard(
        speak(client, model="tone/sine", response_format="wav", volume_multiplier=0.25).content
    )
    assert np.abs(soft).max() == pytest.approx(np.abs(plain).max() / 4, rel=0.01)


def test_loudness_is_even_unless_the_request_says_otherwise(client):
    body = {"model": "tone/chorus", "voice": "low", "response_format": "wav"}
    even, own = (
        np.abs(heard(speak(client, **body, even_loudness=wanted).content)).max()
        for wanted in (None, False)
    )
    assert even == pytest.approx(own / 10**0.3, rel=0.01)


def test_a_pace_that_the_engine_lacks_keeps_the_pitch(client):
    body = {"model": "tone/plain", "response_format": "wav"}
    plain = heard(speak(client, "x" * 60, **body).content)
    fast = heard(speak(client, "x" * 60, speed=1.5, **body).content)
    assert len(plain) / len(fast) == pytest.approx(1.5, rel=0.03)
    assert pitch(fast, 48_000) == pytest.approx(pitch(plain, 48_000), rel=0.02)


def test_a_pause_is_silence_of_its_length(client):
    body = {"model": "tone/sine", "response_format": "pcm"}
    short = speak(client, "one [pause:250ms] two", **body).content
    long = speak(client, "one [pause:1.25s] two", **body).content
    assert len(long) - len(short) == 2 * 24_000


def test_ssml_is_read_where_it_is_announced(client):
    text = '<speak>Hello <break time="500ms"/> <prosody rate="200%">again</prosody></speak>'
    for announced in ({"ssml": True}, {"input_type": "ssml"}):
        data = speak(client, text, model="tone/sine", response_format="pcm", **announced).content
        assert len(data) / 2 / 24_000 == pytest.approx(0.25 + 0.5 + 0.125, abs=0.05)
    answer = client.post(
        "/v1/audio/speech", json={"input": "<speak>", "ssml": True, "model": "tone/sine"}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "input"


def lines(answer: httpx.Response) -> list[dict]:
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("name", ["pcm", "mp3"])
def test_word_times_come_with_the_sound(client, name):
    body = {"model": "espeak/en-us", "response_format": name, "timestamps": True}
    pieces = lines(speak(client, TEXT, **body))
    assert {piece["audio_format"] for piece in pieces} == {FORMATS[name].media_type}
    sound = b"".join(base64.b64decode(piece["audio"]) for piece in pieces)
    plain = speak(client, TEXT, model="espeak/en-us", response_format=name).content
    assert len(sound) == pytest.approx(len(plain), rel=0.02)
    words = [word for piece in pieces for word in piece["timestamps"]]
    assert [word["word"] for word in words] == [
        "Good", "morning", "Doctor", "Smith", "It", "costs", "25", "dollars", "and", "that", "is",
        "all",
    ]  # fmt: skip
    assert [TEXT[word["text_start"] : word["text_end"]] for word in words] == [
        word["word"] for word in words
    ]
    starts = [word["start_time"] for word in words]
    assert starts == sorted(starts)
    assert words[8]["start_time"] - words[7]["end_time"] >= 0.29
    assert len(pieces) > 2, "sentence by sentence"


def test_word_times_in_one_piece(client):
    body = {"model": "espeak/en-us", "response_format": "wav", "timestamps": True, "stream": False}
    answer = speak(client, TEXT, **body)
    assert answer.headers["content-type"] == "application/json"
    whole = answer.json()
    streamed = lines(speak(client, TEXT, **{**body, "stream": True}))
    assert whole["timestamps"] == [word for piece in streamed for word in piece["timestamps"]]
    with wave.open(io.BytesIO(base64.b64decode(whole["audio"]))) as file:
        assert file.getnframes() / file.getframerate() >= whole["timestamps"][-1]["end_time"] - 0.05


def test_the_route_of_kokoro_fastapi(client):
    body = {"input": "Hello there", "model": "espeak/en-us", "voice": "default"}
    pieces = lines(client.post("/dev/captioned_speech", json=body))
    assert [word["word"] for piece in pieces for word in piece["timestamps"]] == ["Hello", "there"]
    quiet = client.post("/dev/captioned_speech", json={**body, "return_timestamps": False})
    assert not any(piece["timestamps"] for piece in lines(quiet))
    whole = client.post("/dev/captioned_speech", json={**body, "stream": False}).json()
    assert set(whole) == {"audio", "audio_format", "timestamps"}
    assert set(whole["timestamps"][0]) >= {"word", "start_time", "end_time"}


def test_events_carry_word_times_too(client):
    body = {"model": "espeak/en-us", "timestamps": True, "stream_format": "sse"}
    answer = speak(client, "Hello there", **body)
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line]
    words = [word["word"] for event in events for word in event.get("timestamps", [])]
    assert words == ["Hello", "there"]
    assert events[-1]["type"] == "speech.audio.done"


def test_an_engine_without_word_times_is_aligned_by_a_loaded_model(client):
    """PocketSphinx is the default model here, and loaded: it finds espeak's words."""
    text = "Good morning everybody. This is a very small house."
    body = {"timestamps": True, "stream": False, "response_format": "wav"}
    found = speak(client, text, model="untimed/en-us", **body).json()["timestamps"]
    known = speak(client, text, model="espeak/en-us", **body).json()["timestamps"]
    assert [word["word"] for word in found] == [word["word"] for word in known]
    errors = [
        abs(one["start_time"] - other["start_time"])
        for one, other in zip(found, known, strict=True)
    ]
    assert np.mean(errors) < 0.15


def test_words_that_nobody_can_align_are_an_error_and_no_guess(client):
    body = {"model": "untimed/en-us", "timestamps": True}
    answer = client.post("/v1/audio/speech", json={"input": "Hello xqzvwk", **body})
    assert answer.status_code == 400, answer.text
    assert "xqzvwk" in answer.json()["error"]["message"]


def test_a_preset_is_a_voice_with_its_settings(client):
    listed = client.get("/api/voice-presets").json()["presets"]
    assert [preset["name"] for preset in listed] == ["narrator", "twice-as-loud"]
    assert listed[0]["description"] == "Deep and quick."
    data = speak(client, "x" * 40, voice="narrator", response_format="pcm").content
    samples = np.frombuffer(data, "<i2") / 32_768
    assert len(samples) == 24_000
    assert pitch(samples, 24_000) == pytest.approx(220.0, rel=0.02)
    slow = speak(client, "x" * 40, voice="narrator", speed=1.0, response_format="pcm").content
    assert len(slow) == 2 * len(data)
    loud = speak(
        client, "x" * 40, voice="twice-as-loud", model="tone/sine", response_format="pcm"
    ).content
    assert np.abs(np.frombuffer(loud, "<i2")).max() > 32_000


def test_a_text_beyond_4096_characters_is_spoken(client):
    text = "This is one of very many sentences. " * 150
    answer = speak(client, text, model="tone/sine", response_format="pcm")
    assert len(answer.content) / 2 / 24_000 > 0.95 * len(text) * 0.05 * 0.97


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"sample_rate": 7_999}, "sample_rate"),
        ({"sample_rate": 48_001}, "sample_rate"),
        ({"volume_multiplier": 0}, "volume_multiplier"),
        ({"volume_multiplier": 11}, "volume_multiplier"),
        ({"stream_format": "carrier pigeon"}, "stream_format"),
        ({"normalization_options": 3}, "normalization_options"),
        ({"input": "Hello [pause:99s]"}, "input"),
        ({"input": " \n"}, "input"),
        ({"input": "[word](/wed/)"}, None),
    ],
)
def test_what_is_wrong_is_named(client, body, param):
    answer = client.post("/v1/audio/speech", json={"input": "Hello", "model": "tone/plain", **body})
    assert answer.status_code == 400, answer.text
    if param:
        assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize("content", ["presets: 3", "- voice: low", "presets: {a: {pace: 2}}", "{"])
def test_a_file_of_presets_that_is_wrong_stops_the_start(tmp_path: Path, content):
    from open_speech_server.settings.settings import ConfigurationError, load_settings

    file = tmp_path / "presets.yaml"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match="OS_VOICE_PRESETS"):
        load_settings(os_voice_presets=file)


def users(client: httpx.Client, model: str) -> int:
    return int(client.get(f"/api/models/{model}/status").json()["users"])


def wait_for(happened: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)  # between two questions to another process; nothing else tells


def test_a_reader_that_stops_reading_is_left_and_nothing_piles_up(live, client):
    """Hours of sound are on their way to a client that takes four kilobytes of it."""
    body = json.dumps(
        {"input": "word " * 19_000, "model": "tone/chorus", "response_format": "pcm"}
    ).encode()
    speak(client, model="tone/chorus")
    server = psutil.Process(live.process.pid)
    before = server.memory_info().rss
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", live.port))
        reader.sendall(
            b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        assert reader.recv(1000).startswith(b"HTTP/1.1 200")
        assert users(client, "tone/chorus") == 1
        grown = 0

        def left() -> bool:
            nonlocal grown
            grown = max(grown, server.memory_info().rss - before)
            return users(client, "tone/chorus") == 0

        wait_for(left, 100)
        assert grown < 64 * 2**20
    # Others are served as before.
    speak(client, model="tone/chorus")
