"""Measure a voice against the bare engine, each in a process of its own, by turns.

    python measure.py FOLDER [ROUNDS]

FOLDER holds one voice; where it is missing, one with random weights at the size of a medium one
is written there. Tells seconds from the first import to a loaded voice, milliseconds to the first
sentence (best of five) and megabytes held.
"""

# ruff: noqa: T201 - a command

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

TEXT = "Hello world, here I am. This is a test of the speech server, with two sentences."


def measure(which: str, folder: Path) -> None:
    """Load, speak six times, print one line."""
    import psutil

    started = time.perf_counter()
    if which == "bare":
        from piper import PiperVoice

        voice = PiperVoice.load(next(folder.glob("*.onnx")))

        def first() -> object:
            return next(iter(voice.synthesize(TEXT)))
    else:
        from open_speech import LoadContext, SpeechRequest
        from open_speech_provider_piper import PiperBackend

        backend = PiperBackend()
        info = backend.inspect(folder)
        assert info is not None
        model = backend.load(info, LoadContext(paths={"model": folder}))
        words = which == "words"
        request = SpeechRequest(text=TEXT, voice=info.voices[0].id, word_timestamps=words)

        def first() -> object:
            return next(iter(model.synthesize(request)))

    loaded = time.perf_counter() - started
    times = []
    for _ in range(6):
        begun = time.perf_counter()
        first()
        times.append(time.perf_counter() - begun)
    held = psutil.Process().memory_info().rss >> 20
    print(
        f"{which:6} loaded in {loaded:.2f} s, first sentence {times[0] * 1000:.0f} ms at first, "
        f"then {min(times[1:]) * 1000:.0f} ms; {held} MB held"
    )


def main() -> None:
    """Take turns, so that a machine that gets busy hurts all alike."""
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if not any(folder.glob("*.onnx")):
        from random_piper import make

        make(folder, "en_US-random-medium", channels=512, layers=19)
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    for _ in range(rounds):
        for which in ("bare", "ours", "words"):
            subprocess.run([sys.executable, __file__, str(folder), which], check=True)


if __name__ == "__main__":
    if sys.argv[-1] in ("bare", "ours", "words"):
        measure(sys.argv[-1], Path(sys.argv[1]))
    else:
        main()
