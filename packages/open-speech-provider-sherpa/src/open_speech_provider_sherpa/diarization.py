"""Who speaks when, of a recording of any length, and what a voice is like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from open_speech import (
    Audio,
    DiarizationModel,
    DiarizationRequest,
    EmbeddingRequest,
    LoadContext,
    ModelInfo,
    Samples,
    SpeakerEmbedding,
    SpeakerTurn,
)
from open_speech.errors import InvalidRequest, ModelNotReady

from .engine import contiguous
from .linking import Voice, link
from .offline import cores
from .settings import DIARIZATION, OF_REQUESTS, checked
from .stretches import quiet_cut
from .voices import SAMPLE_RATE, Diarizer, Extractor, Turn

STRETCH_S = 180.0
"""The longest stretch that is diarized in one piece: it bounds memory, and how long the engine
lets nothing else run."""
_SHORTEST = 5 / 6  # of a stretch, where its cut may lie
VOICE_S = 0.5
"""Shortest speech, in seconds, that gives an embedding."""
MOST_VOICE_S = 60.0
"""So much of a voice is enough."""
THRESHOLD = 0.5
"""The engine's own distance up to which two voices are one."""
MIN_DURATION_ON = 0.3
MIN_DURATION_OFF = 0.5
"""The engine's own."""


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """What is kept of a stretch once it was heard."""

    turns: Sequence[Turn]
    """With times of the whole recording."""
    voices: dict[int, Voice]


class SherpaDiarizationModel(DiarizationModel):
    """A segmentation model and a model of voices, loaded."""

    def __init__(
        self, info: ModelInfo, segmentation: Path, embedding: Path, context: LoadContext
    ) -> None:
        """Load from files that were checked."""
        settings = checked(context.options, DIARIZATION)
        self._info = info
        self._threshold = float(settings.get("threshold", THRESHOLD))
        self._pause = float(settings.get("min_duration_off", MIN_DURATION_OFF))
        threads = cores(context.threads)
        self._extractor: Extractor | None = Extractor(embedding, threads=threads)
        self._diarizer: Diarizer | None = Diarizer(
            segmentation,
            embedding,
            threads=threads,
            min_duration_on=float(settings.get("min_duration_on", MIN_DURATION_ON)),
            min_duration_off=self._pause,
        )

    def diarize(
        self, request: DiarizationRequest, sound: Iterator[Audio]
    ) -> Iterator[SpeakerTurn | None]:
        """Yield all turns once the recording is over; None as long as it works.

        Kept are the turns and a vector for each speaker of each stretch.
        """
        options = checked(request.options, OF_REQUESTS["diarization"])
        threshold = float(options.get("threshold", self._threshold))
        heard: list[_Stretch] = []
        position = 0
        for samples, is_last in _cut(sound):
            exactly = _exactly(request) if is_last and not heard else None
            fewest = request.min_speakers if is_last and not heard else None
            for found in self._turns(samples, threshold, exactly, fewest):
                if found is None:
                    yield None
                else:
                    heard.append(self._kept(found, samples, position, len(heard)))
            position += len(samples)
        yield from _linked(heard, request, threshold, self._pause)

    def embed(self, request: EmbeddingRequest) -> Iterator[SpeakerEmbedding | None]:
        """Describe a voice by up to a minute of it; raises InvalidRequest for too little."""
        _, extractor = self._ready()
        samples = contiguous(request.audio.samples)[: round(MOST_VOICE_S * SAMPLE_RATE)]
        vector = extractor.vector([samples]) if len(samples) >= VOICE_S * SAMPLE_RATE else None
        if vector is None:
            raise InvalidRequest(
                f"A recording of {request.audio.seconds:.2f} seconds is too short to tell a voice.",
                model=self._info.id,
                param="audio",
                hint=f"Give at least {VOICE_S:g} seconds of one voice.",
            )
        yield SpeakerEmbedding(vector=tuple(float(value) for value in vector))

    def close(self) -> None:
        """Free the weights."""
        self._diarizer = self._extractor = None

    def _ready(self) -> tuple[Diarizer, Extractor]:
        if self._diarizer is None or self._extractor is None:
            raise ModelNotReady(f"The model {self._info.id} was closed.", model=self._info.id)
        return self._diarizer, self._extractor

    def _turns(
        self, samples: Samples, threshold: float, exactly: int | None, fewest: int | None
    ) -> Iterator[list[Turn] | None]:
        """The turns of a stretch, within it; again with as many speakers as are at least wanted."""
        diarizer, _ = self._ready()
        length = len(samples) / SAMPLE_RATE
        speakers = exactly
        while True:
            found: list[Turn] = []
            for turns in diarizer.turns(samples, threshold, speakers):
                if turns is None:
                    yield None
                else:
                    found = turns
            too_few = fewest is not None and 0 < len({each.speaker for each in found}) < fewest
            if speakers is not None or not too_few:
                break
            speakers = fewest
        # Of less than its window of ten seconds, the engine tells turns beyond the end.
        inside = (replace(each, end=min(each.end, length)) for each in found)
        yield [each for each in inside if each.start < each.end]

    def _kept(
        self, turns: Sequence[Turn], samples: Samples, position: int, number: int
    ) -> _Stretch:
        _, extractor = self._ready()
        voices = {}
        for speaker in dict.fromkeys(each.speaker for each in turns):
            pieces = _alone(turns, speaker, samples)
            seconds = sum(map(len, pieces)) / SAMPLE_RATE
            vector = extractor.vector(pieces) if seconds >= VOICE_S else None
            voices[speaker] = Voice(stretch=number, vector=vector, weight=seconds)
        start = position / SAMPLE_RATE
        return _Stretch(
            turns=[replace(each, start=each.start + start, end=each.end + start) for each in turns],
            voices=voices,
        )


