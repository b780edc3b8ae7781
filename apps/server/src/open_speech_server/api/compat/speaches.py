"""The API of Speaches, 0.9: its paths, lists and errors over the same services.

What it lacks of that API is in ``docs/how-to/from-speaches.md``, with the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, WebSocket
from pydantic import Field
from starlette.responses import JSONResponse, Response

from open_speech import Kind, ModelInfo, OpenSpeech
from open_speech.errors import OpenSpeechError
from open_speech.service import ModelState, ModelStatus

from ...settings.compat import COMPAT, our_model
from ...state import ServerState, speech_of, state_of
from ..models.keep_alive import keep_alive_seconds
from ..models.model_json import TASKS, openai_json
from ..openai.speech import answer
from ..openai.speech_body import SpeechBody
from ..openai.transcription_form import TranscriptionForm, TranslationForm
from ..openai.transcriptions import transcribed, translated
from ..realtime.routes import converse
from ..speakers.routes import DiarizationForm, EmbeddingForm, diarized, embedded
from ..streaming import while_connected
from ..voice_activity import ActivityForm, spans
from . import chat

router = APIRouter()
router.include_router(chat.router)
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]
our_name = partial(our_model, chat.SERVER)
_NO_KEY = (
    "API key required. Please provide an API key using the Authorization header with Bearer scheme."
)
_WRONG_KEY = "Invalid API key. The provided API key is incorrect."
_AWAY = frozenset({ModelState.AVAILABLE, ModelState.DOWNLOADING, ModelState.PROVIDER_MISSING})


def error_json(status: int, error: Mapping[str, Any]) -> tuple[int, object]:
    """FastAPI's own shape; a request that is not valid is 422 there, and a wrong key 403."""
    message = error["message"]
    if status == 401:
        return 403, {"detail": _NO_KEY if "needed" in message else _WRONG_KEY}
    if error.get("code") == "invalid_parameter":
        place = ["body", *filter(None, [error.get("param")])]
        return 422, {"detail": [{"type": "value_error", "loc": place, "msg": message}]}
    return status, {"detail": message}


# Speech


class Body(SpeechBody):
    """Its fields are among ours."""

    model: chat.ModelName = None


@router.post("/v1/audio/speech")
async def speak(request: Request, body: Body, speech: Speech, state: State) -> Response:
    """As ours; the counts at the end of its events are called ``token_usage``."""
    body.keep_alive = _keep_alive(body.keep_alive, state)
    return await answer(request, body, speech, usage_name="token_usage")


def _keep_alive(asked: float | str | None, state: ServerState) -> float | str | None:
    return state.settings.os_compat_keep_alive_s if asked is None else asked


# Recordings


class Translation(TranslationForm):
    """Its fields are among ours."""

    model: chat.ModelName = None


class Form(TranscriptionForm):
    """Ours, with the words to expect in one text."""

    model: chat.ModelName = None
    hotwords: str | None = Field(None, max_length=10_000)

    @property
    def with_segments(self) -> bool:
        """Always: clients rely on them beside the words, too."""
        return True

    def _fields(self, task: Any, model: ModelInfo) -> dict[str, Any]:
        fields = super()._fields(task, model)
        return {**fields, "keywords": (*fields["keywords"], *(self.hotwords or "").split())}


@router.post("/v1/audio/transcriptions")
async def transcribe(request: Request, speech: Speech, state: State) -> Response:
    """As ours."""
    return await transcribed(request, speech, Form, state.settings.os_compat_keep_alive_s)


@router.post("/v1/audio/translations")
async def translate(request: Request, speech: Speech, state: State) -> Response:
    """As ours."""
    return await translated(request, speech, Translation, state.settings.os_compat_keep_alive_s)


class Activity(ActivityForm):
    """Ours, with its values and its names of the model."""

    model: chat.ModelName = Field(None, max_length=256)
    threshold: float = Field(0.75, ge=0.0, le=1.0)


@router.post("/v1/audio/speech/timestamps")
async def find_speech(request: Request, speech: Speech, state: State) -> list[dict[str, int]]:
    """As ours."""
    return await spans(request, speech, state, Activity)


class Diarization(DiarizationForm):
    """Ours, with its names of models."""

    @property
    def wanted(self) -> str | None:
        """The model that its name means."""
        return self.model and our_name(self.model)


@router.post("/v1/audio/diarization")
async def diarize(request: Request, speech: Speech, state: State) -> Response:
    """As ours."""
    keep = state.settings.os_compat_keep_alive_s
    return await diarized(request, speech, state, Diarization, keep)


class Embedding(EmbeddingForm):
    """Ours, with its names of models."""

    @property
    def wanted(self) -> str | None:
        """The model that its name means; the answer has its own."""
        return self.model and our_name(self.model)


@router.post("/v1/audio/speech/embedding")
async def embed(request: Request, speech: Speech, state: State) -> Response:
    """As ours."""
    return await embedded(request, speech, Embedding, state.settings.os_compat_keep_alive_s)


@router.websocket("/v1/realtime")
async def realtime(
    websocket: WebSocket,
    model: str | None = None,
    intent: str | None = None,
    language: str | None = None,
    transcription_model: str | None = None,
) -> None:
    """As ours, with the events' earlier names."""
    hears = our_name(transcription_model) if transcription_model else None
    asked = our_name(model) if model else None
    await converse(websocket, asked, intent, language, hears, beta=True)


# Models


