"""Home Assistant's protocol, through the client of the library ``wyoming`` and on bare sockets."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)
from wyoming.vad import VoiceStarted, VoiceStopped

from live import Live, live_server
from open_speech.testing import install_provider, join, silence, sine
from open_speech_server.settings.settings import Settings
from open_speech_server.wyoming.server import WyomingServer
from ports import free_port

LIMIT_S = 60


WRONG = (
    ("synthesize", {"text": ["Hello"]}),
    ("synthesize", {"text": "Hello", "voice": "low"}),
    ("synthesize", {"text": "Hello", "voice": {"name": 3}}),
    ("synthesize-start", {"voice": {"language": {}}}),
    ("transcribe", {"language": 1}),
    ("transcribe", {"name": []}),
    ("audio-start", {"rate": "16000", "width": 2, "channels": 1}),
    ("audio-start", {"rate": 16_000, "width": True, "channels": 1}),
    ("ping", {"text": {}}),
)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("wyoming")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    install_provider(folder / "site", "faulty", "open_speech.testing.faulty")
    environment = {
        "PYTHONPATH": str(folder / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "VAD_MODEL": "tone/level",
        "OS_WYOMING_PORT": str(port),
        "OS_STREAM_CHUNK_MS": "200",
        "OS_STREAM_IDLE_S": "20",
        "OS_MAX_TEXT_CHARS": "2000",
    }
    with live_server(folder, environment) as server:
        yield server


def pcm(samples: np.ndarray) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


async def say(client: AsyncTcpClient, samples: np.ndarray, rate: int = 16_000) -> None:
    """The sound as satellites send it: 32 ms at a time."""
    await client.write_event(AudioStart(rate=rate, width=2, channels=1).event())
    data = pcm(samples)
    for first in range(0, len(data), 1024):
        chunk = AudioChunk(rate=rate, width=2, channels=1, audio=data[first : first + 1024])
        await client.write_event(chunk.event())
    await client.write_event(AudioStop().event())


async def events(client: AsyncTcpClient, last: type) -> list[Event]:
    """What comes, up to an event of a kind, or to the end of the connection."""
    found = []
    async with asyncio.timeout(LIMIT_S):
        while (event := await client.read_event()) is not None:
            found.append(event)
            if last.is_type(event.type):
                break
    return found


def heard(event: Event) -> tuple[int, set[str]]:
    """How many samples the engine had, and their peaks: it says both for each second."""
    words = Transcript.from_event(event).text.split()
    return sum(map(int, words[::5])), set(words[4::5])


def sound_of(found: list[Event]) -> bytes:
    return b"".join(
        AudioChunk.from_event(event).audio for event in found if AudioChunk.is_type(event.type)
    )


async def described(port: int) -> Info:
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Describe().event())
        (event,) = await events(client, Info)
        return Info.from_event(event)


async def test_describe_names_what_is_installed_the_defaults_first(live, port):
    info = await described(port)
    (hears,), (speaks,) = info.asr, info.tts
    assert hears.models[0].name == "tone/echo"
    assert all(model.installed and model.languages for model in hears.models)
    assert all(voice.installed and voice.languages for voice in speaks.voices)
    assert hears.supports_transcript_streaming
    assert speaks.supports_synthesize_streaming
    with live.client() as http:
        voices = http.get("/v1/audio/voices", params={"model": "tone/sine"}).json()["voices"]
    own = [voice["id"] for voice in voices if voice["model"] == "tone/sine"]
    assert [voice.name for voice in speaks.voices][: len(own)] == own
    names = [voice.name for voice in speaks.voices]
    assert len(names) == len(set(names))


async def test_describe_is_answered_while_a_model_works(live, port):
    async with AsyncTcpClient("127.0.0.1", port) as busy:
        await busy.write_event(Transcribe().event())
        await busy.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        for _ in range(100):
            data = bytes(32_000)
            await busy.write_event(AudioChunk(rate=16_000, width=2, channels=1, audio=data).event())
        assert (await described(port)).asr


async def test_a_command_comes_back_as_text(live, port):
    sound = join(silence(0.2), sine(1.0), silence(0.3))
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe(language="en").event())
        await say(client, sound.samples)
        found = await events(client, Transcript)
        assert heard(found[-1]) == (24_000, {"0.50"})
        # The same connection serves the next command.
        await client.write_event(Transcribe().event())
        await say(client, sine(0.5, amplitude=0.25).samples)
        while not Transcript.is_type((found := await events(client, Transcript))[-1].type):
            pass
    assert heard(found[-1]) == (8_000, {"0.25"})


async def test_text_is_told_piece_by_piece(live, port):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe(name="tone/echo").event())
        await say(client, sine(1.5).samples)
        found = await events(client, TranscriptStop)
    kinds = [event.type for event in found]
    assert TranscriptStart.is_type(kinds[0])
    text = "".join(
        TranscriptChunk.from_event(event).text
        for event in found
        if TranscriptChunk.is_type(event.type)
    )
    (whole,) = (event for event in found if Transcript.is_type(event.type))
    assert text.strip() == Transcript.from_event(whole).text
    assert heard(whole) == (24_000, {"0.50"})


@pytest.mark.parametrize(("rate", "width", "channels"), [(48_000, 2, 2), (8_000, 1, 1)])
async def test_any_sound_is_taken(live, port, rate, width, channels):
    tone = sine(1.0, sample_rate=rate).samples
    samples = np.repeat(tone, channels)
    data = pcm(samples) if width == 2 else (samples * 127).astype("i1").tobytes()
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe().event())
        await client.write_event(AudioStart(rate=rate, width=width, channels=channels).event())
        for first in range(0, len(data), 4096):
            part = data[first : first + 4096]
            chunk = AudioChunk(rate=rate, width=width, channels=channels, audio=part)
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        found = await events(client, Transcript)
    count = int(Transcript.from_event(found[-1]).text.split()[0])
    assert count == pytest.approx(16_000, rel=0.01)


async def test_a_satellite_without_vad_is_told_when_the_command_is_over(live, port):
    sound = join(silence(0.3), sine(1.0), silence(1.5), sine(1.0))
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe(vad_sensitivity="aggressive").event())
        await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        data = pcm(sound.samples)
        for first in range(0, len(data), 1024):  # and never a stop
            part = data[first : first + 1024]
            chunk = AudioChunk(rate=16_000, width=2, channels=1, audio=part)
            await client.write_event(chunk.event())
        found = await events(client, Transcript)
    kinds = [event.type for event in found if event.type.startswith("voice")]
    assert [VoiceStarted.is_type(kinds[0]), VoiceStopped.is_type(kinds[1])] == [True, True]
    count, _ = heard(found[-1])
    assert 16_000 <= count < 28_000


async def test_a_text_is_spoken(live, port):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Synthesize(text="Hello there. How are you?").event())
        found = await events(client, AudioStop)
    start = AudioStart.from_event(found[0])
    with live.client() as http:
        body = {"input": "Hello there. How are you?", "response_format": "pcm"}
        expected = http.post("/v1/audio/speech", json={**body, "sample_rate": start.rate})
    assert (start.width, start.channels) == (2, 1)
    assert sound_of(found) == expected.content
    assert sum(AudioStart.is_type(event.type) for event in found) == 1


async def test_sound_comes_before_the_text_is_whole(live, port):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(SynthesizeStart().event())
        await client.write_event(
            SynthesizeChunk(text="This is the first sentence. And another one ").event()
        )
        found = []
        async with asyncio.timeout(LIMIT_S):
            while not found or not AudioChunk.is_type(found[-1].type):
                found.append(await client.read_event())
        await client.write_event(SynthesizeChunk(text="is the second.").event())
        # The copy for servers that do not stream says nothing new.
        copy = "This is the first sentence. And another one is the second."
        await client.write_event(Synthesize(text=copy).event())
        await client.write_event(SynthesizeStop().event())
        found += await events(client, SynthesizeStopped)
    kinds = [event.type for event in found]
    assert sum(map(AudioStart.is_type, kinds)) == sum(map(AudioStop.is_type, kinds)) == 1
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Synthesize(text=copy).event())
        whole = sound_of(await events(client, AudioStop))
    assert abs(len(sound_of(found)) - len(whole)) <= 0.1 * len(whole)


@pytest.mark.parametrize("text", ["...", "!", "🙂"])
async def test_a_text_without_words_is_a_short_silence(live, port, text):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Synthesize(text=text).event())
        found = await events(client, AudioStop)
    assert 0 < len(sound_of(found)) < 2 * 48_000
    assert not any(sound_of(found))


async def test_a_voice_of_another_model_and_a_language_are_found(live, port):
    voices = (await described(port)).tts[0].voices
    other = next(voice for voice in voices if "/" in voice.name)
    async with AsyncTcpClient("127.0.0.1", port) as client:
        for voice in (
            SynthesizeVoice(name=other.name),
            SynthesizeVoice(language=voices[0].languages[0]),
        ):
            await client.write_event(Synthesize(text="Hello.", voice=voice).event())
            assert sound_of(await events(client, AudioStop))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Synthesize(text="Hi.", voice=SynthesizeVoice(name="nobody")).event(), "nobody"),
        (Synthesize(text="Hi.", voice=SynthesizeVoice(language="qzz")).event(), "qzz"),
        (Synthesize(text="a" * 3000).event(), "2000 characters"),
        (Event(type="synthesize", data={}), "lacks a field"),
        (Event(type="audio-chunk", data={"rate": "x"}), "whole number"),
    ],
)
async def test_what_is_wrong_is_said_and_ends_the_connection(live, port, event, said):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(event)
        found = await events(client, Pong)
        assert said in Error.from_event(found[-1]).text
        async with asyncio.timeout(LIMIT_S):
            assert await client.read_event() is None


async def test_what_is_begun_ends_what_was_not_finished(live, port):
    """None of these clients says that it is done; none is waited for."""
    second = AudioChunk(rate=16_000, width=2, channels=1, audio=pcm(sine(1.0).samples)).event()
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        await client.write_event(second)
        await client.write_event(Transcribe().event())
        await client.write_event(second)
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk(text="Hello there.").event())
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk(text="And here.").event())
        await client.write_event(SynthesizeStop().event())
        found = await events(client, SynthesizeStopped) + await events(client, SynthesizeStopped)
    texts = [heard(event) for event in found if Transcript.is_type(event.type)]
    assert texts == [(16_000, {"0.50"})] * 2
    assert sum(AudioStart.is_type(event.type) for event in found) == 2


async def test_unknown_events_are_passed_over(live, port):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Event(type="select-program", data={"name": "open-speech"}))
        await client.write_event(Event(type="tomorrow", data={"a": 1}, payload=b"abc"))
        await client.write_event(Ping(text="7").event())
        (pong,) = await events(client, Pong)
    assert Pong.from_event(pong).text == "7"


async def test_two_satellites_at_once(live, port):
    async def one(amplitude: float) -> str:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Transcribe().event())
            await say(client, sine(1.0, amplitude=amplitude).samples)
            heard = Transcript.from_event((await events(client, Transcript))[-1]).text
            await client.write_event(Synthesize(text="Done.").event())
            assert sound_of(await events(client, AudioStop))
            return heard

    heard = await asyncio.gather(one(0.5), one(0.25))
    assert [text.split()[-1] for text in heard] == ["0.50", "0.25"]


async def test_a_model_that_is_being_loaded_keeps_its_voices(live, port):
    voices = (await described(port)).tts[0].voices
    assert min(voices, key=lambda voice: voice.description or "") == voices[0]
    other = next(voice.name for voice in voices if voice.name.startswith("tone/"))
    with live.client() as http:
        http.delete(f"/api/models/{other.rpartition('/')[0]}")

    async def one() -> bytes:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            voice = SynthesizeVoice(name=other)
            await client.write_event(Synthesize(text="Hello.", voice=voice).event())
            return sound_of(await events(client, AudioStop))

    sounds = await asyncio.gather(*(one() for _ in range(4)))
    assert sounds[0]
    assert len(set(sounds)) == 1


def _refused(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
        connection.sendall(sent)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionError:
            pass
    return received


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 200_000,
        b'{"type": "audio-chunk", "payload_length": 9000000000}\n',
        b'{"type": "describe", "data_length": 9000000000}\n',
        b'{"type": 3}\n',
        b"[]\n",
        b"null\n",
        b'{"type": "describe", "data": 3, "data_length": 2}\n{}',
        b'{"type": "x", "payload_length": "many"}\n',
        b"[" * 50_000 + b"\n",
        b'\xff\xfe{"type": "x"}\n',
    ],
)
async def test_what_is_no_event_ends_the_connection_alone(live, port, sent):
    received = await asyncio.to_thread(_refused, port, sent)
    if received:
        assert json.loads(received.split(b"\n")[0])["type"] == "error"
    assert (await described(port)).asr
    assert "Traceback" not in live.log.read_text(encoding="utf-8")


async def test_what_a_client_leaves_behind_is_given_up(live, port):
    def sessions() -> int:
        with live.client() as http:
            return int(http.get("/api/live").json()["sessions"])

    client = AsyncTcpClient("127.0.0.1", port)
    await client.connect()
    await client.write_event(SynthesizeStart().event())
    await client.write_event(SynthesizeChunk(text="One sentence. And another ").event())
    async with asyncio.timeout(LIMIT_S):
        while not AudioChunk.is_type((await client.read_event()).type):
            pass
    assert await asyncio.to_thread(sessions) == 1
    await client.disconnect()
    deadline = time.monotonic() + LIMIT_S
    while await asyncio.to_thread(sessions):
        assert time.monotonic() < deadline
    assert (await described(port)).tts


def test_who_may_connect():
    class State:
        settings = Settings()

    server = WyomingServer(State(), [])  # type: ignore[arg-type]
    for address in ("127.0.0.1", "192.168.3.4", "10.0.0.1", "::1", "fe80::1", "::ffff:10.0.0.1"):
        assert server._is_allowed(address)
    for address in ("8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8", "", "nobody"):
        assert not server._is_allowed(address)


async def test_at_the_end_a_text_is_spoken_to_its_end(tmp_path):
    port = free_port()
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "OS_WYOMING_PORT": str(port),
    }
    with live_server(tmp_path, environment) as server:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(SynthesizeStart().event())
            await client.write_event(SynthesizeChunk(text="One sentence. And another one ").event())
            async with asyncio.timeout(LIMIT_S):
                while not AudioChunk.is_type((await client.read_event()).type):
                    pass
            server.process.send_signal(signal.SIGTERM)
            found = await events(client, SynthesizeStopped)
            assert SynthesizeStopped.is_type(found[-1].type)
            async with asyncio.timeout(LIMIT_S):
                assert await client.read_event() is None
        assert await asyncio.to_thread(server.process.wait, LIMIT_S) == 0


async def test_a_client_that_falls_silent_is_answered_and_disconnected(tmp_path):
    port = free_port()
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
        "OS_WYOMING_PORT": str(port),
        "OS_STREAM_IDLE_S": "1",
    }
    with live_server(tmp_path, environment):
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
            data = pcm(sine(1.0).samples)
            chunk = AudioChunk(rate=16_000, width=2, channels=1, audio=data)
            await client.write_event(chunk.event())  # and no more
            found = await events(client, Transcript)
            assert heard(found[-1]) == (16_000, {"0.50"})
            rest = await events(client, Pong)  # to the end of the connection
            assert "too long" in Error.from_event(rest[-1]).text


def test_a_port_in_use_is_said_with_its_setting(tmp_path):
    from open_speech_server.listening import open_port
    from open_speech_server.settings.settings import ConfigurationError

    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="set another OS_WYOMING_PORT"):
            open_port("127.0.0.1", number, "OS_WYOMING_PORT")


@pytest.mark.parametrize(("kind", "data"), WRONG)
def test_a_field_of_another_type_is_named(live, port, kind, data):
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as sock:
        sock.sendall(json.dumps({"type": kind, "data": data}).encode() + b"\n")
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while part := sock.recv(65_536):
            answer += part
    assert b"must be" in answer
    assert b"bad-request" in answer
