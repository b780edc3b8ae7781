"""Speech to text, as OpenAI's ``POST /v1/audio/transcriptions`` and ``/translations``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from open_speech import (
    Audio,
    Kind,
    OpenSpeech,
    Segment,
    Task,
    Transcription,
    TranscriptionRequest,
)
from open_speech.errors import OpenSpeechError
from open_speech.service import TRANSCRIBE, require_kind
from open_speech.speakers.diarization import Diarization
from open_speech.transcripts.recordings import TranscriptCollector

from ...state import speech_of, state_of
from ..models.keep_alive import keep_alive_seconds
from ..openapi import STREAMED_ANSWERS, TRANSCRIPTION_ANSWERS
from ..options import naming, without_unsupported
from ..recordings import recording_of
from ..streaming import LiveResponse, after_first, event, while_connected
from ..uploads import form_schema, read_form
from .transcription_form import TranscriptionForm, TranslationForm
from .transcription_responses import (
    SUBTITLES,
    delta_event,
    languages,
    logprobs,
    render,
    segment_event,
    subtitles,
    usage_in_tokens,
)

router = APIRouter(tags=["transcription"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]


@router.post(
    "/v1/audio/transcriptions",
    summary="Transcribe a recording",
    response_class=Response,
    responses=STREAMED_ANSWERS,
    openapi_extra=form_schema(TranscriptionForm),
)
async def transcribe(request: Request, speech: Speech) -> Response:
    """The words of a recording, in the language that is spoken."""
    return await transcribed(request, speech, TranscriptionForm)


async def transcribed(
    request: Request,
    speech: OpenSpeech,
    kind: type[TranscriptionForm],
    keep_alive_s: float | None = None,
) -> Response:
    """Answer a form of this kind with the words of its recording.

    ``keep_alive_s`` counts where the form does not say how long the model stays loaded.
    """
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(read_form(request, kind))
        recording = _open(request, speech, form, Task.TRANSCRIBE, keep_alive_s)
        if not form.stream:
            answer = await _whole(request, speech, recording, form.response_format)
            return naming(answer, recording.ignored)
        # The upload stays open until the last of it is decoded.
        pieces = _events(speech, recording, form.response_format, stack.pop_all())
        ready = await while_connected(request, after_first(pieces))
    answer = LiveResponse(ready, media_type="text/event-stream")
    return naming(answer, recording.ignored)


@router.post(
    "/v1/audio/translations",
    summary="Translate a recording into English",
    response_class=Response,
    responses=TRANSCRIPTION_ANSWERS,
    openapi_extra=form_schema(TranslationForm),
)
async def translate(request: Request, speech: Speech) -> Response:
    """The words of a recording, in English."""
    return await translated(request, speech, TranslationForm)


async def translated(
    request: Request,
    speech: OpenSpeech,
    kind: type[TranslationForm],
    keep_alive_s: float | None = None,
) -> Response:
    """Answer a form of this kind with the words of its recording, in English."""
    async with read_form(request, kind) as form:
        recording = _open(request, speech, form, Task.TRANSLATE, keep_alive_s)
        answer = await _whole(request, speech, recording, form.response_format)
    return naming(answer, recording.ignored)


@dataclass(frozen=True, kw_only=True)
class _Recording:
    """What is asked of which model, and what gives its sound and its speakers."""

    model: str
    asked: TranscriptionRequest
    sound: Callable[[], AsyncGenerator[Audio, None]]
    """Decodes it from the beginning."""
    speakers: Callable[[], Awaitable[Diarization | None]]
    """Has them told apart, if that is asked for."""
    language: str | None
    """The one asked for, or the model's only one."""
    keep_alive_s: float | None
    """How long the model stays loaded afterwards, if the request says so."""
    ignored: tuple[str, ...]
    """Options that the model lacks."""
    with_segments: bool
    subtitles: tuple[str, ...]
    """Formats of subtitles that go with the answer."""


