"""What this provider offers: the one model that it carries."""

from __future__ import annotations

from open_speech import (
    Capability,
    DiarizationBackend,
    DiarizationModel,
    LoadContext,
    ModelInfo,
)

SAMPLE_RATE = 16_000
SAME_VOICE = 0.75
"""Strangers measured up to 0.74, two sentences of one voice from 0.85 (see the README)."""


class CampplusBackend(DiarizationBackend):
    """CAM++ and pyannote's segmentation model, on numpy."""

    name = "campplus"
    models = (
        ModelInfo(
            id="campplus",
            description="CAM++: who speaks when, and voices as vectors. Nothing to download.",
            capabilities=frozenset({Capability.EMBEDDING, Capability.SPEECH_SPANS}),
            sample_rate=SAMPLE_RATE,
            same_voice=SAME_VOICE,
            license="Apache-2.0 AND MIT",
        ),
    )

    def load(self, model: ModelInfo, context: LoadContext) -> DiarizationModel:
        """Read the weights: 20 MB."""
        from .model import CampplusModel  # imports scipy

        return CampplusModel(model, context)
