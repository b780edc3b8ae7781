"""What this provider offers, and how a model is loaded."""

from __future__ import annotations

from open_speech import LoadContext, ModelInfo, TTSBackend, TTSModel

from .catalogue import MODELS


class FishBackend(TTSBackend):
    """Fish Speech, here or on a server."""

    name = "fish"

    def list_available(self) -> list[ModelInfo]:
        """One model to run here, and whatever a server runs."""
        return list(MODELS)

    def load(self, model: ModelInfo, context: LoadContext) -> TTSModel:
        """Load from a folder, or reach the server; nothing is ever fetched.

        Raises ModelLoadFailed where the engine is not installed, the folder is not of the format,
        or no server is configured.
        """
        if not model.sources:
            from .server import ServerModel

            return ServerModel(model, context.options)
        from .model import FishModel  # imports the engine

        return FishModel(model, context)
