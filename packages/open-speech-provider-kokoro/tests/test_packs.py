"""Voices' tensors and mixtures of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from open_speech.errors import ModelLoadFailed
from open_speech_provider_kokoro._packs import Packs


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    for name in ("af_a", "af_b"):
        torch.save(torch.randn(510, 1, 256), tmp_path / f"{name}.pt")
    return tmp_path


def test_a_style_is_the_row_of_the_length(voices: Path) -> None:
    tensor = torch.load(voices / "af_a.pt", weights_only=True).numpy()
    packs = Packs(voices, "kokoro")
    for length, row in ((1, 0), (7, 6), (510, 509), (0, 0), (600, 509)):
        np.testing.assert_array_equal(packs.style([("af_a", 3.0)], length), tensor[row])


def test_a_mixture_is_weighted_by_the_sum_of_sizes(voices: Path) -> None:
    one, other = (torch.load(voices / f"af_{x}.pt", weights_only=True).numpy()[4] for x in "ab")
    packs = Packs(voices, "kokoro")
    np.testing.assert_allclose(
        packs.style([("af_a", 2.0), ("af_b", 1.0)], 5), one * 2 / 3 + other / 3, atol=1e-6
    )
    np.testing.assert_allclose(
        packs.style([("af_a", 1.0), ("af_b", -1.0)], 5), one / 2 - other / 2, atol=1e-6
    )


class Touch:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.canary),)


def test_a_voice_runs_no_code(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    torch.save(Touch(canary), tmp_path / "af_a.pt")
    with pytest.raises(ModelLoadFailed, match="af_a"):
        Packs(tmp_path, "kokoro").style([("af_a", 1.0)], 5)
    assert not canary.exists()


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(510, 256),
        torch.zeros(3),
        {"a": torch.zeros(3)},
        torch.full((510, 1, 256), np.nan),
    ],
    ids=["rank", "small", "dictionary", "nan"],
)
def test_other_tensors_are_no_voice(tmp_path: Path, value: object) -> None:
    torch.save(value, tmp_path / "af_a.pt")
    with pytest.raises(ModelLoadFailed):
        Packs(tmp_path, "kokoro").style([("af_a", 1.0)], 5)


def test_a_voice_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadFailed, match="af_a"):
        Packs(tmp_path, "kokoro").style([("af_a", 1.0)], 5)
