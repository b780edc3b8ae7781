"""Text to speech, as OpenAI's ``POST /v1/audio/speech``."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from open_speech import Audio, OpenSpeech, SpeechRequest
from open_speech.codecs.encode import FORMATS, Encoder
from open_speech.errors import InvalidRequest, TextTooLong

from ..keep_alive import KEEP_ALIVE, keep_alive_seconds
from ..state import speech_of, state_of
from ..streaming import LiveResponse, after_first, while_connected

router = APIRouter(tags=["speech"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
SLICE_S = 0.25
"""Sound that is compressed at a time: some milliseconds of work."""


class VoiceId(BaseModel):
    """A voice named as an object."""

    id: str = Field(max_length=256)


class SpeechBody(BaseModel):
    """What to speak and how. Unknown fields are ignored, as every client sends some."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    input: str = Field(description="The text to speak.")
    model: str | None = Field(None, description="A model's name; the default model if left out.")
    voice: str | VoiceId | None = Field(
        None, description="A voice of the model, an OpenAI voice name, or `default`."
    )
    instructions: str | None = Field(None, description="How to speak, for models that take it.")
    response_format: str = Field(
        "mp3", description="What the sound comes in.", json_schema_extra={"enum": [*FORMATS]}
    )
    speed: float | None = Field(
        None, ge=0.25, le=4.0, description="1 is the voice's own pace, 2 twice as fast."
    )
    stream_format: Literal["audio", "sse"] = Field(
        "audio", description="Raw audio, or server-sent events that carry it."
    )
    language: str | None = Field(None, description="BCP-47; the voice's own if left out.")
    keep_alive: float | str | None = Field(None, description=KEEP_ALIVE)

    def voice_name(self) -> str:
        """The voice's name; empty if left out."""
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice or ""


@router.post(
    "/v1/audio/speech",
    summary="Speak a text",
    response_class=Response,
    responses={200: {"content": {"audio/*": {}, "text/event-stream": {}}}},
)
async def speak(request: Request, body: SpeechBody, speech: Speech) -> Response:
    """The sound of a text, sent sentence by sentence as it is made."""
    settings = state_of(request).settings
    asked = _request(body, settings.tts_speed, settings.os_max_text_chars)
    if body.response_format not in FORMATS:
        raise InvalidRequest(
            f"The response_format {body.response_format[:32]!r} is not known.",
            param="response_format",
            hint=f"Choose one of {', '.join(FORMATS)}.",
        )
    keep_alive_s = keep_alive_seconds(body.keep_alive)
    stretches = speech.speak(asked, model=body.model, keep_alive_s=keep_alive_s)
    pieces = encoded(stretches, body.response_format)
    ready = await while_connected(request, after_first(pieces))
    if body.stream_format == "sse":
        return LiveResponse(_events(ready, len(body.input)), media_type="text/event-stream")
    return LiveResponse(
        ready,
        media_type=FORMATS[body.response_format].media_type,
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-cache"},
    )


def _request(body: SpeechBody, default_speed: float, max_chars: int) -> SpeechRequest:
    if not body.input.strip():
        raise InvalidRequest("The input is empty.", param="input", hint="Send some text.")
    if len(body.input) > max_chars:
        raise TextTooLong(
            f"The input has {len(body.input)} characters; at most {max_chars} are taken.",
            param="input",
            hint="Send it in parts, or raise OS_MAX_TEXT_CHARS.",
        )
    return SpeechRequest(
        text=body.input,
        voice=body.voice_name(),
        language=body.language,
        speed=default_speed if body.speed is None else body.speed,
        instructions=body.instructions,
    )


async def encoded(
    stretches: AsyncGenerator[Audio, None], audio_format: str
) -> AsyncGenerator[bytes, None]:
    """Encode stretches of sound as they come, in threads."""
    encoder = Encoder(audio_format)
    async with aclosing(stretches):
        async for audio in stretches:
            for part in _slices(audio) if encoder.format.muxer else (audio,):
                if piece := await asyncio.to_thread(encoder.feed, part):
                    yield piece
        if piece := await asyncio.to_thread(encoder.finish):
            yield piece


def _slices(audio: Audio) -> Iterator[Audio]:
    """Cut a stretch, so that its start is on its way while the rest is still compressed."""
    step = round(SLICE_S * audio.sample_rate)
    for first in range(0, len(audio.samples), step):
        samples = audio.samples[first : first + step]
        yield Audio(samples=samples, sample_rate=audio.sample_rate)


async def _events(
    pieces: AsyncGenerator[bytes, None], characters: int
) -> AsyncGenerator[bytes, None]:
    """OpenAI's events; the counts are of characters and of pieces, as there are no tokens."""
    count = 0
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                count += 1
                audio = base64.b64encode(piece).decode()
                yield event({"type": "speech.audio.delta", "audio": audio})
    except Exception as error:
        yield event({"type": "error", "error": {"message": str(error), "type": "server_error"}})
        raise
    usage = {
        "input_tokens": characters, "output_tokens": count, "total_tokens": characters + count,
    }  # fmt: skip
    yield event({"type": "speech.audio.done", "usage": usage})


def event(data: dict[str, object]) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
