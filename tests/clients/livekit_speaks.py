"""LiveKit's OpenAI plugin has a text spoken: ``livekit_speaks.py ADDRESS TEXT MODEL FORMAT``."""

from __future__ import annotations

import asyncio
import sys

from livekit.plugins import openai


async def main(address: str, text: str, model: str, audio_format: str) -> None:
    tts = openai.TTS(
        base_url=f"{address}/v1",
        api_key="unused",
        model=model,
        voice="alloy",
        response_format=audio_format,
    )
    seconds, frames, rates = 0.0, 0, set()
    async with tts.synthesize(text) as stream:
        async for event in stream:
            seconds += event.frame.duration
            frames += 1
            rates.add(event.frame.sample_rate)
    sys.stdout.write(f"{seconds:.3f} {frames} {sorted(rates)}\n")
    await tts.aclose()


asyncio.run(main(*sys.argv[1:]))
