"""Endpoints of open-speech 0.6, answered by the one manager."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict, Field
from starlette.responses import JSONResponse, Response

from open_speech import Kind, OpenSpeech
from open_speech.service import ModelState, require_kind

from ...state import ServerState, speech_of, state_of
from ..bodies import ClientBody
from ..models.lifecycle import ACCEPTED, unloaded
from ..models.model_json import capabilities_json, loaded_json
from ..streaming import while_connected

router = APIRouter(tags=["earlier versions"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]
_ON_DISK = frozenset(ModelState) - {
    ModelState.AVAILABLE, ModelState.DOWNLOADING, ModelState.PROVIDER_MISSING, ModelState.FAILED,
}  # fmt: skip


class ModelName(ClientBody):
    """Which model."""

    model_config = ConfigDict(extra="ignore")

    model: str | None = Field(None, description="Default: the default text-to-speech model.")


@router.get("/api/ps", summary="List loaded models")
async def list_loaded(speech: Speech) -> dict[str, Any]:
    """Whatever is in memory, with what it holds."""
    found = await speech.manager.status()
    loaded = (ModelState.LOADED, ModelState.DRAINING)
    return {"models": [loaded_json(status) for status in found if status.state in loaded]}


@router.post("/api/ps/{model:path}", summary="Load a model")
async def load(request: Request, model: str, speech: Speech) -> dict[str, str]:
    """Answers once it is loaded."""
    await while_connected(request, speech.load(model))
    return {"status": "loaded", "model": model}


@router.delete("/api/ps/{model:path}", summary="Unload a model")
async def unload(model: str, speech: Speech) -> Response:
    """404 if it is not loaded."""
    return await unloaded(speech, model)


@router.post("/api/pull/{model:path}", summary="Download a model", responses=ACCEPTED)
async def pull(
    request: Request, model: str, speech: Speech, state: State, *, wait: bool = True
) -> Response:
    """Answers once everything is on disk and verified, or at once with `wait=false`."""
    work = speech.catalog.download(model)
    if not wait:
        await state.begin(work)
        return JSONResponse({"status": "downloading", "model": model}, 202)
    await while_connected(request, work)
    return JSONResponse({"status": "downloaded", "model": model})


@router.get("/v1/audio/models", summary="List text-to-speech models on disk")
async def list_voice_models(speech: Speech) -> dict[str, Any]:
    """Text-to-speech models that are on disk or in memory."""
    found = await speech.models(measure=False)
    here = [loaded_json(status) for status in found
            if status.kind is Kind.TTS and status.state in _ON_DISK]  # fmt: skip
    return {"object": "list", "models": here}


@router.post("/v1/audio/models/load", summary="Load a voice model")
async def load_voice_model(
    request: Request, speech: Speech, body: ModelName | None = None
) -> dict[str, str]:
    """The one named in the body, or the default one."""
    model = _voice_model(speech, body.model if body else None)
    await while_connected(request, speech.load(model))
    return {"status": "loaded", "model": model}


@router.post("/v1/audio/models/unload", summary="Unload a voice model")
async def unload_voice_model(speech: Speech, body: ModelName | None = None) -> Response:
    """The one named in the body, or the default one; 404 if it is not loaded."""
    return await unloaded(speech, _voice_model(speech, body.model if body else None))


@router.get("/api/tts/capabilities", summary="Capabilities of a text-to-speech model")
async def tts_capabilities(speech: Speech, model: str | None = None) -> dict[str, Any]:
    """The default voice model, if none is named."""
    name = _voice_model(speech, model)
    found = speech.manager.instance(name)
    return {
        "model": found.resolved.id,
        "backend": found.resolved.backend,
        "capabilities": capabilities_json(found.model),
    }


def _voice_model(speech: OpenSpeech, name: str | None) -> str:
    model = name or speech.default_model(Kind.TTS)
    require_kind(speech.resolve(model), Kind.TTS)
    return model
