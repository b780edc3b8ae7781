"""Random weights in the published sizes: files equal to the byte, and at work (deep)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import psutil
import pytest

from open_speech import Config, Defaults, OpenSpeech, Policy, SpeechRequest
from open_speech._lifecycle.states import ModelState
from open_speech.testing import sine

FILES = {
    ("custom_voice", False): 1_811_626_576,
    ("base", False): 1_829_344_272,
    ("custom_voice", True): 3_833_402_552,
    ("voice_design", True): 3_833_402_552,
    ("base", True): 3_857_413_744,
}
"""Bytes of ``model.safetensors`` in the five published repositories, by kind and largeness."""
CODEC_FILE = 682_293_092
"""Bytes of ``speech_tokenizer/model.safetensors`` in all of them."""
PARAMETERS = {"custom_voice": 905_788_672, "base": 914_643_008}
CODEC_PARAMETERS = 170_557_441
IMPORTS_BYTES = 1_500_000_000
"""Torch and transformers in a worker, a graph's buffers, what a few frames need."""
Written = Callable[[str], Path]


def size(tensors: Mapping[str, Any], bytes_each: int, mark: Mapping[str, str] | None) -> int:
    """Of a safetensors file with these tensors: header, numbers, and nothing between them."""
    header: dict[str, Any] = {"__metadata__": mark} if mark else {}
    end = 0
    for name in sorted(tensors):
        start, end = end, end + tensors[name].numel() * bytes_each
        kind = {2: "BF16", 4: "F32"}[bytes_each]
        shape = list(tensors[name].shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    length = len(json.dumps(header, separators=(",", ":")))
    return 8 + length + -length % 8 + end


@pytest.mark.parametrize(("kind", "large"), FILES)
def test_names_and_shapes_make_files_of_the_published_sizes(
    kind: str,
    large: bool,
    tmp_path: Path,
    tiny_checkpoint: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every name counts by its letters, every shape by its digits and its numbers."""
    import torch

    monkeypatch.setattr(
        tiny_checkpoint, "made", lambda _, shape, __: torch.empty(shape, device="meta")
    )
    config = tiny_checkpoint.describe(tmp_path, kind, published=True, large=large, frames=1)
    talker = dict(tiny_checkpoint.talker(config, None))
    assert size(talker, 2, tiny_checkpoint.mark(kind, published=True)) == FILES[kind, large]
    codec = dict(tiny_checkpoint.speech_tokenizer(config, None))
    assert size(codec, 4, tiny_checkpoint.mark("codec", published=True)) == CODEC_FILE


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """The folder of a checkpoint in the published sizes of the 0.6B model."""
    script = Path(__file__).with_name("tiny_checkpoint.py")
    made: dict[str, Path] = {}

    def write(kind: str) -> Path:
        if kind not in made:
            made[kind] = folder = tmp_path_factory.mktemp("published") / kind
            wanted = [str(folder), "--kind", kind, "--published", "--frames", "5"]
            subprocess.run([sys.executable, str(script), *wanted], check=True)
        return made[kind]

    yield write
    for folder in made.values():
        for path in folder.rglob("*.safetensors"):
            path.unlink()


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("kind", "compute_type", "bytes_each"),
    [("custom_voice", "float32", 4), ("base", "float32", 4), ("base", "bfloat16", 2)],
)
async def test_a_worker_speaks_with_published_sizes_and_gives_its_memory_back(
    written: Written, kind: str, compute_type: str, bytes_each: int
) -> None:
    folder = written(kind)
    assert (folder / "model.safetensors").stat().st_size == FILES[kind, False]
    assert (folder / "speech_tokenizer" / "model.safetensors").stat().st_size == CODEC_FILE
    asked = SpeechRequest(text="Hello.", voice="ryan" if kind == "custom_voice" else "", seed=1)
    if kind == "base":
        recording = sine(2.0, sample_rate=44_100)
        asked = SpeechRequest(
            text="Hello.", voice="", seed=1, reference=recording, reference_text="A tone."
        )
    config = Config(
        providers=("qwen3",),
        local_models={"published": folder},
        tts=Defaults(compute_type=compute_type),
        policy=Policy(load_wait_s=1800.0, call_timeout_s=1800.0, load_timeout_s=1800.0),
    )
    async with OpenSpeech(config) as speech:
        pieces = [piece.samples async for piece in speech.synthesize(asked, model="published")]
        (status,) = [each for each in await speech.models() if each.id == "published"]
        assert status.state is ModelState.LOADED
        assert status.pid is not None
        worker = psutil.Process(status.pid)
        held = worker.memory_full_info().uss
        weights = bytes_each * PARAMETERS[kind] + 4 * CODEC_PARAMETERS
        sys.stdout.write(
            f"{kind}, {compute_type}: {held / 1e9:.2f} GB, {weights / 1e9:.2f} GB of it weights\n"
        )
        await speech.manager.unload("published")
        assert not worker.is_running()
    assert [len(piece) for piece in pieces] == [2 * 1920, 3 * 1920]
    sound = np.concatenate(pieces)
    assert float(np.sqrt(np.mean(sound**2))) > 0.01
    assert 0.9 * (weights - 4 * CODEC_PARAMETERS / 2) < held < weights + IMPORTS_BYTES
