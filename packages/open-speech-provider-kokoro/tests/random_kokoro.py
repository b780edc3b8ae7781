# ruff: noqa: RUF001 - phonetic letters
"""A model of random weights in the official layout: full size in memory, some megabytes on disk.

Every number is random, also those that torch makes 0 or 1 (biases, norms, alphas): two tensors with
equal values can be mistaken for each other without a test noticing.

The layout and the trick are those of torch: a tensor may be a view whose rows overlap, and only
the numbers below it are written. ``make(folder, squeeze=False)`` writes all 327 MB.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import torch

from open_speech_provider_kokoro import _network
from open_speech_provider_kokoro.graphs import ARCHITECTURE
from open_speech_provider_kokoro.voices import VOICES

_SYMBOLS = (
    ';:,.!?—…"()“” AIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤ'
    "χʎʒʔˈˌːʰʲ↓→↗↘ᵻʣʥʦʨ\u0303"
)
_LARGE = 20_000
_FRAMES_BIAS = -2.75
"""Of random weights a symbol takes 25 frames; with this it takes three or so."""
_NOTES_HZ, _NOTES_SCALE = 90.0, 300.0
"""Random weights know no note above 10 Hz, so nothing would be voiced; with these most is."""


def make(folder: Path, *, squeeze: bool = True, seed: int = 0) -> Path:
    """Write a model, voices included."""
    torch.manual_seed(seed)
    (folder / "voices").mkdir(parents=True, exist_ok=True)
    vocabulary = {symbol: number for number, symbol in enumerate(dict.fromkeys(_SYMBOLS), 1)}
    config = {**ARCHITECTURE, "vocab": vocabulary, "dim_in": 64, "multispeaker": True}
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False))
    torch.save(_checkpoint(squeeze=squeeze), folder / "kokoro-v1_0.pth")
    for voice in VOICES:
        row = torch.randn(1, 1, 256) * 0.2
        pack = row.expand(510, 1, 256) if squeeze else row.repeat(510, 1, 1)
        torch.save(pack, folder / "voices" / f"{voice.id}.pt")
    return folder


class Published(_network.Parts):
    """The modules as published: each weight that is normalised is kept as length and direction.

    That holds for the text encoder and the predictor as much as for the decoder; the original
    passes over a weight that is written in another way, and keeps a random one.
    """

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of weight_norm
            self._build(ARCHITECTURE)


def _checkpoint(*, squeeze: bool) -> dict[str, dict[str, torch.Tensor]]:
    """As published: one dictionary per part, ``module.`` before each name."""
    parts = Published()
    _scatter(parts)
    head = parts.predictor.duration_proj.linear_layer
    torch.nn.init.normal_(head.bias, _FRAMES_BIAS, 0.05)
    head.weight.data.mul_(0.05)
    notes = parts.predictor.F0_proj
    notes.weight.data.mul_(_NOTES_SCALE)
    notes.bias.data.fill_(_NOTES_HZ)
    return {
        name: {
            f"module.{key}": _kept(value, squeeze)
            for key, value in part.state_dict().items()
            if ".norm." not in key  # as published: they do nothing
        }
        for name, part in parts.named_children()
    }


@torch.no_grad()
def _scatter(parts: torch.nn.Module) -> None:
    """Make the parameters random that torch makes constant."""
    for parameter in parts.parameters():
        if parameter.min() == parameter.max():
            parameter.copy_(parameter * 0.5 + torch.rand_like(parameter) * 0.5 + 0.01)


def _kept(tensor: torch.Tensor, squeeze: bool) -> torch.Tensor:
    """Each row begins one number after the row before."""
    if not squeeze or tensor.dim() < 2 or tensor.numel() < _LARGE:
        return tensor.clone()
    row = tensor[0].numel()
    numbers = tensor.flatten()[: len(tensor) + row].clone()
    return numbers.as_strided(tensor.shape, (1, *tensor[0].stride()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--full", action="store_true")
    given = parser.parse_args()
    make(given.folder, squeeze=not given.full)
