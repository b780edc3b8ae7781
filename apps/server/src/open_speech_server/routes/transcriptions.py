"""Speech to text, as OpenAI's ``POST /v1/audio/transcriptions`` and ``/translations``."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from open_speech import (
    Audio,
    DetectedLanguage,
    Kind,
    ModelInfo,
    OpenSpeech,
    Segment,
    Task,
    TranscriptionRequest,
)
from open_speech.aio import in_thread
from open_speech.capabilities import check_transcription, require_kind
from open_speech.errors import OpenSpeechError
from open_speech.service import Length
from open_speech.transcription import gap

from ..answers import languages, logprobs, render, segment_event, usage_in_tokens
from ..forms import TranscriptionForm, TranslationForm
from ..keep_alive import keep_alive_seconds
from ..openapi import STREAMED_ANSWERS, TRANSCRIPTION_ANSWERS
from ..state import speech_of, state_of
from ..streaming import LiveResponse, after_first, event, while_connected
from ..uploads import form_schema, read_form

router = APIRouter(tags=["transcription"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
_NOTHING = Audio(samples=np.zeros(0, np.float32), sample_rate=16_000)


@router.post(
    "/v1/audio/transcriptions",
    summary="Transcribe a recording",
    response_class=Response,
    responses=STREAMED_ANSWERS,
    openapi_extra=form_schema(TranscriptionForm),
)
async def transcribe(request: Request, speech: Speech) -> Response:
    """The words of a recording, in the language that is spoken."""
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(read_form(request, TranscriptionForm))
        recording = await while_connected(request, _open(request, speech, form, Task.TRANSCRIBE))
        if not form.stream:
            return await _whole(request, speech, recording, form.response_format)
        # The upload stays open until the last of it is decoded.
        pieces = _events(speech, recording, stack.pop_all())
        ready = await while_connected(request, after_first(pieces))
    return LiveResponse(ready, media_type="text/event-stream")


@router.post(
    "/v1/audio/translations",
    summary="Translate a recording into English",
    response_class=Response,
    responses=TRANSCRIPTION_ANSWERS,
    openapi_extra=form_schema(TranslationForm),
)
async def translate(request: Request, speech: Speech) -> Response:
    """The words of a recording, in English."""
    async with read_form(request, TranslationForm) as form:
        recording = await while_connected(request, _open(request, speech, form, Task.TRANSLATE))
        return await _whole(request, speech, recording, form.response_format)


@dataclass(frozen=True, kw_only=True)
class _Recording:
    """What is asked of which model: the first stretch, and the others as they are decoded."""

    model: str
    asked: TranscriptionRequest
    rest: AsyncGenerator[Audio, None]
    language: str | None
    """The one asked for, or the model's only one."""
    keep_alive_s: float | None
    """How long the model stays loaded afterwards, if the request says so."""
    timed: bool
    """Whether a stream tells the times of segments too."""


async def _open(
    request: Request, speech: OpenSpeech, form: TranslationForm, task: Task
) -> _Recording:
    """Check what is asked, then decode the first stretch."""
    model = form.model or speech.default_model(Kind.STT)
    offer = speech.resolve(model)
    require_kind(offer, Kind.STT)
    info = speech.manager.resident(model).model
    asked = form.request(task, info)
    # Before the audio is decoded: what the model cannot do it cannot do with any audio.
    check_transcription(asked(_NOTHING), info)
    keep_alive_s = keep_alive_seconds(form.keep_alive)
    stretches = _decoded(form, info, state_of(request).settings.os_max_audio_s)
    first = asked(await anext(stretches))
    only = info.languages[0] if len(info.languages) == 1 else None
    return _Recording(
        model=model,
        asked=first,
        rest=stretches,
        language=first.language or only,
        keep_alive_s=keep_alive_s,
        timed=form.response_format == "verbose_json",
    )


def _decoded(
    form: TranslationForm, model: ModelInfo, max_seconds: float
) -> AsyncGenerator[Audio, None]:
    from open_speech.codecs.decode import decode_stretches
    from open_speech.codecs.limits import DecodeLimits

    return in_thread(
        decode_stretches(
            form.file.file,
            sample_rate=model.sample_rate,
            limits=DecodeLimits(max_seconds=max_seconds),
            media_type=form.file.content_type,
        )
    )


async def _whole(
    request: Request, speech: OpenSpeech, recording: _Recording, response_format: str
) -> Response:
    work = speech.transcribe(
        recording.asked,
        model=recording.model,
        keep_alive_s=recording.keep_alive_s,
        rest=recording.rest,
    )
    async with aclosing(recording.rest):  # also where the work fails before it gets there
        result = await while_connected(request, work)
    return render(result, recording.asked, response_format)


async def _events(
    speech: OpenSpeech, recording: _Recording, upload: AsyncExitStack
) -> AsyncGenerator[bytes, None]:
    """OpenAI's events: a delta per segment as it is decoded, then the whole text.

    Where ``verbose_json`` was asked for, a segment with its times follows each delta.
    """
    asked, length = recording.asked, Length(recording.asked.audio)
    segments: list[Segment] = []
    text, language = "", recording.language
    hearing = speech.hear(
        asked,
        model=recording.model,
        keep_alive_s=recording.keep_alive_s,
        rest=length.of(recording.rest),
    )
    async with upload, aclosing(recording.rest), aclosing(hearing) as results:
        try:
            async for result in results:
                if isinstance(result, DetectedLanguage):
                    language = result.language
                elif isinstance(result, Segment) and result.text.strip():
                    delta = gap(text, result.text) + result.text if text else result.text.lstrip()
                    text += delta
                    segments.append(result)
                    more = {"logprobs": logprobs([result])} if asked.logprobs else {}
                    yield event({"type": "transcript.text.delta", "delta": delta, **more})
                    if recording.timed:
                        yield event(segment_event(len(segments) - 1, result, asked))
        except OpenSpeechError as error:
            if text:  # after the first event the status is out: say it in the stream
                yield event({"type": "error", "error": {"message": str(error), "code": error.code}})
            raise
    done: dict[str, object] = {"type": "transcript.text.done", "text": text}
    done["languages"] = languages(language)
    done["usage"] = usage_in_tokens(length.seconds, segments)
    if asked.logprobs:
        done["logprobs"] = logprobs(segments)
    yield event(done)
