"""What the model manager costs: a lease in microseconds, and memory over many loads and unloads.

    python bench/lifecycle.py [--leases 20000] [--cycles 100]

The lease is that of a loaded model: found by its name, taken and given back, without a call. The
cycles load and unload one model in a worker process of its own; memory is that of this process and
all that it started, measured once everything has ended.
"""

# /// script
# requires-python = ">=3.11"
# dependencies = ["open-speech-core", "psutil"]
# ///

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from pathlib import Path

from _measure import Figures, tree_megabytes

from open_speech import Config, OpenSpeech
from open_speech._hosts import WorkerOptions
from open_speech.testing.install import install_provider

MODEL = "tone/sine"
BATCHES = 20
WARM_UP = 3
"""Cycles before the first measurement: what is imported and cached once stays."""
LIMIT_MB = 20.0
"""What so many cycles may leave behind."""


def main() -> int:
    """Print the figures; 1 if the cycles left more behind than they may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leases", type=int, default=20_000)
    parser.add_argument("--cycles", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        install_provider(Path(folder), "tone", "open_speech.testing.tone")
        sys.path.insert(0, folder)
        workers = WorkerOptions(environment={**os.environ, "PYTHONPATH": folder})
        config = Config(providers={"tone"}, workers=workers)
        return asyncio.run(_measure(config, options.leases, options.cycles))


async def _measure(config: Config, leases: int, cycles: int) -> int:
    async with OpenSpeech(config) as speech:
        await speech.manager.load(MODEL)
        costs = sorted([await _lease(speech, leases // BATCHES) for _ in range(BATCHES)])
        await speech.manager.unload(MODEL)
        times, left = await _cycles(speech, cycles)
    figures = Figures("Lifecycle", ["What", "Best", "Median", "Unit"])
    figures.add("A lease in and out", costs[0], costs[len(costs) // 2], "microseconds")
    figures.add("Load and unload", times[0], times[len(times) // 2], "milliseconds")
    figures.add(f"Left by {cycles} cycles", left, left, "MB")
    figures.show()
    return int(left > LIMIT_MB)


async def _lease(speech: OpenSpeech, count: int) -> float:
    """Microseconds for each of so many leases."""
    start = time.perf_counter()
    for _ in range(count):
        async with speech.manager.lease(MODEL):
            pass
    return 1e6 * (time.perf_counter() - start) / count


async def _cycles(speech: OpenSpeech, count: int) -> tuple[list[float], float]:
    """Milliseconds of each cycle, sorted, and the megabytes that they left."""
    for _ in range(WARM_UP):
        await _cycle(speech)
    before = await asyncio.to_thread(_settled)
    times = sorted([await _cycle(speech) for _ in range(count)])
    return times, await asyncio.to_thread(_settled) - before


async def _cycle(speech: OpenSpeech) -> float:
    start = time.perf_counter()
    await speech.manager.load(MODEL)
    await speech.manager.unload(MODEL)
    return 1000 * (time.perf_counter() - start)


def _settled() -> float:
    gc.collect()
    return tree_megabytes(os.getpid())


if __name__ == "__main__":
    sys.exit(main())
