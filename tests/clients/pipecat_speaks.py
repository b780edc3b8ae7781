"""Pipecat's OpenAI service has a text spoken: ``pipecat_speaks.py ADDRESS TEXT MODEL``."""

from __future__ import annotations

import asyncio
import sys

from pipecat.frames.frames import ErrorFrame, TTSAudioRawFrame
from pipecat.services.openai.tts import OpenAITTSService


async def main(address: str, text: str, model: str) -> None:
    settings = OpenAITTSService.Settings(model=model, voice="nova")
    service = OpenAITTSService(
        api_key="unused", base_url=f"{address}/v1", settings=settings, sample_rate=24_000
    )
    service._sample_rate = 24_000  # a pipeline would do so when it starts
    size, rates = 0, set()
    async for frame in service.run_tts(text, "context"):
        if isinstance(frame, ErrorFrame):
            sys.exit(str(frame))
        if isinstance(frame, TTSAudioRawFrame):
            size += len(frame.audio)
            rates.add(frame.sample_rate)
    sys.stdout.write(f"{size} {sorted(rates)}\n")


asyncio.run(main(*sys.argv[1:]))
