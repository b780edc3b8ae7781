"""Text to speech, as OpenAI's ``POST /v1/audio/speech``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from open_speech import Kind, OpenSpeech
from open_speech.service import SYNTHESIZE

from ...settings.presets import NO_PRESET
from ...state import speech_of, state_of
from ..delivery import NDJSON, Watch, deliver
from ..options import naming, without_unsupported
from ..streaming import while_connected
from .references import reference_of
from .speech_body import SpeechBody

router = APIRouter(tags=["speech"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
Stream = Annotated[bool | None, Query(description="Same as `stream` in the body (0.6.1).")]
_SOUND: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/*": {}, "text/event-stream": {}, NDJSON: {}, "application/json": {}}}
}


@router.post("/v1/audio/speech", summary="Speak a text", response_class=Response, responses=_SOUND)
async def speak(
    request: Request, body: SpeechBody, speech: Speech, stream: Stream = None
) -> Response:
    """The sound of a text, sent sentence by sentence as it is made."""
    if body.stream is None:
        body.stream = stream
    return await answer(request, body, speech)


class CaptionedSpeechBody(SpeechBody):
    """As for speech, with word times unless they are not wanted."""

    return_timestamps: bool = Field(True, description="Set to false to leave the timestamps out.")


@router.post(
    "/dev/captioned_speech",
    summary="Create speech with word timestamps",
    response_class=Response,
    responses={200: {"content": {NDJSON: {}, "application/json": {}}}},
)
async def speak_with_captions(
    request: Request, body: CaptionedSpeechBody, speech: Speech
) -> Response:
    """JSON with sound and word times, one object per line; Kokoro-FastAPI's route."""
    body.timestamps = body.return_timestamps
    return await answer(request, body, speech, captions=True)


@router.get("/api/voice-presets", summary="List voice presets")
async def list_presets(request: Request) -> dict[str, Any]:
    """The presets that the operator has written, each to be used as a `voice`."""
    presets = state_of(request).presets
    return {"presets": [{"name": name, **preset.model_dump()} for name, preset in presets.items()]}


async def answer(
    request: Request,
    body: SpeechBody,
    speech: OpenSpeech,
    *,
    captions: bool = False,
    usage_name: str = "usage",
    watch: Watch | None = None,
    timed: bool = False,
) -> Response:
    """Carry a request for speech out, presets applied.

    ``watch`` sees what is sent, with the times of words if ``timed``.
    """
    state = state_of(request)
    preset = state.presets.get(body.voice_name(), NO_PRESET)
    asked = body.speech_request(state.settings, preset)
    delivery = body.delivery(preset, state.pronunciations, captions=captions)
    delivery = replace(delivery, usage_name=usage_name, watch=watch)
    if timed:
        asked = replace(asked, word_timestamps=True)
    if body.reference_audio is not None:
        sound = await while_connected(request, reference_of(body.reference_audio))
        asked = replace(asked, reference=sound, reference_text=body.reference_text)
    name = delivery.model or speech.default_model(Kind.TTS)
    model = speech.manager.instance(name).model
    asked, ignored = without_unsupported(SYNTHESIZE, asked, model, state.settings)
    return naming(await deliver(request, speech, asked, delivery), ignored)
