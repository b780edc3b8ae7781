"""wyoming-openai between a Wyoming client and a server: describe, speak, hear.

``wyoming_openai.py FILE OPTION...``, the options being those of wyoming-openai.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import wave

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeVoice

WAIT_S = 60


def started(options: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """The bridge, once it listens, and its port."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    uri = f"tcp://127.0.0.1:{port}"
    command = [sys.executable, "-m", "wyoming_openai", "--uri", uri, "--languages", "en", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), port


async def connected(port: int) -> AsyncTcpClient:
    """A client, as soon as the bridge answers."""
    async with asyncio.timeout(WAIT_S):
        while True:
            client = AsyncTcpClient("127.0.0.1", port)
            try:
                await client.connect()
            except ConnectionError:
                await asyncio.sleep(0.2)
            else:
                return client


async def received(client: AsyncTcpClient) -> Event:
    """The next event; ConnectionError where the bridge hung up."""
    event = await asyncio.wait_for(client.read_event(), WAIT_S)
    if event is None:
        raise ConnectionError("the bridge hung up")
    return event


async def ask(port: int, path: str) -> dict[str, object]:
    """Describe, speak with the first voice, hear with the first model."""
    client = await connected(port)
    await client.write_event(Describe().event())
    info = Info.from_event(await received(client))
    voices = [voice.name for program in info.tts for voice in program.voices]
    models = [model.name for program in info.asr for model in program.models]
    text = Synthesize(text="Hello there.", voice=SynthesizeVoice(name=voices[0]))
    await client.write_event(text.event())
    sound = 0
    while not AudioStop.is_type((event := await received(client)).type):
        if AudioChunk.is_type(event.type):
            sound += len(AudioChunk.from_event(event).audio)
    await client.disconnect()
    client = await connected(port)
    await client.write_event(Transcribe(name=models[0], language="en").event())
    with wave.open(path) as file:
        rate, data = file.getframerate(), file.readframes(file.getnframes())
    await client.write_event(AudioStart(rate=rate, width=2, channels=1).event())
    await client.write_event(AudioChunk(rate=rate, width=2, channels=1, audio=data).event())
    await client.write_event(AudioStop().event())
    while not Transcript.is_type((event := await received(client)).type):
        pass
    heard = Transcript.from_event(event).text
    return {"voices": len(voices), "models": models, "sound": sound, "heard": heard}


bridge, listening_on = started(sys.argv[2:])
try:
    sys.stdout.write(json.dumps(asyncio.run(ask(listening_on, sys.argv[1]))) + "\n")
finally:
    bridge.terminate()
    bridge.wait(WAIT_S)
