# ruff: noqa: T201 - a script
"""Compare both engines with the original, on one checkpoint, and with a quantised export of it.

    python tools/compare_original.py FOLDER [--int8 kokoro-v1.0.int8.onnx] [--tagger FOLDER]

FOLDER has the files of ``hexgrad/Kokoro-82M``. The original is ``KModel`` of the package
``kokoro``; it is given the same symbols, style and noise. The quantised graph is run with its
rounded durations as one more output. Needs torch, kokoro and onnx.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from kokoro import KModel
from kokoro.istftnet import SineGen
from numpy.typing import NDArray

from open_speech import Samples
from open_speech_provider_kokoro._onnx import OnnxEngine
from open_speech_provider_kokoro._packs import Packs
from open_speech_provider_kokoro._spelling import Spelling
from open_speech_provider_kokoro._tokens import chunks, known, symbols_of
from open_speech_provider_kokoro._torch import TorchEngine
from open_speech_provider_kokoro._weights import Weights, read_vocabulary

SENTENCES = {
    "af_heart": "The old lighthouse keeper counted seventeen ships before breakfast.",
    "am_michael": "Please bring two umbrellas, because the weather report promises heavy rain.",
    "bf_emma": "A curious fox slipped quietly through the garden gate at midnight.",
    "bm_george": "Our train leaves the central station in twenty minutes.",
    "ef_dora": "Buenos días, hoy hace mucho calor en la ciudad.",
    "ff_siwis": "Le petit marché ouvre tous les samedis matin.",
}
_ROUNDED = "/encoder/Round_output_0"
"""Frames of each symbol, inside the quantised graph."""
_HARMONICS = 9


def noise(count: int) -> Samples:
    """The same each time."""
    return np.random.default_rng(7).standard_normal(count, np.float32)


def alike(one: Samples, other: Samples) -> float:
    """The correlation of two waves of equal length; 0 where the lengths differ."""
    return float(np.corrcoef(one, other)[0, 1]) if one.shape == other.shape else 0.0


class Original:
    """The model of the package, which gets our noise for its own and keeps time in double."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model = KModel(
                repo_id="hexgrad/Kokoro-82M",
                config=str(folder / "config.json"),
                model=str(folder / "kokoro-v1_0.pth"),
            ).eval()
        merge = self._model.decoder.generator.m_source.l_linear.weight[0].detach()
        random, sines = torch.randn_like, SineGen._f02sine  # noqa: SLF001

        def drawn(like: torch.Tensor) -> torch.Tensor:
            if like.shape[-1] != _HARMONICS:
                return random(like)
            return torch.from_numpy(noise(like.shape[1]))[None, :, None] * merge / merge.norm()

        # Its phases are off by more with every frame in single precision.
        torch.randn_like = drawn
        SineGen._f02sine = lambda self, notes: sines(self, notes.double()).float()  # noqa: SLF001

    def speak(self, symbols: NDArray[np.int64], style: NDArray[np.float32]) -> tuple[Any, Any]:
        """Samples, and frames of each symbol."""
        given = torch.from_numpy(symbols[None]), torch.from_numpy(style)
        samples, frames = self._model.forward_with_tokens(*given, 1.0)
        return samples.numpy(), frames.numpy()


def quantised(path: Path) -> onnxruntime.InferenceSession:
    """The export, with the frames of each symbol as a second output."""
    model = onnx.load(path)
    model.graph.output.append(onnx.ValueInfoProto(name=_ROUNDED))
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def inputs(folder: Path, tagger: Path | None) -> list[tuple[str, NDArray[np.int64], Any]]:
    """The symbols and the style of each sentence."""
    vocabulary = read_vocabulary(folder, "kokoro")
    spelling, packs = Spelling(tagger, "kokoro"), Packs(folder / "voices", "kokoro")
    found = []
    for voice, text in SENTENCES.items():
        (chunk,) = chunks(known(spelling.spell(voice[0], text), vocabulary))
        spoken = symbols_of(chunk)
        symbols = np.array([0, *(vocabulary[symbol] for symbol in spoken), 0], np.int64)
        found.append((voice, symbols, packs.style([(voice, 1.0)], len(spoken))))
    return found


def main(folder: Path, int8: Path | None, tagger: Path | None) -> None:
    """Print a line for each sentence."""
    weights = Weights(folder / "kokoro-v1_0.pth", "kokoro")
    engines = OnnxEngine(weights, 2), TorchEngine(weights, "cpu", 2)
    original, small = Original(folder), quantised(int8) if int8 else None
    print("voice       frames  onnx torch int8  symbols off by  r onnx   r torch")
    for voice, symbols, style in inputs(folder, tagger):
        wave, frames = original.speak(symbols, style)
        ours = [engine.speak(symbols, style, 1.0, noise) for engine in engines]
        same = ["same" if np.array_equal(frames, each) else "OTHER" for _, each in ours]
        apart, off = "-", "-"
        if small:
            given = {"tokens": symbols[None], "style": style, "speed": np.ones(1, np.float32)}
            (rounded,) = small.run([_ROUNDED], given)
            rounded = np.maximum(rounded.ravel(), 1)
            apart = f"{rounded.sum() / frames.sum() - 1:+.1%}"
            off = f"{np.abs(rounded - frames).max():.0f}"
        close = "  ".join(f"{alike(wave, samples):.5f}" for samples, _ in ours)
        print(f"{voice:11} {frames.sum():6}  {' '.join(same)} {apart:>6} {off:>8}          {close}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--int8", type=Path)
    parser.add_argument("--tagger", type=Path)
    main(**vars(parser.parse_args()))
