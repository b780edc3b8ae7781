"""``WS /v1/audio/stream``: live transcription as open-speech 0.6.1 has it."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket
from starlette.requests import Request
from starlette.responses import Response

from open_speech import Kind, TranscriptionRequest
from open_speech.errors import OpenSpeechError
from open_speech.service import (
    FinalText,
    InterimText,
    ListenEvent,
    ListenRequest,
    TurnDetection,
    TurnEnded,
    TurnStarted,
    TurnText,
    require_kind,
)

from ...state import ServerState, speech_of, state_of
from ..errors import error_response
from ..languages import language_tag
from .feed import SessionFeed, pcm16_audio
from .limits import SessionClock
from .sessions import TooManySessions
from .socket import (
    FAILURE,
    GOING_AWAY,
    POLICY,
    TOO_BIG,
    TRY_LATER,
    ClientGone,
    LiveSocket,
    subprotocol_of,
)

router = APIRouter()
MIN_RATE, MAX_RATE = 8_000, 192_000
MAX_FRAME = 1024 * 1024
"""Bytes of a message: five seconds of sound at the highest rate."""
_log = logging.getLogger(__name__)


@router.get("/v1/audio/stream", tags=["Live"], summary="Live transcription, over a WebSocket only")
async def upgrade_required(_request: Request) -> Response:
    """Say that this is a WebSocket."""
    return error_response(
        426,
        "Connect to this address with a WebSocket.",
        code="websocket_upgrade_required",
        headers={"Upgrade": "websocket"},
    )


@dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """What the address asks for."""

    model: str | None
    language: str | None
    sample_rate: int
    interim_results: bool
    endpointing_ms: int | None
    vad: bool
    words: bool

    def request(self, state: ServerState) -> ListenRequest:
        """What core is asked."""
        settings = state.settings
        silence_ms = self.endpointing_ms
        if silence_ms is None:
            silence_ms = settings.os_stream_endpointing_ms
        return ListenRequest(
            how=TranscriptionRequest(language=self.language, word_timestamps=self.words),
            turns=TurnDetection(
                threshold=settings.os_stream_vad_threshold, silence_s=silence_ms / 1000
            )
            if self.vad
            else None,
            interim_s=settings.os_stream_chunk_ms / 1000,
        )


@router.websocket("/v1/audio/stream")
async def stream(
    websocket: WebSocket,
    model: str | None = None,
    language: str | None = None,
    sample_rate: Annotated[str, Query()] = "16000",
    interim_results: str = "true",
    endpointing: str | None = None,
    vad: str = "true",
    words: str = "false",
) -> None:
    """Understand 16-bit little-endian sound while it comes in."""
    await websocket.accept(subprotocol_of(websocket))
    socket = LiveSocket(websocket)
    rate = _whole(sample_rate)
    if rate is None or not MIN_RATE <= rate <= MAX_RATE:
        message = f"sample_rate must be a whole number from {MIN_RATE} to {MAX_RATE}."
        await _refuse(socket, POLICY, message)
        return
    silence_ms = None if endpointing is None else _whole(endpointing)
    if endpointing is not None and (silence_ms is None or not 0 <= silence_ms <= 60_000):
        message = "endpointing must be a whole number of milliseconds from 0 to 60000."
        await _refuse(socket, POLICY, message)
        return
    tag = language_tag(language)
    options = StreamOptions(
        model=model or None,
        language=tag if isinstance(tag, str) else None,
        sample_rate=rate,
        interim_results=_is_on(interim_results),
        endpointing_ms=silence_ms,
        vad=_is_on(vad),
        words=_is_on(words),
    )
    await speech_of(websocket)
    state = state_of(websocket)
    session = StreamSession(socket, state, options)
    client = websocket.client.host if websocket.client else None
    try:
        with state.live.open(client, session.stop):
            await session.run()
    except TooManySessions as error:
        await _refuse(socket, TRY_LATER, str(error))


class StreamSession:
    """One connection."""

    def __init__(self, socket: LiveSocket, state: ServerState, options: StreamOptions) -> None:
        self._socket = socket
        self._state = state
        self._options = options
        self._feed = SessionFeed()
        self._reason = "disconnect"
        self._transcriptions = self._errors = 0
        self._clock: SessionClock | None = None

    def stop(self) -> None:
        """Come to the end: the server stops."""
        self._end("server_stop")

    def _end(self, reason: str) -> None:
        self._reason = reason
        self._feed.finish()

    async def run(self) -> None:
        """Serve it to its end."""
        reading = asyncio.create_task(self._read())
        self._clock = SessionClock(self._state.settings, self._end)
        try:
            await self._listen()
        except ClientGone:
            return
        finally:
            self._clock.stop()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        end = {
            "type": "session.end",
            "reason": self._reason,
            "transcriptions": self._transcriptions,
            "errors": self._errors,
        }
        try:
            await self._socket.send(end)
        except ClientGone:
            return
        codes = {"server_stop": GOING_AWAY, "error": FAILURE}
        await self._socket.close(codes.get(self._reason, 1000), self._reason)

    async def _read(self) -> None:
        async for message in self._socket.messages():
            if isinstance(message, str):
                if _type(message) == "stop":
                    self._reason = "client_stop"
                    break
                continue
            if len(message) > MAX_FRAME:
                await self._socket.close(TOO_BIG, f"A message has more than {MAX_FRAME} bytes.")
                break
            if len(message) > 1:
                await self._feed.put(pcm16_audio(message, self._options.sample_rate))
        self._feed.finish()

    async def _listen(self) -> None:
        speech = self._state.speech
        try:
            name = self._options.model or speech.default_model(Kind.STT)
            resolved = speech.resolve(name)
            require_kind(resolved, Kind.STT)
            request = self._options.request(self._state)
            events = speech.listen(self._feed, request, model=name)
            await self._socket.send(
                {
                    "type": "session.begin",
                    "session_id": str(uuid.uuid4()),
                    "model": name,
                    "sample_rate": self._options.sample_rate,
                    "internal_sample_rate": resolved.model.sample_rate,
                    "vad_enabled": self._options.vad,
                }
            )
            try:
                async for event in events:
                    await self._tell(event)
            finally:
                await events.aclose()
        except OpenSpeechError as error:
            await self._fail(error)
            self._end("error")

    async def _fail(self, error: OpenSpeechError) -> None:
        self._errors += 1
        hint = f" {error.hint}" if error.hint else ""
        await self._socket.send({"type": "error", "message": f"{error.message}{hint}"})

    async def _tell(self, event: ListenEvent) -> None:
        if self._clock and isinstance(event, (TurnStarted, TurnEnded)):
            self._clock.active(speaking=isinstance(event, TurnStarted) and self._options.vad)
        if isinstance(event, TurnStarted) and self._options.vad:
            await self._socket.send({"type": "vad", "state": "speech_start"})
        elif isinstance(event, TurnEnded) and self._options.vad:
            await self._socket.send({"type": "vad", "state": "speech_end"})
        elif isinstance(event, InterimText):
            self._transcriptions += 1
            if event.delta:
                await self._transcript(event, event.stable, is_final=True)
            if event.unstable and self._options.interim_results:
                await self._transcript(event, event.stable + event.unstable)
        elif isinstance(event, FinalText):
            self._transcriptions += 1
            if event.text:
                await self._transcript(event, event.text, is_final=True, speech_final=True)
        elif isinstance(event, TurnText) and event.error:
            await self._fail(event.error)

    async def _transcript(
        self,
        event: InterimText | FinalText,
        text: str,
        *,
        is_final: bool = False,
        speech_final: bool = False,
    ) -> None:
        message: dict[str, Any] = {
            "type": "transcript",
            "is_final": is_final,
            "speech_final": speech_final,
            "text": text,
            "start": round(event.start, 3),
            "end": round(event.end, 3),
            "confidence": None if event.confidence is None else round(event.confidence, 4),
        }
        if isinstance(event, FinalText):
            message["language"] = event.language
            if words := [word for segment in event.segments for word in segment.words]:
                message["words"] = [
                    {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
                    for word in words
                ]
        await self._socket.send(message)


async def _refuse(socket: LiveSocket, code: int, message: str) -> None:
    try:
        await socket.send({"type": "error", "message": message})
    except ClientGone:
        return
    await socket.close(code, message)


def _type(text: str) -> object:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message.get("type") if isinstance(message, dict) else None


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _is_on(text: str) -> bool:
    return text.strip().lower() not in {"false", "0", "no", "off"}
