"""Change each tensor of a checkpoint in turn, and print what makes no difference, as JSON.

    python spoil_fish.py FOLDER

Runs with the interpreter of the provider's own environment, on a folder of ``random_fish.py``.
"silent" are tensors that change nothing that is said, heard or made of a recording; "unread" are
names in the files that are no parameter.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from open_speech import Audio
from open_speech_provider_fish._engine import CODEC, TEXT_MODEL, Engine

SAMPLING: dict[str, Any] = {"max_new_tokens": 4, "top_p": 0.9, "temperature": 0.9}


def parts(engine: Engine) -> list[tuple[str, Any, Any]]:
    """Each model: its file, itself, and what it is asked."""
    codes = torch.arange(60).view(10, 6) % 64
    noise = np.random.default_rng(3).standard_normal(8_000).astype(np.float32) * 0.1
    recording = Audio(samples=noise, sample_rate=engine.sample_rate)
    heads = list[torch.Tensor]()
    for each in (engine._text.norm, engine._text.fast_norm):
        each.register_forward_hook(lambda *seen: heads.append(seen[-1].clone()))

    def said() -> list[Any]:
        heads.clear()
        return [engine.speak("Hi.", 1, SAMPLING), *heads]

    before = list[torch.Tensor]()  # of the codes of a recording, which follow no small change
    for quantizer in (
        engine._codec.quantizer.semantic_quantizer,
        engine._codec.quantizer.quantizer,
    ):
        for each in quantizer.quantizers:
            each.in_proj.register_forward_hook(lambda *seen: before.append(seen[-1].clone()))

    def heard() -> list[Any]:
        before.clear()
        return [torch.from_numpy(engine.sound(codes)), engine.frames(recording), *before]

    return [(TEXT_MODEL, engine._text, said), (CODEC, engine._codec, heard)]


def equal(one: list[Any], other: list[Any]) -> bool:
    """Bit by bit."""
    return len(one) == len(other) and all(map(torch.equal, one, other))


@torch.no_grad()
def main(folder: Path) -> None:
    """Print the answer."""
    torch.set_num_threads(1)
    config = folder / "codec.yaml"
    engine = Engine(folder, "cpu", None, config if config.exists() else None)
    silent, unread = [], []
    for file, model, ask in parts(engine):
        parameters = dict(model.named_parameters())
        names = torch.load(folder / file, map_location="cpu", weights_only=True).keys()
        unread += sorted(names - parameters.keys())
        plain = ask()
        assert equal(plain, ask())
        for name, parameter in parameters.items():
            kept = parameter.clone()
            parameter.add_(torch.randn_like(kept) * (kept.abs().mean() + 0.1))
            if equal(plain, ask()):
                silent.append(name)
            parameter.copy_(kept)
    json.dump({"silent": silent, "unread": unread}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
