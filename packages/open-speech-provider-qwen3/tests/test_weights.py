"""Every tensor of a checkpoint is read, and changes what is heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

KINDS = ("custom_voice", "base")
"""With a predictor that is narrower than its talker, and with what hears recordings."""
TEXT = "Hello there."
FRAMES = 2
SECONDS = 0.8


class Loaded:
    """An engine, and the tensors of its checkpoint that it took, by name."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch

        from open_speech_provider_qwen3.engine import Engine
        from open_speech_provider_qwen3.weights import Weights

        self.taken: dict[str, Any] = {}
        take = Weights.take

        def noted(weights: Weights, name: str) -> Any:
            # On a CPU, and of the type that it has in the file, it is the engine's own.
            return self.taken.setdefault(name, take(weights, name))

        torch.set_num_threads(1)  # so that the same is added up in the same order
        monkeypatch.setattr(Weights, "take", noted)
        self.engine = Engine(folder, device="cpu", dtype=torch.float32, graphs=False)
        self.names: set[str] = set()
        for path in (folder, folder / "speech_tokenizer"):
            with safe_open(path / "model.safetensors", framework="pt") as file:
                self.names.update(file.keys())

    def codes(self) -> list[Any]:
        """What the talker and its predictor say in codes, and what they had in mind before each.

        A code is the best of many, and stays so where little changes.
        """
        engine, minds = self.engine, list[Any]()
        hooks = [
            stack._model.norm.register_forward_hook(lambda *seen: minds.append(seen[-1].numpy()))
            for stack in (engine.talker.stack, engine.predictor._stack)
        ]
        voice = engine.preset_voice(engine.config.talker.codec_bos_id + 40)
        prompt = engine.prompt(TEXT, voice)
        settings = replace(
            engine.config.generation,
            do_sample=False,
            subtalker_dosample=False,
            max_new_tokens=FRAMES,
        )
        frames = [frame.numpy() for frame in engine.frames(prompt, settings, None)]
        for hook in hooks:
            hook.remove()
        return [*frames, *minds]

    def sound(self) -> list[Any]:
        """What the codec makes of codes that are the same each time."""
        import torch

        config = self.engine.config
        shape = (3, config.talker.num_code_groups)
        codes = torch.arange(shape[0] * shape[1]).view(shape) % config.decoder.codebook_size
        return list(self.engine.sound(iter(codes)))

    def voice(self, upstream_cases: Any) -> list[Any]:
        """What is heard of a recording: whose voice it is, and its codes."""
        heard = self.engine.recorded_voice(upstream_cases.recording(SECONDS), "A recording.")
        return [heard.embedding.numpy().copy(), heard.codes.numpy().copy()]


@pytest.fixture(scope="module")
def loaded(checkpoint: Callable[..., Path]) -> Iterator[Callable[[str], Loaded]]:
    made: dict[str, Loaded] = {}

    def load(kind: str) -> Loaded:
        if kind not in made:
            with pytest.MonkeyPatch.context() as monkeypatch:
                made[kind] = Loaded(checkpoint(kind), monkeypatch)
        return made[kind]

    yield load
    made.clear()


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_tensors_of_the_test_model_have_equal_numbers(
    kind: str, loaded: Callable[[str], Loaded]
) -> None:
    first: dict[float, str] = {}
    for name, tensor in loaded(kind).taken.items():
        assert tensor.numel() == 1 or tensor.min() < tensor.max(), name
        assert first.setdefault(float(tensor.flatten()[0]), name) == name


@pytest.mark.parametrize("kind", KINDS)
def test_every_tensor_is_read_or_known_not_to_be(
    kind: str, loaded: Callable[[str], Loaded]
) -> None:
    from open_speech_provider_qwen3 import codec_decoder, codec_encoder

    known = [f"decoder.{pattern}" for pattern in codec_decoder.UNUSED]
    known += [f"encoder.{pattern}" for pattern in codec_encoder.UNUSED]
    if kind != "base":  # which alone hears recordings
        known.append("encoder.*")
    model = loaded(kind)
    unread = model.names - model.taken.keys()
    assert {n for n in unread if not any(fnmatchcase(n, pattern) for pattern in known)} == set()
    assert model.taken.keys() <= model.names


OUTPUTS = {
    "talker.": "codes",
    "decoder.": "sound",
    "encoder.": "voice",
    "speaker_encoder.": "voice",
}
"""By the beginning of its name, what a tensor must change."""


@pytest.mark.parametrize(
    ("kind", "part"), [("custom_voice", "talker."), *(("base", part) for part in OUTPUTS)]
)
def test_each_tensor_changes_what_it_is_for(
    kind: str, part: str, loaded: Callable[[str], Loaded], upstream_cases: Any
) -> None:
    import torch

    model = loaded(kind)
    says = getattr(model, OUTPUTS[part])
    arguments = (upstream_cases,) if OUTPUTS[part] == "voice" else ()
    plain = says(*arguments)
    chance = torch.Generator().manual_seed(4)
    silent = set()
    for name in sorted(model.taken):
        if not name.startswith(part):
            continue
        tensor = model.taken[name]
        kept = tensor.clone()
        much = 3 * kept.abs().mean() + (kept.dim() == 1)  # codes do not follow a small bias
        tensor.add_(much * torch.randn(kept.shape, generator=chance))
        if equal(plain, says(*arguments)):
            silent.add(name)
        tensor.copy_(kept)
    assert silent == set()
    assert equal(plain, says(*arguments))


def equal(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))
