"""What this provider offers: the one model that it carries."""

from __future__ import annotations

from open_speech import LoadContext, ModelInfo, VADBackend, VADModel

SAMPLE_RATE = 16_000
SESSIONS = 256
"""A session that waits for sound costs a thread that sleeps, and 2 kB."""


class SileroBackend(VADBackend):
    """Silero VAD on numpy."""

    name = "silero"
    models = (
        ModelInfo(
            id="silero",
            description="Silero VAD 6.2: tells speech from the rest. Nothing to download.",
            sample_rate=SAMPLE_RATE,
            sessions=SESSIONS,
            license="MIT",
        ),
    )

    def load(self, model: ModelInfo, context: LoadContext) -> VADModel:
        """Read the weights: 1.2 MB."""
        from .model import SileroModel

        return SileroModel(model, context)
