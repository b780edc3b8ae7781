"""The limit: a FastAPI app with the same endpoints and nothing behind them.

``python bench/_bare_app.py PORT [MODULE ...]`` imports the modules, then serves.
"""

from __future__ import annotations

import sys
import wave
from importlib import import_module

import numpy as np
import uvicorn
from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that it runs."""
    return {"status": "ok"}


@app.post("/v1/audio/transcriptions")
async def transcribe(request: Request) -> dict[str, float]:
    """Decode a WAV file as the standard library does, and say how long it is."""
    async with request.form() as fields:
        with wave.open(fields["file"].file, "rb") as reader:  # type: ignore[union-attr]
            pcm = reader.readframes(reader.getnframes())
            rate = reader.getframerate()
    samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
    return {"duration": len(samples) / rate, "peak": float(np.abs(samples).max())}


if __name__ == "__main__":
    for module in sys.argv[2:]:
        import_module(module)
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=60,
    )
