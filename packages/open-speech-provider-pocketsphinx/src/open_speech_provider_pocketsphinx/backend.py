"""What this provider offers: the one model that comes with the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from open_speech import Capability, Kind, LoadContext, ModelInfo, STTBackend

if TYPE_CHECKING:
    from .model import PocketsphinxModel


class PocketsphinxBackend(STTBackend):
    """PocketSphinx inside the process."""

    name = "pocketsphinx"

    def list_available(self) -> list[ModelInfo]:
        """The American English model of the wheel."""
        return [
            ModelInfo(
                id="pocketsphinx/en-us",
                kind=Kind.STT,
                description="PocketSphinx, American English. For commands; nothing to download.",
                languages=("en-US",),
                capabilities=frozenset(
                    {
                        Capability.ALIGNMENT,
                        Capability.GRAMMAR,
                        Capability.PARTIALS,
                        Capability.VOICE_ACTIVITY,
                        Capability.WORD_TIMESTAMPS,
                    }
                ),
                sample_rate=16_000,
                license="BSD-2-Clause",
            )
        ]

    def load(self, model: ModelInfo, context: LoadContext) -> PocketsphinxModel:
        """Load the acoustic model, the dictionary and the language model: 120 MB of RAM."""
        from .model import PocketsphinxModel  # imports the engine

        return PocketsphinxModel(model)