def _cut(sound: Iterator[Audio]) -> Iterator[tuple[Samples, bool]]:
    """The recording in stretches, cut where it is quiet, and whether each is the last.

    Where they are cut does not depend on how the sound is fed.
    """
    longest = round(STRETCH_S * SAMPLE_RATE)
    buffer = np.zeros(longest, np.float32)
    filled = 0
    for audio in sound:
        samples = contiguous(audio.samples)
        while len(samples):
            if filled == longest:
                cut = quiet_cut(buffer, SAMPLE_RATE, _SHORTEST)
                yield buffer[:cut].copy(), False
                filled = longest - cut
                buffer[:filled] = buffer[cut:].copy()
            taken = samples[: longest - filled]
            buffer[filled : filled + len(taken)] = taken
            filled += len(taken)
            samples = samples[len(taken) :]
    if filled:
        yield buffer[:filled].copy(), True


def _exactly(request: DiarizationRequest) -> int | None:
    return request.min_speakers if request.min_speakers == request.max_speakers else None


def _alone(turns: Sequence[Turn], speaker: int, samples: Samples) -> list[Samples]:
    """Where a speaker speaks and nobody else does, the beginning of it; else wherever they do."""
    own = np.zeros(len(samples), np.bool_)
    others = np.zeros(len(samples), np.bool_)
    for turn in turns:
        where = own if turn.speaker == speaker else others
        where[round(turn.start * SAMPLE_RATE) : round(turn.end * SAMPLE_RATE)] = True
    alone = own & ~others
    if np.count_nonzero(alone) < VOICE_S * SAMPLE_RATE:
        alone = own
    edges = np.flatnonzero(np.diff(np.concatenate([[0], alone.astype(np.int8), [0]])))
    pieces, room = [], round(MOST_VOICE_S * SAMPLE_RATE)
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        piece = samples[first : min(int(end), int(first) + room)]
        if len(piece):
            pieces.append(piece)
        room -= len(piece)
    return pieces


def _linked(
    heard: Sequence[_Stretch], request: DiarizationRequest, threshold: float, pause: float
) -> Iterator[SpeakerTurn]:
    """The turns of all stretches with speakers of the whole recording."""
    voices = [voice for each in heard for voice in each.voices.values()]
    speakers = iter(link(voices, threshold, request.min_speakers or 1, request.max_speakers))
    turns = []
    for each in heard:
        speaker_of = {local: next(speakers) for local in each.voices}
        turns += [replace(turn, speaker=speaker_of[turn.speaker]) for turn in each.turns]
    turns.sort(key=lambda turn: (turn.start, turn.end, turn.speaker))
    numbers: dict[int, int] = {}
    for turn in _joined(turns, pause):
        number = numbers.setdefault(turn.speaker, len(numbers))
        yield SpeakerTurn(start=turn.start, end=turn.end, speaker=number)


def _joined(turns: Sequence[Turn], pause: float) -> list[Turn]:
    """Turns of a speaker that overlap, or with next to no pause, are one: cuts made them two."""
    joined: list[Turn] = []
    latest: dict[int, int] = {}
    for turn in turns:
        place = latest.get(turn.speaker)
        if place is not None and turn.start - joined[place].end < pause:
            joined[place] = replace(joined[place], end=max(joined[place].end, turn.end))
        else:
            latest[turn.speaker] = len(joined)
            joined.append(turn)
    return joined
