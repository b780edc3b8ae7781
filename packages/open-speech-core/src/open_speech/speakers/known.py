"""Speakers who are known by a recording of their voice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np

from .._types.audio import Audio, Samples
from .._types.speakers import SpeakerEmbedding, SpeakerTurn
from .diarization import stretches

__all__ = [
    "KnownSpeaker",
    "recognized",
    "voices_of",
]

ENOUGH_S = 20.0
"""So much of a speaker's voice is compared: more changes little."""
MIN_TURN_S = 0.5
"""Shorter turns are left out where a speaker has longer ones."""
_EDGE_S = 0.1
"""Left out at both ends of a turn, where its neighbours may be heard."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownSpeaker:
    """A name, and a recording of the voice."""

    name: str
    audio: Audio
    """Of this speaker alone; a few seconds, at the sample rate of the model that compares."""


@dataclass(kw_only=True)
class _Piece:
    speaker: int
    start: float
    end: float
    samples: list[Samples] = field(default_factory=list)


async def voices_of(
    turns: Sequence[SpeakerTurn], sound: AsyncGenerator[Audio, None]
) -> Mapping[int, Audio]:
    """Gather up to ``ENOUGH_S`` seconds of each speaker alone, the longest turns first.

    ``sound`` is the whole recording. A speaker who is never heard alone is left out.
    """
    pieces = sorted(_pieces(turns), key=lambda piece: piece.start)
    at, rate = 0.0, 1
    async with aclosing(sound) as chunks:
        async for chunk in chunks:
            rate, end = chunk.sample_rate, at + chunk.seconds
            for piece in pieces:
                if piece.start >= end:
                    break
                if piece.end > at:
                    first, last = (round((each - at) * rate) for each in (piece.start, piece.end))
                    piece.samples.append(chunk.samples[max(first, 0) : max(last, 0)])
            at = end
    voices: dict[int, list[Samples]] = {}
    for piece in pieces:
        voices.setdefault(piece.speaker, []).extend(piece.samples)
    return {
        speaker: Audio(samples=np.concatenate(samples), sample_rate=rate)
        for speaker, samples in voices.items()
        if any(len(each) for each in samples)
    }


def recognized(
    voices: Mapping[int, SpeakerEmbedding],
    known: Sequence[tuple[str, SpeakerEmbedding]],
    same_voice: float,
) -> dict[int, str]:
    """Say which speaker is which known one; a voice that is like none is left out.

    The most alike are matched first, and each name is given once: a second voice that is like
    a known one is somebody else's.
    """
    pairs = sorted(
        (
            (vector.similarity(reference), speaker, name)
            for speaker, vector in voices.items()
            for name, reference in known
        ),
        reverse=True,
    )
    names: dict[int, str] = {}
    for similarity, speaker, name in pairs:
        if similarity >= same_voice and speaker not in names and name not in names.values():
            names[speaker] = name
    return names


def _pieces(turns: Sequence[SpeakerTurn]) -> list[_Piece]:
    """The parts of turns in which nobody else speaks: of each speaker the longest, if enough."""
    alone: dict[int, list[_Piece]] = {}
    for stretch in stretches(turns):
        if len(stretch.turns) == 1:
            long = stretch.end - stretch.start > 6 * _EDGE_S
            edge = _EDGE_S if long else 0.0
            piece = _Piece(
                speaker=stretch.turns[0].speaker, start=stretch.start + edge, end=stretch.end - edge
            )
            alone.setdefault(piece.speaker, []).append(piece)
    chosen: list[_Piece] = []
    for pieces in alone.values():
        pieces.sort(key=lambda piece: piece.start - piece.end)
        left = ENOUGH_S
        for number, piece in enumerate(pieces):
            if left <= 0.0 or (number and piece.end - piece.start < MIN_TURN_S):
                break
            piece.end = min(piece.end, piece.start + left)
            left -= piece.end - piece.start
            chosen.append(piece)
    return chosen
