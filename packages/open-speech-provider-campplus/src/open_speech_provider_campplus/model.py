"""The loaded model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

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

from .clustering import followed, people, pooled
from .recording import LEAST_S, Ears, Window
from .turns import turns
from .weights import Array


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
        voices = [_voices(window) for window in windows]
        parts = [pooled(*voice) for each in voices for voice in each]
        vectors = np.concatenate([vectors for vectors, _ in parts])
        seconds = np.concatenate([seconds for _, seconds in parts])
        centres = people(vectors, seconds, request.min_speakers, request.max_speakers)
        yield None
        labels = [np.concatenate([followed(*voice, centres) for voice in each]) for each in voices]
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


def _voices(window: Window) -> list[tuple[Array, Array]]:
    """The vectors and seconds of each voice's pieces, in the order of the window's pieces."""
    found = []
    for _, voice in groupby(window.pieces, key=lambda piece: piece.voice):
        pieces = list(voice)
        vectors = np.stack([piece.vector for piece in pieces])
        found.append((vectors, np.array([piece.seconds for piece in pieces], np.float32)))
    return found
