"""What this provider offers, and how a model is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from open_speech import (
    Capability,
    DiarizationBackend,
    LoadContext,
    ModelInfo,
    STTBackend,
    STTModel,
)
from open_speech.errors import InvalidRequest, ModelLoadFailed

from . import languages, layout, speaker_files
from .catalogue import LOCAL, MODELS, PATTERNS, SAME_VOICE, SESSIONS, SPEAKER_MODELS
from .families import CAPABILITIES

if TYPE_CHECKING:
    from .diarization import SherpaDiarizationModel


class SherpaBackend(STTBackend):
    """Recognition, of whole recordings and of sound that comes in."""

    name = "sherpa"
    models = MODELS
    patterns = PATTERNS

    def inspect(self, path: Path) -> ModelInfo | None:
        """Recognise a folder with a model, named after the folder."""
        found = layout.find(path) if path.is_dir() else None
        if found is None:
            return None
        return replace(
            LOCAL,
            id=path.name,
            capabilities=CAPABILITIES[found.family],
            languages=languages.of_files(found.family, found.metadata),
            compute_types=found.compute_types,
            sessions=SESSIONS if found.family.streams else LOCAL.sessions,
        )

    def load(self, model: ModelInfo, context: LoadContext) -> STTModel:
        """Load from a folder; nothing is ever fetched.

        Raises ModelLoadFailed for a folder that is none of the families or lacks what the engine
        reads, InvalidRequest for another device than the processor.
        """
        check_device(context)
        folder = context.paths.get("model")
        if folder is None or not folder.is_dir():
            raise ModelLoadFailed(
                f"There is no folder with the model {model.id}.",
                model=model.id,
                hint="Download the model, or give the folder of one made for sherpa-onnx.",
            )
        found = layout.find(folder, context.compute_type)
        if found is None:
            raise layout.failed(model.id, "holds no model of a family that is known here")
        layout.check(found, model.id)
        if found.family.streams:
            from .streaming import StreamingModel  # imports the engine

            return StreamingModel(model, found, context)
        from .offline import OfflineModel  # imports the engine

        return OfflineModel(model, found, context)


class SherpaDiarizationBackend(DiarizationBackend):
    """Who speaks when, and what a voice is like."""

    name = "sherpa-diarization"
    models = SPEAKER_MODELS

    def inspect(self, path: Path) -> ModelInfo | None:
        """Recognise a folder with a segmentation model and a model of voices."""
        if not path.is_dir() or speaker_files.find(path) is None:
            return None
        return replace(
            LOCAL,
            id=path.name,
            capabilities=frozenset({Capability.EMBEDDING}),
            same_voice=SAME_VOICE,
        )

    def load(self, model: ModelInfo, context: LoadContext) -> SherpaDiarizationModel:
        """Load from two folders, or one with both; nothing is ever fetched.

        Raises as ``SherpaBackend.load`` does.
        """
        check_device(context)
        segmentation, embedding = speaker_files.checked(context, model.id)
        from .diarization import SherpaDiarizationModel  # imports the engine

        return SherpaDiarizationModel(model, segmentation, embedding, context)


def check_device(context: LoadContext) -> None:
    """Raise InvalidRequest for anything but the processor: the packages know no other."""
    if context.device != "cpu":
        raise InvalidRequest(
            f"sherpa-onnx runs on the CPU here, not on {context.device[:32]!r}.",
            provider="sherpa",
            param="device",
            hint="Leave the device out, or load the model on 'cpu'.",
        )
