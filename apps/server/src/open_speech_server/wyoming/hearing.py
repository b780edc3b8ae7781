"""A command that a satellite sends: sound in, its text out."""

from __future__ import annotations

from contextlib import aclosing

import numpy as np
from wyoming.asr import (
    Transcribe,
    Transcript,
    TranscriptChunk,
    TranscriptStart,
    TranscriptStop,
)
from wyoming.audio import AudioChunk
from wyoming.vad import VoiceStarted, VoiceStopped

from open_speech import Audio, Capability, Kind, Samples, TranscriptionRequest, VoiceActivity
from open_speech.errors import InvalidRequest
from open_speech.service import (
    FinalText,
    InterimText,
    ListenRequest,
    TurnDetection,
    TurnEnded,
    TurnStarted,
    TurnText,
    require_kind,
)

from ..api.languages import language_tag
from ..api.live.feed import SessionFeed
from ..state import ServerState
from .wire import EventWriter

_KINDS = {1: "i1", 2: "<i2", 4: "<i4"}
"""Samples by their width in bytes."""
SILENCE_S = {"relaxed": 1.25, "default": 0.7, "aggressive": 0.25}
"""Silence that ends a command, by how soon the client wants it to end."""


class Hearing:
    """One command, from ``transcribe`` to ``transcript``."""

    def __init__(self, state: ServerState, writer: EventWriter, asked: Transcribe) -> None:
        self._state = state
        self._writer = writer
        self._asked = asked
        self._feed = SessionFeed()
        self._heard: list[str] = []
        self._language: str | None = None

    async def add(self, chunk: AudioChunk) -> None:
        """Take sound of any rate, width and number of channels."""
        if not (8_000 <= chunk.rate <= 192_000 and chunk.width in _KINDS):
            raise InvalidRequest("The sound needs a rate of 8 to 192 kHz and 1, 2 or 4 bytes.")
        if not 1 <= chunk.channels <= 8:
            raise InvalidRequest("The sound needs 1 to 8 channels.")
        samples = _mono(chunk)
        if len(samples):
            await self._feed.put(Audio(samples=samples, sample_rate=chunk.rate))

    def finish(self) -> None:
        """Nothing more comes: what was heard is the whole command."""
        self._feed.finish()

    async def run(self) -> None:
        """Tell what is heard, up to the whole text."""
        speech = self._state.speech
        model = self._asked.name or speech.default_model(Kind.STT)
        resolved = speech.resolve(model)
        require_kind(resolved, Kind.STT)
        able = Capability.VOICE_ACTIVITY in resolved.model.capabilities
        tag = language_tag(self._asked.language)
        how = TranscriptionRequest(
            language=tag if isinstance(tag, str) else None,
            voice_activity=VoiceActivity() if able else None,
        )
        cut = self._asked.vad_sensitivity is not None
        request = ListenRequest(
            how=how,
            turns=self._turns() if cut else None,
            interim_s=self._state.settings.os_stream_chunk_ms / 1000,
        )
        started = False
        async with aclosing(speech.listen(self._feed, request, model=model)) as events:
            async for event in events:
                if isinstance(event, TurnStarted | TurnEnded) and cut:
                    await self._tell_voice(event)
                elif isinstance(event, InterimText | FinalText) and event.delta:
                    if not started:
                        started = True
                        await self._writer.write(TranscriptStart(language=how.language))
                    await self._writer.write(TranscriptChunk(text=event.delta))
                elif isinstance(event, TurnText):
                    if event.error:
                        raise event.error
                    self._heard.append(event.text.strip())
                    self._language = event.language or self._language
                    if cut and event.text.strip():
                        break  # the command is over, whatever else is said
        text = " ".join(filter(None, self._heard))
        await self._writer.write(Transcript(text=text, language=self._language))
        if started:
            await self._writer.write(TranscriptStop())

    def _turns(self) -> TurnDetection:
        silence_s = SILENCE_S.get(str(getattr(self._asked.vad_sensitivity, "value", "default")))
        threshold = self._state.settings.os_stream_vad_threshold
        return TurnDetection(threshold=threshold, silence_s=silence_s or SILENCE_S["default"])

    async def _tell_voice(self, event: TurnStarted | TurnEnded) -> None:
        if isinstance(event, TurnStarted):
            await self._writer.write(VoiceStarted(timestamp=round(event.start * 1000)))
        else:
            await self._writer.write(VoiceStopped(timestamp=round(event.end * 1000)))


def _mono(chunk: AudioChunk) -> Samples:
    """The mean of the channels, in [-1, 1]; a frame cut off at the end is dropped."""
    frame = chunk.width * chunk.channels
    whole = chunk.audio[: len(chunk.audio) - len(chunk.audio) % frame]
    frames = np.frombuffer(whole, _KINDS[chunk.width]).reshape(-1, chunk.channels)
    mono: Samples = np.asarray(frames.mean(axis=1) / 2 ** (8 * chunk.width - 1), np.float32)
    return mono
