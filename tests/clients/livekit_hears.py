"""LiveKit's OpenAI plugin hears a file: ``livekit_hears.py ADDRESS FILE MODEL``."""

from __future__ import annotations

import asyncio
import sys
import wave

from livekit import rtc
from livekit.plugins import openai


async def main(address: str, path: str, model: str) -> None:
    with wave.open(path) as file:
        count, rate = file.getnframes(), file.getframerate()
        frame = rtc.AudioFrame(
            data=file.readframes(count), sample_rate=rate, num_channels=1, samples_per_channel=count
        )
    stt = openai.STT(base_url=f"{address}/v1", api_key="unused", model=model)
    event = await stt.recognize(frame)
    sys.stdout.write(f"{event.alternatives[0].language} {event.alternatives[0].text}\n")
    await stt.aclose()


asyncio.run(main(*sys.argv[1:]))
