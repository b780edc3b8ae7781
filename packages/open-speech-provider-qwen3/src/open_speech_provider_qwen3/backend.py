"""What this provider offers, and how a model is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from open_speech import LoadContext, ModelInfo, TTSBackend
from open_speech.errors import ModelLoadFailed

from . import configuration
from .catalogue import MODELS, PATTERNS, assumed

if TYPE_CHECKING:
    from .model import Qwen3Model


class Qwen3Backend(TTSBackend):
    """Qwen3-TTS checkpoints with the codec of 12.5 frames a second."""

    name = "qwen3"
    patterns = PATTERNS

    def list_available(self) -> list[ModelInfo]:
        """The checkpoints that are published."""
        return list(MODELS)

    def inspect(self, path: Path) -> ModelInfo | None:
        """Recognise a folder with a checkpoint, named after the folder."""
        kind = configuration.kind_of(path)
        return replace(assumed(kind), id=path.name) if kind else None

    def load(self, model: ModelInfo, context: LoadContext) -> Qwen3Model:
        """Load from a folder; nothing is ever fetched, and only safetensors are read.

        Raises ModelLoadFailed for a folder that is not of the format or lies about itself,
        InvalidRequest for a device or number format that this machine lacks.
        """
        folder = context.paths.get("model")
        if folder is None or not folder.is_dir():
            raise ModelLoadFailed(
                f"There is no folder with the model {model.id}.",
                model=model.id,
                hint="Download the model, or give the folder of a checkpoint.",
            )
        from .model import Qwen3Model  # imports the engine

        return Qwen3Model(model, folder, context)
