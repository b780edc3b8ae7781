"""The voices' tensors: one style for each length of text, mixed as asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from open_speech.errors import ModelLoadFailed

from ._archive import Malformed
from ._engine import MAX_SYMBOLS
from ._tensors import Tensor, read_tensors

_SHAPE = (MAX_SYMBOLS, 1, 256)


class Packs:
    """Voices of a folder, read when they are first spoken with."""

    def __init__(self, folder: Path, model: str) -> None:
        self._folder, self._model = folder, model
        self._read: dict[str, Tensor] = {}

    def style(self, shares: Iterable[tuple[str, float]], length: int) -> NDArray[np.float32]:
        """The style ``(1, 256)`` of a mixture for a text of so many symbols.

        Weights are divided by the sum of their sizes, as Kokoro-FastAPI does, so that one voice
        taken from another leaves less than a whole one. Raises ModelLoadFailed for a voice whose
        file cannot be used.
        """
        parts = list(shares)
        total = sum(abs(weight) for _, weight in parts)
        row = min(max(length, 1), MAX_SYMBOLS) - 1
        styles = [self._pack(voice)[row] * np.float32(weight / total) for voice, weight in parts]
        mixed: NDArray[np.float32] = np.sum(styles, axis=0, dtype=np.float32)
        return mixed

    def _pack(self, voice: str) -> Tensor:
        """The tensor of a voice; the name is one of the model's and no path."""
        if voice not in self._read:
            self._read[voice] = self._checked(voice)
        return self._read[voice]

    def _checked(self, voice: str) -> Tensor:
        reason = f"has no shape {_SHAPE}"
        try:
            tensor = read_tensors(self._folder / f"{voice}.pt")
            if isinstance(tensor, np.ndarray) and tensor.shape == _SHAPE:
                tensor = np.array(tensor, np.float32)
                if np.isfinite(tensor).all():
                    return tensor
                reason = "holds numbers that are none"
        except Malformed as error:
            reason = str(error)
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
        raise ModelLoadFailed(
            f"The voice {voice} of the model {self._model} cannot be used: its file {reason}.",
            model=self._model,
            hint="Delete the model and download it again, or choose another voice.",
        )
