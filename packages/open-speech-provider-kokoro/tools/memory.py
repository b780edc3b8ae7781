# ruff: noqa: T201 - a script
"""Print what a model takes: ``python tools/memory.py FOLDER [TAGGER]`` (Linux)."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in a worker

from open_speech import LoadContext, SpeechRequest
from open_speech_provider_kokoro import KokoroBackend
from open_speech_provider_kokoro.catalogue import KOKORO

TEXTS = (
    "Oh, you.",
    "The quick brown fox jumps over the lazy dog, and then it goes on to say a little more.",
)
_KINDS = ("VmRSS", "RssAnon", "RssFile", "VmHWM")


def report(label: str, began: float) -> None:
    """One line, in megabytes of 1024 * 1024."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) >> 10 for line in lines if "kB" in line}
    sizes = "  ".join(f"{kind} {found[kind]}" for kind in _KINDS)
    print(f"{label:12} {sizes}  {time.monotonic() - began:.1f} s", flush=True)


def main(folder: str, tagger: str = "") -> None:
    """Load and speak."""
    began = time.monotonic()
    paths = {"model": Path(folder)} | ({"tagger": Path(tagger)} if tagger else {})
    model = KokoroBackend().load(KOKORO, LoadContext(paths=paths, threads=2))
    report("loaded", began)
    for text in TEXTS:
        (audio,) = model.synthesize(SpeechRequest(text=text, voice="af_heart"))
        report(f"spoke {audio.seconds:.1f} s", began)


if __name__ == "__main__":
    main(*sys.argv[1:])
