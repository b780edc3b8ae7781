"""LiveKit's OpenAI plugin hears live: ``livekit_listens.py ADDRESS FILE MODEL``."""

from __future__ import annotations

import asyncio
import sys
import wave

import aiohttp
from livekit import rtc
from livekit.agents import stt as agents
from livekit.agents import utils
from livekit.plugins import openai

CHUNK_S = 0.05


async def main(address: str, path: str, model: str) -> None:
    with wave.open(path) as file:
        rate = file.getframerate()
        data = file.readframes(file.getnframes()) + bytes(2 * rate)
    async with aiohttp.ClientSession() as session:
        utils.http_context._ContextVar.set(lambda: session)
        stt = openai.STT(
            base_url=f"{address}/v1",
            api_key="unused",
            model=model,
            use_realtime=True,
            language="en",
        )
        stream = stt.stream()

        async def play() -> None:
            step = 2 * round(CHUNK_S * rate)
            for first in range(0, len(data), step):
                part = data[first : first + step]
                stream.push_frame(
                    rtc.AudioFrame(
                        data=part,
                        sample_rate=rate,
                        num_channels=1,
                        samples_per_channel=len(part) // 2,
                    )
                )
                await asyncio.sleep(CHUNK_S)

        playing = asyncio.create_task(play())
        async with asyncio.timeout(60):
            async for event in stream:
                sys.stdout.write(f"{event.type}\n")
                if event.type == agents.SpeechEventType.FINAL_TRANSCRIPT:
                    sys.stdout.write(f"text {event.alternatives[0].text}\n")
                    break
        playing.cancel()
        await stream.aclose()
        await stt.aclose()


asyncio.run(main(*sys.argv[1:]))
