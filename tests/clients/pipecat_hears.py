"""Pipecat's OpenAI service hears a file: ``pipecat_hears.py ADDRESS FILE MODEL``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pipecat.services.openai.stt import OpenAISTTService


async def main(address: str, wav: bytes, model: str) -> None:
    settings = OpenAISTTService.Settings(model=model, prompt="digits", temperature=0.0)
    service = OpenAISTTService(api_key="unused", base_url=f"{address}/v1", settings=settings)
    async for frame in service.run_stt(wav):
        sys.stdout.write(f"{type(frame).__name__} {getattr(frame, 'text', frame)}\n")


address, path, model = sys.argv[1:]
asyncio.run(main(address, Path(path).read_bytes(), model))