def _open(
    request: Request,
    speech: OpenSpeech,
    form: TranslationForm,
    task: Task,
    keep_alive_s: float | None,
) -> _Recording:
    """Check what is asked: what the model cannot do it cannot do with any audio."""
    model = form.model or speech.default_model(Kind.STT)
    resolved = speech.resolve(model)
    require_kind(resolved, Kind.STT)
    info = speech.manager.instance(model).model
    settings = state_of(request).settings
    asked, ignored = without_unsupported(TRANSCRIBE, form.request(task, info), info, settings)
    TRANSCRIBE.check(asked, info)
    only = info.languages[0] if len(info.languages) == 1 else None
    if form.keep_alive is not None:
        keep_alive_s = keep_alive_seconds(form.keep_alive)

    async def speakers() -> Diarization | None:
        if not form.with_speakers:
            return None
        wanted = form.diarization_model
        return await form.tell_apart(speech, wanted, settings.os_max_audio_s, keep_alive_s)

    return _Recording(
        model=model,
        asked=asked,
        sound=partial(recording_of(form.file, settings.os_max_audio_s), info.sample_rate),
        speakers=speakers,
        language=asked.language or only,
        keep_alive_s=keep_alive_s,
        ignored=ignored,
        with_segments=form.with_segments,
        subtitles=form.with_subtitles,
    )


async def _whole(
    request: Request, speech: OpenSpeech, recording: _Recording, response_format: str
) -> Response:
    cut = bool(recording.subtitles) or response_format in SUBTITLES

    async def work() -> Transcription:
        speakers = await recording.speakers()
        async with aclosing(recording.sound()) as sound:
            return await speech.transcribe(
                sound,
                recording.asked,
                model=recording.model,
                keep_alive_s=recording.keep_alive_s,
                pauses=cut,
                speakers=speakers,
            )

    result = await while_connected(request, work())
    answer = partial(
        render,
        result,
        recording.asked,
        response_format,
        recording.subtitles,
        segments=recording.with_segments,
    )
    return await asyncio.to_thread(answer) if cut else answer()


async def _events(
    speech: OpenSpeech, recording: _Recording, response_format: str, upload: AsyncExitStack
) -> AsyncGenerator[bytes, None]:
    """OpenAI's events: a delta per segment as it is decoded, then the whole text.

    Where ``verbose_json`` or ``diarized_json`` was asked for, a segment with its times follows each
    delta, and the last event has the subtitles that were wanted.
    """
    asked = recording.asked
    timed = response_format in ("verbose_json", "diarized_json")
    transcript = TranscriptCollector(recording.language, pauses=bool(recording.subtitles))
    async with upload, AsyncExitStack() as held:
        speakers = await recording.speakers()
        sound = await held.enter_async_context(aclosing(recording.sound()))
        hearing = speech.transcribe_stream(
            transcript.watch(sound),
            asked,
            model=recording.model,
            keep_alive_s=recording.keep_alive_s,
            speakers=speakers,
        )
        results = await held.enter_async_context(aclosing(hearing))
        try:
            async for result in results:
                delta = transcript.add(result)
                if delta and isinstance(result, Segment):
                    number = len(transcript.segments) - 1
                    yield event(delta_event(number, delta, result, asked))
                    if timed:
                        yield event(segment_event(number, result, asked))
        except OpenSpeechError as error:
            if transcript.text:  # after the first event the status is out: say it in the stream
                yield event({"type": "error", "error": {"message": str(error), "code": error.code}})
            raise
    whole = transcript.result()
    done: dict[str, object] = {"type": "transcript.text.done", "text": whole.text}
    done["languages"] = languages(whole.language)
    done["usage"] = usage_in_tokens(whole.duration, whole.segments)
    if asked.logprobs:
        done["logprobs"] = logprobs(whole.segments)
    if recording.subtitles:
        done["subtitles"] = await asyncio.to_thread(
            subtitles, whole.segments, whole.pauses, recording.subtitles
        )
    yield event(done)
