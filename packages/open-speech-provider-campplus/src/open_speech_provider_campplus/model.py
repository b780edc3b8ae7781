"""The loaded model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from open_speech import (
    Audio,
    DiarizationModel,
    DiarizationRequest,
    EmbeddingRequest,
    LoadContext,
    ModelInfo,
    SpeakerEmbedding,
    SpeakerTurn,
)
from open_speech.errors import InvalidRequest

from .clustering import assigned, people
from .recording import LEAST_S, Ears, Window
from .turns import turns


class CampplusModel(DiarizationModel):
    """CAM++ with pyannote's segmentation."""

    def __init__(self, info: ModelInfo, context: LoadContext) -> None:
        self._id = info.id
        self._ears = Ears()

    def diarize(
        self, request: DiarizationRequest, sound: Iterator[Audio]
    ) -> Iterator[SpeakerTurn | None]:
        """Listen to all of it, then yield the turns."""
        windows: list[Window] = []
        for window in self._ears.windows(sound, request.speech):
            if window is not None:
                windows.append(window)
            yield None
        if not windows:
            return
        vectors = np.concatenate([window.vectors for window in windows])
        seconds = np.concatenate([window.seconds for window in windows])
        centres = people(vectors, seconds, request.min_speakers, request.max_speakers)
        yield None
        labels = [assigned(window.vectors, window.seconds, centres) for window in windows]
        yield from turns(windows, labels, request.speech)

    def embed(self, request: EmbeddingRequest) -> Iterator[SpeakerEmbedding | None]:
        """Describe the voice by all the speech in the recording."""
        vector, seconds = self._ears.voice(request.audio.samples)
        if not seconds:
            raise InvalidRequest(
                f"There is less than {LEAST_S:g} s of speech in the recording.",
                model=self._id,
                hint="Give a few seconds of one voice.",
            )
        yield SpeakerEmbedding(vector=tuple(vector.tolist()))
