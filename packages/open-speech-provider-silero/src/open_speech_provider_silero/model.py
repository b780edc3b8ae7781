"""The loaded model: many sounds at a time, each with a memory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from open_speech import (
    Audio,
    DetectionRequest,
    LoadContext,
    ModelInfo,
    SpeechActivity,
    VADModel,
)

from .network import FRAME, Memory, Network

WEIGHTS = Path(__file__).parent / "data" / "silero_vad_16k.safetensors"


class SileroModel(VADModel):
    """Silero VAD."""

    def __init__(self, info: ModelInfo, context: LoadContext) -> None:
        self._network = Network(WEIGHTS)
        self._rate = info.sample_rate

    def detect(
        self, request: DetectionRequest, sound: Iterator[Audio]
    ) -> Iterator[SpeechActivity | None]:
        """Yield the frames that each chunk completes; a rest of less than a frame is dropped."""
        memory, rest, judged = Memory(), np.zeros(0, np.float32), 0
        for audio in sound:
            samples = np.concatenate([rest, audio.samples])
            count = len(samples) // FRAME
            rest = samples[count * FRAME :]
            if not count:
                continue
            frames = np.ascontiguousarray(samples[: count * FRAME].reshape(count, FRAME))
            yield SpeechActivity(
                start=judged * FRAME / self._rate,
                frame_s=FRAME / self._rate,
                probabilities=tuple(self._network.probabilities(frames, memory)),
            )
            judged += count
