# /// script
# requires-python = ">=3.11"
# dependencies = ["open-speech-core", "open-speech-provider-qwen3"]
# ///
"""How early and how fast Qwen3-TTS speaks on an accelerator, and whether its memory comes back.

Needs an NVIDIA GPU and a torch that knows it; says so and measures nothing where there is none.
Random weights in the published sizes are written first (``--folder`` keeps them, or names a
checkpoint that is there). Where ``qwen-tts`` is installed beside it, upstream says the same text in
turn with ours; otherwise ours stands alone.

    nox -s bench -- qwen3_device [--rounds 5] [--frames 125] [--folder FOLDER]

Memory is the device's own count (``cudaMemGetInfo``), taken by this process while a child of its
own loads the model, speaks and ends, as a worker does.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "packages" / "open-speech-provider-qwen3" / "tests"
TEXT = "The quick brown fox jumps over the lazy dog, and then it does so once again. " * 4
FRAME_S = 0.08


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=125, help="of 80 ms, per utterance")
    parser.add_argument("--folder", type=Path, help="a checkpoint, written where there is none")
    given = parser.parse_args()
    if not _has_gpu():
        print("Nothing was measured: this needs an NVIDIA GPU and a torch that knows it.")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary) / "checkpoint"
        if not (folder / "config.json").is_file():
            _written(folder, given.frames)
        figures: dict[str, Any] = {}
        for graphs in (True, False):
            name = "graphs" if graphs else "no graphs"
            figures[name] = _apart(_ours, folder, given.rounds, {"graphs": graphs})
        if importlib.util.find_spec("qwen_tts"):
            figures["upstream"] = _apart(_upstream, folder, given.rounds, given.frames)
        else:
            print("qwen-tts is not installed here: upstream is not measured.")
    for name, row in figures.items():
        print(name.ljust(10), "  ".join(f"{what} {value:.3f}" for what, value in row.items()))
    print(json.dumps(figures))


def _has_gpu() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def _written(folder: Path, frames: int) -> None:
    sys.path.insert(0, str(TESTS))
    import tiny_checkpoint  # type: ignore[import-not-found]

    print("Writing random weights in the published sizes of the 0.6B model.")
    tiny_checkpoint.write(folder, published=True, frames=frames)


def _apart(work: Any, *arguments: Any) -> dict[str, float]:
    """Do it in a process of its own; add what the device held before, meanwhile and after."""
    context = multiprocessing.get_context("spawn")
    before = _used_mb()
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        figures: dict[str, float] = ours.recv()
        held = _used_mb()
        ours.send("end")
    finally:
        process.join(120)
    return {**figures, "held_mb": held - before, "left_mb": _used_mb() - before}


def _used_mb() -> float:
    """What the device holds beyond this process's own context, which stays the same."""
    import torch

    free, whole = torch.cuda.mem_get_info()
    return float(whole - free) / 1e6


def _ours(pipe: Connection, folder: Path, rounds: int, options: dict[str, bool]) -> None:
    from open_speech import LoadContext, SpeechRequest
    from open_speech_provider_qwen3 import Qwen3Backend

    info = Qwen3Backend().list_available()[0]
    context = LoadContext(paths={"model": folder}, device="cuda", options=options)
    began = time.perf_counter()
    model = Qwen3Backend().load(info, context)
    load_s = time.perf_counter() - began
    first, ratio = [], []
    for seed in range(rounds + 1):  # the first warms up
        began, said = time.perf_counter(), 0.0
        heard: float | None = None
        for audio in model.synthesize(SpeechRequest(text=TEXT, voice="ryan", seed=seed)):
            heard = heard or time.perf_counter() - began
            said += audio.seconds
        first.append(heard or 0.0)
        ratio.append((time.perf_counter() - began) / max(said, FRAME_S))
    said_mb = model.device_memory_bytes() / 1e6
    pipe.send(
        {
            "load_s": load_s,
            "first_audio_s": statistics.median(first[1:]),
            "real_time_factor": statistics.median(ratio[1:]),
            "said_mb": said_mb,
        }
    )
    pipe.recv()


def _upstream(pipe: Connection, folder: Path, rounds: int, frames: int) -> None:
    import torch
    from qwen_tts import Qwen3TTSModel  # type: ignore[import-not-found]

    began = time.perf_counter()
    model = Qwen3TTSModel.from_pretrained(str(folder), device_map="cuda", dtype=torch.bfloat16)
    load_s = time.perf_counter() - began
    whole, ratio = [], []
    for seed in range(rounds + 1):
        torch.manual_seed(seed)
        began = time.perf_counter()
        said, rate = model.generate_custom_voice(
            text=TEXT, speaker="ryan", language="English", max_new_tokens=frames + 1
        )
        whole.append(time.perf_counter() - began)
        ratio.append(whole[-1] / max(len(said[0]) / rate, FRAME_S))
    pipe.send(
        {
            "load_s": load_s,
            "first_audio_s": statistics.median(whole[1:]),  # all of it comes at once
            "real_time_factor": statistics.median(ratio[1:]),
            "said_mb": torch.cuda.memory_reserved() / 1e6,
        }
    )
    pipe.recv()


if __name__ == "__main__":
    main()
