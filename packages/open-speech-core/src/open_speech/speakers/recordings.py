"""One recording, its speakers told apart by a loaded model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from .._lifecycle.lease import Lease
from .._operations import DIARIZE, EMBED
from .._types.audio import Audio
from .._types.speakers import (
    DiarizationRequest,
    EmbeddingRequest,
    SpeakerEmbedding,
)
from ..errors import InvalidRequest
from ..transcripts.recordings import Sound, chunks_of
from .diarization import Diarization, in_order_of_speaking, named
from .known import KnownSpeaker, recognized, voices_of

__all__ = ["Recording"]

Recording = Audio | Callable[[int], Sound]
"""A whole recording, or what gives it from its beginning, each time it is called, at the sample
rate that it is called with."""


def opened(recording: Recording, sample_rate: int) -> AsyncGenerator[Audio, None]:
    """The chunks of a recording from its beginning."""
    return chunks_of(recording if isinstance(recording, Audio) else recording(sample_rate))


async def diarize(
    lease: Lease,
    request: DiarizationRequest,
    recording: Recording,
    known: Sequence[KnownSpeaker] = (),
) -> Diarization:
    """Tell the speakers apart; the recording is read again where known ones are looked for."""
    seconds = 0.0
    rate = lease.model.sample_rate
    references = [(each.name, await embed(lease, each.audio)) for each in known]

    async def fed() -> AsyncGenerator[Audio, None]:
        nonlocal seconds
        async with aclosing(opened(recording, rate)) as chunks:
            async for chunk in chunks:
                seconds += chunk.seconds
                yield chunk

    async with aclosing(fed()) as chunks, aclosing(lease.run(DIARIZE, request, chunks)) as events:
        turns = in_order_of_speaking([event async for event in events])
    vectors: dict[int, SpeakerEmbedding] = {}
    if references:
        for speaker, voice in (await voices_of(turns, opened(recording, rate))).items():
            try:
                vectors[speaker] = await embed(lease, voice)
            except InvalidRequest:  # too short to tell: somebody unknown
                continue
    return named(turns, seconds, recognized(vectors, references, lease.model.same_voice))


async def embed(lease: Lease, audio: Audio) -> SpeakerEmbedding:
    """Describe the voice of a recording of one speaker."""
    async with aclosing(lease.run(EMBED, EmbeddingRequest(audio=audio))) as events:
        found = [event async for event in events]
    return found[0]
