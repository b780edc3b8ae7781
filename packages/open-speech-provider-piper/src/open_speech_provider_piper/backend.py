"""The backend: voices by name, by repository or in a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from open_speech import LoadContext, ModelInfo, TTSBackend
from open_speech.errors import ModelLoadFailed

from . import _layout
from .catalogue import MODELS, PATTERNS, TEMPLATE

if TYPE_CHECKING:
    from .model import PiperModel


class PiperBackend(TTSBackend):
    """Voices in Piper's format: a graph (``.onnx``) with its configuration (``.onnx.json``)."""

    name = "piper"
    patterns = PATTERNS

    def list_available(self) -> list[ModelInfo]:
        """Every voice of the catalogue."""
        return list(MODELS)

    def inspect(self, path: Path) -> ModelInfo | None:
        """Recognise a voice: its ``.onnx``, or a folder that holds one. Named after the file."""
        graph = _layout.only_voice(path)
        if graph is None:
            return None
        try:
            config = _layout.read_config(graph, path.name)
        except ModelLoadFailed:
            return None
        found = _layout.described(TEMPLATE, graph, config)
        return replace(found, id=f"piper/{graph.stem}", sources=())

    def load(self, model: ModelInfo, context: LoadContext) -> PiperModel:
        """Load from a folder or a file; nothing is ever fetched.

        Raises ModelLoadFailed for what is no voice, lies about itself or needs a phonemizer that
        is not installed; InvalidRequest for a device that this machine lacks.
        """
        graph = _layout.find(model, context.paths.get("model"))
        config = _layout.read_config(graph, model.id)
        from .model import PiperModel  # imports the engine

        return PiperModel(_layout.described(model, graph, config), graph, config, context)
