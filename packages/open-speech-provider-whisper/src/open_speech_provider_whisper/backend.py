"""What this provider offers, and how a model is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from open_speech import LoadContext, ModelInfo, STTBackend
from open_speech.errors import ModelLoadFailed

from . import _layout
from .catalogue import LOCAL, MODELS, PATTERNS, english_only

if TYPE_CHECKING:
    from .model import WhisperModel


class WhisperBackend(STTBackend):
    """Whisper models in CTranslate2's format."""

    name = "whisper"
    patterns = PATTERNS

    def list_available(self) -> list[ModelInfo]:
        """The models that are published in this format."""
        return list(MODELS)

    def inspect(self, path: Path) -> ModelInfo | None:
        """Recognise a folder with a converted model, named after the folder."""
        if not _layout.is_whisper(path):
            return None
        found = replace(LOCAL, id=path.name, sources=())
        multilingual = _layout.vocabulary_size(path) >= _layout.MULTILINGUAL_TOKENS
        return found if multilingual else english_only(found)

    def load(self, model: ModelInfo, context: LoadContext) -> WhisperModel:
        """Load from a folder; nothing is ever fetched.

        Raises ModelLoadFailed for a folder that is not of the format or lies about itself,
        InvalidRequest for a device or number format that this machine lacks.
        """
        folder = context.paths.get("model")
        if folder is None or not folder.is_dir():
            raise ModelLoadFailed(
                f"There is no folder with the model {model.id}.",
                model=model.id,
                hint="Download the model, or give the folder of a converted one.",
            )
        _layout.check(folder, model.id)
        from .model import WhisperModel  # imports the engine

        return WhisperModel(model, folder, context)
