"""Who speaks when, and how alike voices are: ``POST /v1/audio/diarization`` and ``/embedding``.

Paths, fields and answers are those of Speaches 0.9.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import JSONResponse, PlainTextResponse, Response

from open_speech import Kind, OpenSpeech
from open_speech.service import require_kind
from open_speech.speakers.diarization import Diarization

from ...state import ServerState, speech_of, state_of
from ..models.keep_alive import KEEP_ALIVE, keep_alive_seconds
from ..openai.references import uploaded
from ..streaming import while_connected
from ..uploads import UploadForm, form_schema, read_form, upload_field
from .form import SpeakersForm, default_model

router = APIRouter(tags=["speakers"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]


class DiarizationForm(SpeakersForm):
    """A recording, and who is expected in it."""

    inline: ClassVar[str | None] = "input_audio"

    file: Any = upload_field("The recording, in any common container.")
    model: str | None = Field(None, description="Model name. Default: the default model.")
    response_format: Literal["json", "rttm"] = Field("json", description="Format of the response.")
    keep_alive: str | None = Field(None, max_length=32, description=KEEP_ALIVE)

    @property
    def wanted(self) -> str | None:
        """The model to use, by our name."""
        return self.model


class EmbeddingForm(UploadForm):
    """A recording of one speaker."""

    inline: ClassVar[str | None] = "input_audio"

    file: Any = upload_field("A recording of one speaker, in any common container.")
    model: str | None = Field(None, description="Model name. Default: the default model.")
    keep_alive: str | None = Field(None, max_length=32, description=KEEP_ALIVE)

    @property
    def wanted(self) -> str | None:
        """The model to use, by our name."""
        return self.model


@router.post(
    "/v1/audio/diarization",
    summary="Tell the speakers of a recording apart",
    response_class=Response,
    openapi_extra=form_schema(DiarizationForm),
)
async def diarize(request: Request, speech: Speech, state: State) -> Response:
    """Who speaks when, as JSON or RTTM; turns of different speakers may overlap."""
    return await diarized(request, speech, state, DiarizationForm)


async def diarized(
    request: Request,
    speech: OpenSpeech,
    state: ServerState,
    kind: type[DiarizationForm],
    keep_alive_s: float | None = None,
) -> Response:
    """Answer a form of this kind with the turns of its recording."""
    async with read_form(request, kind) as form:
        if form.keep_alive is not None:
            keep_alive_s = keep_alive_seconds(form.keep_alive)
        work = form.tell_apart(speech, form.wanted, state.settings.os_max_audio_s, keep_alive_s)
        found = await while_connected(request, work)
        if form.response_format == "rttm":
            return PlainTextResponse(rttm(found, (form.file.filename or "").rpartition(".")[0]))
    return JSONResponse({"duration": round(found.duration, 3), "segments": turns_json(found)})


@router.post(
    "/v1/audio/speech/embedding",
    summary="Describe a voice as a vector",
    response_class=Response,
    openapi_extra=form_schema(EmbeddingForm),
)
async def embed(request: Request, speech: Speech) -> Response:
    """A vector of length 1: the larger the dot product of two of one model, the more alike."""
    return await embedded(request, speech, EmbeddingForm)


async def embedded(
    request: Request,
    speech: OpenSpeech,
    kind: type[EmbeddingForm],
    keep_alive_s: float | None = None,
) -> Response:
    """Answer a form of this kind with the vector of its recording."""
    async with read_form(request, kind) as form:
        model = form.wanted or default_model(speech)
        resolved = speech.resolve(model)
        require_kind(resolved, Kind.DIARIZATION)
        if form.keep_alive is not None:
            keep_alive_s = keep_alive_seconds(form.keep_alive)
        rate = speech.manager.instance(model).model.sample_rate
        audio = await uploaded(form.file, rate, param="file")
        work = speech.embed(audio, model=model, keep_alive_s=keep_alive_s)
        found = await while_connected(request, work)
    return JSONResponse(
        {
            "object": "list",
            "model": form.model or resolved.id,
            "data": [{"object": "embedding", "index": 0, "embedding": list(found.vector)}],
            "usage": {"prompt_tokens": len(audio.samples), "total_tokens": len(audio.samples)},
        }
    )


def turns_json(found: Diarization) -> list[dict[str, Any]]:
    """The turns of a recording."""
    return [
        {"start": round(turn.start, 3), "end": round(turn.end, 3), "speaker": turn.speaker}
        for turn in found.turns
    ]


def rttm(found: Diarization, recording: str) -> str:
    """The turns as NIST's Rich Transcription Time Marked: a line each, fields without spaces."""
    name = _field(recording) or "audio"
    return "".join(
        f"SPEAKER {name} 1 {turn.start:.3f} {turn.end - turn.start:.3f} <NA> <NA> "
        f"{_field(turn.speaker) or '_'} <NA> <NA>\n"
        for turn in found.turns
    )


def _field(text: str) -> str:
    return "_".join(text.split())
