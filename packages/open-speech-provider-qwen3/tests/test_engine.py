"""Streaming, fixed caches, sampling: that each is what the plain way gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from open_speech_provider_qwen3 import graphs  # noqa: E402
from open_speech_provider_qwen3.causal import CausalConv, CausalTransposedConv  # noqa: E402
from open_speech_provider_qwen3.engine import PIECES  # noqa: E402
from open_speech_provider_qwen3.mel import filters  # noqa: E402
from open_speech_provider_qwen3.prompts import Voice  # noqa: E402
from open_speech_provider_qwen3.resampling import resample  # noqa: E402
from open_speech_provider_qwen3.sampling import Chance, Sampling, choose  # noqa: E402

Engines = Callable[[str], Any]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=4)
@given(cuts=st.lists(st.integers(1, 25), min_size=2, max_size=5))
def test_sound_in_pieces_is_the_sound_at_once(engine: Engines, cuts: list[int]) -> None:
    """However it is cut, and beyond the window of the codec's attention (24 frames here)."""
    decoder = engine("custom_voice").decoder
    codes = torch.randint(0, 64, (sum(cuts), 16), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = decoder(codes, {})
        stream: dict[Any, Any] = {}
        pieces = torch.cat([decoder(piece, stream) for piece in codes.split(cuts)])
    rms = float(whole.pow(2).mean().sqrt())
    assert float((whole - pieces).abs().max()) <= 1e-4 * rms


def test_what_is_remembered_does_not_grow(engine: Engines) -> None:
    decoder = engine("custom_voice").decoder
    stream: dict[Any, Any] = {}

    def kept() -> int:
        tensors = [t for v in stream.values() for t in (v if isinstance(v, tuple) else (v,))]
        return sum(t.numel() for t in tensors if not isinstance(t, int))

    sizes = []
    with torch.inference_mode():
        for _ in range(6):
            decoder(torch.zeros(12, 16, dtype=torch.long), stream)
            sizes.append(kept())
    assert sizes[-1] == sizes[2]


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (6, 3), (7, 3), (16, 8)])
def test_transposed_convolutions_go_on(kernel: int, stride: int) -> None:
    layer = CausalTransposedConv(3, 2, kernel, stride)
    x = torch.randn(1, 3, 17)
    with torch.inference_mode():
        plain = layer.conv(x)[..., : 17 * stride]
        stream: dict[Any, Any] = {}
        pieces = torch.cat([layer(piece, stream) for piece in x.split([1, 4, 12], -1)], -1)
    torch.testing.assert_close(pieces, plain)


@pytest.mark.parametrize("dilation", [1, 3, 9])
def test_convolutions_go_on(dilation: int) -> None:
    layer = CausalConv(3, 2, 7, dilation=dilation)
    x = torch.randn(1, 3, 40)
    with torch.inference_mode():
        padded = torch.nn.functional.pad(x, (6 * dilation, 0))
        stream: dict[Any, Any] = {}
        pieces = torch.cat([layer(piece, stream) for piece in x.split([1, 9, 30], -1)], -1)
        torch.testing.assert_close(pieces, layer.conv(padded))


def codes(whole: Any, text: str, longest: int, **how: Any) -> list[list[int]]:
    """The first frames of an utterance of at most ``longest``."""
    voice = whole.preset_voice(whole.config.speakers["ryan"])
    prompt = whole.prompt(text, voice, whole.config.language_ids["english"])
    asked = replace(whole.config.generation, max_new_tokens=longest, **how)
    return [frame.tolist() for frame in islice(whole.frames(prompt, asked, 5), 6)]


@pytest.mark.parametrize("sample", [True, False])
def test_a_cache_laid_out_once_gives_the_same_codes(engine: Engines, sample: bool) -> None:
    """What a CUDA graph captures, run as it is: the same numbers at fixed places."""
    whole = engine("custom_voice")
    how = {"do_sample": sample, "subtalker_dosample": sample}
    texts = ("Long enough a text.", "Hi.")
    plain = [codes(whole, text, 6, **how) for text in texts]
    try:
        with torch.inference_mode():
            whole.talker.capture(graphs.run_as_is, 64)
            other = Sampling(sample=sample, temperature=0.9, top_k=50, top_p=1.0)
            whole.predictor.capture(graphs.run_as_is, other, whole.talker.like)
        captured = [codes(whole, text, 6, **how) for text in texts]
        too_long = codes(whole, texts[0], 65, **how)
    finally:
        whole.release()
    assert captured == plain
    assert too_long == plain[0]


def test_the_first_sound_needs_two_frames(engine: Engines) -> None:
    whole = engine("custom_voice")
    asked = 0

    def frames() -> Any:
        nonlocal asked
        for _ in range(100):
            asked += 1
            yield torch.zeros(16, dtype=torch.long)

    first = next(iter(whole.sound(frames())))
    assert (asked, len(first)) == (PIECES[0], PIECES[0] * 1920)
    assert all(later <= 1.5 * earlier for earlier, later in pairwise(PIECES))


def test_frames_come_one_by_one(engine: Engines) -> None:
    whole = engine("voice_design")
    prompt = whole.prompt("Hello.", Voice())
    made = whole.frames(prompt, whole.config.generation, 1)
    assert len(list(islice(made, 3))) == 3


@pytest.mark.parametrize("columns", [7, 64, 3072])
def test_chance_is_that_of_multinomial(columns: int) -> None:
    scores = torch.randn(1, columns, generator=torch.Generator().manual_seed(1)) * 3
    how = Sampling(sample=True, temperature=0.9, top_k=0, top_p=1.0)
    chance, plain = Chance(9, "cpu"), torch.Generator().manual_seed(9)
    for _ in range(20):
        ours = int(choose(scores, how, chance.draw(1, columns)))
        theirs = torch.multinomial((scores / 0.9).softmax(-1), 1, generator=plain)
        assert ours == int(theirs)


def test_only_the_best_are_chosen() -> None:
    scores = torch.arange(10.0)[None]
    chance = Chance(0, "cpu")
    few = Sampling(sample=True, temperature=50.0, top_k=3, top_p=1.0)
    assert {int(choose(scores, few, chance.draw(1, 10))) for _ in range(100)} == {7, 8, 9}
    likely = Sampling(sample=True, temperature=1.0, top_k=0, top_p=0.6)
    assert {int(choose(scores, likely, chance.draw(1, 10))) for _ in range(100)} == {9}


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_recordings_keep_their_sound_at_another_rate(rate: int) -> None:
    def tone(at: int) -> np.ndarray:
        return np.sin(2 * np.pi * 700 * np.arange(at) / at).astype(np.float32)

    heard = resample(tone(rate), rate, 24_000)
    assert heard.dtype == np.float32
    assert len(heard) == 24_000
    inner = slice(500, -500)
    assert np.abs(heard - tone(24_000))[inner].max() < 2e-3


def test_what_a_rate_cannot_hold_is_left_out() -> None:
    high = np.sin(2 * np.pi * 18_000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(resample(high, 48_000, 24_000)[500:-500]).max() < 1e-2


def test_mel_bands_cover_the_spectrum() -> None:
    bands = filters(128)
    assert bands.shape == (128, 513)
    assert (bands >= 0).all()
    assert (bands.sum(1) > 0).all()
    peaks = bands.argmax(1)
    assert (peaks.diff() >= 0).all()
