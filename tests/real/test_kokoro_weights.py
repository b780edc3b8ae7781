# ruff: noqa: RUF001 - phonetic letters
"""Kokoro's rebuilt checkpoint is the published network, and the provider reads all of it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from open_speech import Samples
from real.repositories import EXPORT, KOKORO, published

torch = pytest.importorskip("torch", reason="torch is not installed")
pytestmark = [pytest.mark.real, pytest.mark.deep, pytest.mark.timeout(1800)]

PHRASES = (
    "ðə fˈɛɹi lˈivz ɪn ðə mˈɔɹnɪŋ.",
    "kʊd ju tˈɛl mˌi wˌɛɹ ðə stˈAʃən ɪz?",
    "ʃi plˈæntᵻd fˈIv tɹˈiz bəhˈInd ðə wˈɔl.",
)
FRAME_SAMPLES = 600
Symbols = NDArray[np.int64]
Style = NDArray[np.float32]


@pytest.fixture(scope="module")
def folder(weights: Callable[[str], Path]) -> Path:
    return weights(KOKORO)


@pytest.fixture(scope="module")
def phrases(folder: Path) -> list[tuple[Symbols, Style]]:
    """Symbols with the marks around them, and the voice's style for a text so long."""
    vocabulary = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab"]
    pack = torch.load(folder / "voices" / "af_heart.pt", weights_only=True)
    return [
        (np.array([0, *map(vocabulary.__getitem__, text), 0]), pack[len(text) - 1].numpy())
        for text in PHRASES
    ]


@pytest.fixture(scope="module")
def spoken(folder: Path, phrases: list[tuple[Symbols, Style]]) -> list[tuple[Samples, Symbols]]:
    """What the model of the package ``kokoro`` makes of them, without noise: samples and frames."""
    from kokoro import KModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: Any = KModel(
            repo_id=KOKORO,
            config=str(folder / "config.json"),
            model=str(folder / "kokoro-v1_0.pth"),
        ).eval()
    found = []
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(torch, "randn_like", torch.zeros_like)
        for symbols, style in phrases:
            given = torch.from_numpy(symbols[None]), torch.from_numpy(style)
            samples, frames = model.forward_with_tokens(*given, 1.0)
            found.append((samples.numpy(), frames.numpy()))
    return found


@pytest.fixture(scope="module", params=["onnx", "torch"])
def engine(request: pytest.FixtureRequest, folder: Path) -> Iterator[Any]:
    from open_speech_provider_kokoro._onnx import OnnxEngine
    from open_speech_provider_kokoro._torch import TorchEngine
    from open_speech_provider_kokoro._weights import Weights

    weights = Weights(folder / "kokoro-v1_0.pth", "kokoro")
    by_torch = request.param == "torch"
    made = TorchEngine(weights, "cpu", 2) if by_torch else OnnxEngine(weights, 2)
    yield made
    made.close()


def silent(count: int) -> Samples:
    """No noise: what is left is the same each time."""
    return np.zeros(count, np.float32)


def test_it_takes_the_time_of_the_published_export(
    phrases: list[tuple[Symbols, Style]], spoken: list[tuple[Samples, Symbols]]
) -> None:
    import onnxruntime

    export = onnxruntime.InferenceSession(published(KOKORO, EXPORT))
    speed = np.ones(1, np.float32)
    for (symbols, style), (_, frames) in zip(phrases, spoken, strict=True):
        given = {"tokens": symbols[None], "style": style, "speed": speed}
        (samples,) = export.run(None, given)
        expected = len(samples) / FRAME_SAMPLES
        print(f"{frames.sum()} frames, {expected:.0f} by the export")  # noqa: T201
        assert frames.sum() == pytest.approx(expected, rel=0.02)


def test_the_provider_speaks_as_the_original(
    engine: Any,
    phrases: list[tuple[Symbols, Style]],
    spoken: list[tuple[Samples, Symbols]],
) -> None:
    for (symbols, style), (theirs, expected) in zip(phrases, spoken, strict=True):
        ours, frames = engine.speak(symbols, style, 1.0, silent)
        np.testing.assert_array_equal(frames, expected)
        likeness = float(np.corrcoef(ours, theirs)[0, 1])
        print(f"{len(ours)} samples, correlation {likeness:.4f}")  # noqa: T201
        assert likeness > 0.99