@router.get("/v1/models")
async def list_local(speech: Speech, task: str | None = None) -> dict[str, Any]:
    """What is on disk, under its names too where those mean a model that is."""
    return _listed(await _models(speech, here=True), task)


@router.get("/v1/registry")
async def list_remote(speech: Speech, task: str | None = None) -> dict[str, Any]:
    """What can be downloaded."""
    return _listed(await _models(speech, here=False), task)


@router.get("/v1/audio/models")
async def list_speaking(speech: Speech) -> dict[str, Any]:
    """The models on disk that speak."""
    found = _listed(await _models(speech, here=True), TASKS[Kind.TTS])
    return {"models": found["data"], "object": "list"}


@router.get("/v1/audio/voices")
async def list_voices(speech: Speech) -> dict[str, Any]:
    """The voices of the models on disk."""
    statuses = await _models(speech, here=True)
    voices = [voice for each in statuses for voice in _voices(each.model)]
    return {"voices": voices, "object": "list"}


@router.get("/v1/models/{model:path}")
async def get_local(model: str, speech: Speech) -> dict[str, Any]:
    """404 for one that is not on disk."""
    status = await _status(speech, model)
    if status is None or status.state in _AWAY:
        raise _not_found(model)
    return _model_json(status, model)


@router.post("/v1/models/{model:path}")
async def download(request: Request, model: str, speech: Speech) -> Response:
    """200 if it was downloaded, 201 if it was there."""
    status = await _status(speech, model)
    if status is None:
        raise _not_found(model)
    if status.state not in _AWAY:
        return Response(f"Model '{model}' already exists", 201, media_type="text/plain")
    await while_connected(request, speech.catalog.download(our_name(model)))
    return Response(f"Model '{model}' downloaded", 200, media_type="text/plain")


@router.delete("/v1/models/{model:path}")
async def delete(model: str, speech: Speech) -> dict[str, str]:
    """Deletes its files; 404 if there are none."""
    status = await _status(speech, model)
    if status is None or status.state in _AWAY:
        raise _not_found(model)
    await speech.catalog.delete(our_name(model))
    return {"detail": f"Model '{model}' deleted"}


@router.get("/api/ps")
async def list_loaded(speech: Speech) -> dict[str, list[str]]:
    """Names of the models in memory."""
    return {"models": [each.id for each in await speech.manager.status() if _is_loaded(each)]}


@router.post("/api/ps/{model:path}")
async def load(request: Request, model: str, speech: Speech, state: State) -> Response:
    """409 if it is loaded."""
    status = await _status(speech, model)
    if status is None:
        return _said(404, f"Model '{model}' not supported.")
    if _is_loaded(status):
        return _said(409, f"Model '{model}' is already loaded.")
    keep = state.settings.os_compat_keep_alive_s
    await while_connected(
        request, speech.load(our_name(model), keep_alive_s=keep_alive_seconds(keep))
    )
    return _said(201, f"Model '{model}' loaded.")


@router.delete("/api/ps/{model:path}")
async def unload(model: str, speech: Speech) -> Response:
    """409 while it is used."""
    status = await _status(speech, model)
    if status is None or not _is_loaded(status):
        return _said(404, f"Model {model} is not loaded.")
    if status.users:
        return _said(409, f"Model {model} is in use.")
    await speech.manager.unload(our_name(model))
    return _said(200, f"Model {model} unloaded.")


@router.get("/health")
async def health() -> dict[str, str]:
    """As soon as the server answers."""
    return {"message": "OK"}


async def _models(speech: OpenSpeech, *, here: bool) -> list[ModelStatus]:
    return [
        status
        for status in await speech.models(measure=False)
        if status.state is not ModelState.PROVIDER_MISSING and (status.state in _AWAY) != here
    ]


async def _status(speech: OpenSpeech, name: str) -> ModelStatus | None:
    try:
        return await speech.catalog.status(our_name(name))
    except OpenSpeechError as error:
        if error.code in {"model_not_found", "provider_missing", "invalid_model_id"}:
            return None
        raise


def _listed(statuses: Sequence[ModelStatus], task: str | None) -> dict[str, Any]:
    data = [_model_json(status, status.id) for status in statuses]
    known = {status.id: status for status in statuses}
    for theirs in COMPAT[chat.SERVER]["models_here"]:
        plain = theirs.removesuffix("*")
        if not theirs.endswith("-*") and (status := known.get(our_name(plain))):
            data.append(_model_json(status, plain))
    return {"data": [each for each in data if task in (None, each["task"])], "object": "list"}


def _model_json(status: ModelStatus, name: str) -> dict[str, Any]:
    found = openai_json(name, status.backend, status.model)
    found["owned_by"] = name.partition("/")[0]
    if status.kind is Kind.TTS:
        found |= {"sample_rate": status.model.sample_rate, "voices": _voices(status.model)}
    return found


def _voices(model: ModelInfo) -> list[dict[str, Any]]:
    if model.kind is not Kind.TTS:
        return []
    return [
        {
            "id": voice.id,
            "name": voice.id,
            "language": voice.languages[0] if voice.languages else None,
            "gender": voice.gender,
            "model_id": model.id,
        }
        for voice in model.voices
    ]


def _is_loaded(status: ModelStatus) -> bool:
    """Whether it is in memory, and not about to leave it."""
    leaves = not status.users and status.expires_in_s == 0
    return status.state is ModelState.LOADED and not leaves


def _said(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)


def _not_found(model: str) -> HTTPException:
    return HTTPException(404, f"Model '{model[:200]}' not found")
