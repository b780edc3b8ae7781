"""What this provider offers: the one model."""

from __future__ import annotations

from open_speech import (
    LoadContext,
    ModelInfo,
    ModelSource,
    PackagedFile,
    PackagedWeights,
    TurnBackend,
    TurnModel,
)

SAMPLE_RATE = 16_000
FILE = "smart-turn-v3.2-cpu.onnx"
BYTES = 8_679_182


class SmartTurnBackend(TurnBackend):
    """Smart Turn on ONNX Runtime."""

    name = "smart-turn"
    models = (
        ModelInfo(
            id="smart-turn",
            description="Smart Turn 3.2: hears whether a pause ends a turn, in 23 languages.",
            sample_rate=SAMPLE_RATE,
            sources=(
                ModelSource(
                    repo_id="pipecat-ai/smart-turn-v3",
                    files=(FILE,),
                    size_bytes=BYTES,
                    packaged=PackagedWeights(
                        requirements=("pipecat-ai==1.14.0",),
                        files=(
                            PackagedFile(
                                path=FILE,
                                size=BYTES,
                                sha256="2bb026316b14a660486a75b1733cd3fb"
                                "ab8c2fd0314dc9af7be49f8cca967e4f",
                                parts=(f"pipecat/audio/turn/smart_turn/data/{FILE}",),
                            ),
                        ),
                    ),
                ),
            ),
            size_bytes=BYTES,
            license="BSD-2-Clause",
        ),
    )

    def load(self, model: ModelInfo, context: LoadContext) -> TurnModel:
        """Load the graph from its folder."""
        from .model import SmartTurnModel  # imports the engine

        return SmartTurnModel(context)
