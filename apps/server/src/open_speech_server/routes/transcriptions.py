"""Speech to text, as OpenAI's ``POST /v1/audio/transcriptions``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from open_speech import (
    Audio,
    Kind,
    OpenSpeech,
    Segment,
    Task,
    TranscriptionRequest,
)
from open_speech.capabilities import check_transcription, require_kind
from open_speech.codecs.decode import decode
from open_speech.codecs.limits import DecodeLimits
from open_speech.errors import OpenSpeechError

from ..answers import render
from ..forms import form_schema, read_form
from ..state import speech_of, state_of
from ..streaming import LiveResponse, after_first, while_connected
from .speech import event

router = APIRouter(tags=["transcription"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]


@router.post(
    "/v1/audio/transcriptions",
    summary="Transcribe a recording",
    response_class=Response,
    openapi_extra=form_schema(),
)
async def transcribe(request: Request, speech: Speech) -> Response:
    """The words of a recording, in the language that is spoken."""
    return await _answer(request, speech, Task.TRANSCRIBE)


async def _answer(request: Request, speech: OpenSpeech, task: Task) -> Response:
    async with read_form(request) as form:
        model = form.model or speech.default_model(Kind.STT)
        offer = speech.resolve(model)
        require_kind(offer, Kind.STT)
        asked = form.request(task)
        # Before the audio is decoded: what the model cannot do it cannot do with any audio.
        check_transcription(asked(_NOTHING), speech.manager.resident(model).model)
        limits = DecodeLimits(max_seconds=state_of(request).settings.os_max_audio_s)
        audio = await asyncio.to_thread(
            decode,
            form.file.file,
            sample_rate=offer.model.sample_rate,
            limits=limits,
            media_type=form.file.content_type,
        )
    if form.stream:
        pieces = await while_connected(request, after_first(_events(speech, asked(audio), model)))
        return LiveResponse(pieces, media_type="text/event-stream")
    result = await while_connected(request, speech.transcribe(asked(audio), model=model))
    return render(result, form, task)


def _silence() -> Audio:
    import numpy as np

    return Audio(samples=np.zeros(0, np.float32), sample_rate=16000)


_NOTHING = _silence()


async def _events(
    speech: OpenSpeech, asked: TranscriptionRequest, model: str
) -> AsyncGenerator[bytes, None]:
    """OpenAI's events: a delta per segment as it is decoded, then the whole text."""
    texts: list[str] = []
    try:
        async with aclosing(speech.hear(asked, model=model)) as results:
            async for result in results:
                if isinstance(result, Segment) and (text := result.text.strip()):
                    delta = f" {text}" if texts else text
                    texts.append(text)
                    yield event({"type": "transcript.text.delta", "delta": delta})
    except OpenSpeechError as error:
        if texts:  # after the first event the status is out: say it in the stream
            yield event({"type": "error", "error": {"message": str(error), "code": error.code}})
        raise
    usage = {"type": "duration", "seconds": asked.audio.seconds}
    yield event({"type": "transcript.text.done", "text": " ".join(texts), "usage": usage})
