"""One recording of any length, understood chunk by chunk on a loaded model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace

from .._lifecycle.lease import Lease
from .._operations import TRANSCRIBE
from .._types.audio import Audio
from .._types.transcription import (
    DetectedLanguage,
    Segment,
    Transcription,
    TranscriptionEvent,
    TranscriptionRequest,
    gap,
)
from .cues import Pause
from .pauses import find_pauses

__all__ = [
    "Sound",
    "TranscriptCollector",
]


Sound = Audio | AsyncGenerator[Audio, None]
"""A whole recording, or its chunks in order as they are decoded."""


class TranscriptCollector:
    """Gathers what a recording turns out to say, while its sound passes by.

    ``watch`` the sound on its way to the model, and ``add`` each event that comes back.
    """

    def __init__(self, language: str | None = None, *, pauses: bool = False) -> None:
        self.language = language
        """As asked for, until the engine detects it."""
        self.seconds = 0.0
        """Of sound that has passed."""
        self.segments: list[Segment] = []
        self.pauses: list[Pause] = []
        """Where nobody speaks, in seconds of the whole, in order; empty unless asked for."""
        self.text = ""
        """Of the segments so far."""
        self._finds_pauses = pauses

    async def watch(self, sound: Sound) -> AsyncGenerator[Audio, None]:
        """Pass the chunks on; pauses are looked for in a thread."""
        async with aclosing(chunks_of(sound)) as chunks:
            async for audio in chunks:
                if self._finds_pauses:
                    self._add_pauses(await asyncio.to_thread(find_pauses, audio))
                self.seconds += audio.seconds
                yield audio

    def add(self, event: TranscriptionEvent) -> str:
        """Take the next event; returns what it adds to the text."""
        if isinstance(event, DetectedLanguage):
            self.language = event.language
        if not isinstance(event, Segment):
            return ""
        self.segments.append(event)
        if not event.text.strip():
            return ""
        text = event.text if self.text else event.text.lstrip()
        delta = gap(self.text, text) + text
        self.text += delta
        return delta

    def result(self) -> Transcription:
        """Everything so far."""
        return Transcription(
            text=self.text.strip(),
            language=self.language,
            duration=self.seconds,
            segments=tuple(self.segments),
            pauses=tuple(self.pauses),
        )

    def _add_pauses(self, found: Iterable[Pause]) -> None:
        for begin, end in found:
            start, stop = begin + self.seconds, end + self.seconds
            if self.pauses and start <= self.pauses[-1][1]:  # cut in two with the recording
                start, _ = self.pauses.pop()
            self.pauses.append((start, stop))


def chunks_of(sound: Sound) -> AsyncGenerator[Audio, None]:
    """A recording as its chunks."""
    return _one(sound) if isinstance(sound, Audio) else sound


async def _one(audio: Audio) -> AsyncGenerator[Audio, None]:
    yield audio


async def transcribe_chunks(
    lease: Lease, request: TranscriptionRequest, first: Audio, rest: AsyncGenerator[Audio, None]
) -> AsyncGenerator[TranscriptionEvent, None]:
    """Understand one chunk after the other, in the language of the first.

    Times are those of the whole, and none is beyond its end; the language is told once.
    """
    offset = 0.0
    audio: Audio | None = first
    while audio is not None:
        asked = replace(request, audio=audio)
        async with aclosing(lease.run(TRANSCRIBE, asked)) as events:
            async for event in events:
                if isinstance(event, Segment):
                    bounded = event.within(audio.seconds)
                    yield bounded.shifted(offset) if offset else bounded
                elif not isinstance(event, DetectedLanguage):
                    yield event
                elif not offset:
                    request = replace(request, language=event.language)
                    yield event
        offset += audio.seconds
        audio = await anext(rest, None)
