"""Which models there are: the OpenAI list, and ours with everything known."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from open_speech import OpenSpeech
from open_speech.errors import InvalidRequest
from open_speech.service import ModelState

from ...state import ServerState, speech_of, state_of
from .model_json import TASKS, openai_json

router = APIRouter(tags=["models"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]


@router.get("/v1/models", summary="List models (OpenAI)")
async def list_models(speech: Speech, state: State, task: str | None = None) -> dict[str, Any]:
    """The catalogue, what is loaded beyond it, and the names that stand for the defaults.

    ``task`` keeps those of one task, named as the hub does (``text-to-speech``).
    """
    if task and task not in TASKS.values():
        raise InvalidRequest(
            f"{task[:64]!a} is not a task of any model.",
            param="task",
            hint=f"It is one of {', '.join(TASKS.values())}.",
        )
    found = {
        status.id: openai_json(status.id, status.backend, status.model)
        for status in await speech.models(measure=False)
        if status.state is not ModelState.PROVIDER_MISSING
    }
    config = speech.config
    defaults = [name for name, kind in config.aliases.items() if config.defaults(kind).models]
    for alias in (*defaults, *config.model_aliases):
        if state.models.why_not(alias) is None:
            resolved = speech.resolve(alias)
            found[alias] = openai_json(alias, resolved.backend, resolved.model)
    data = [each for each in found.values() if not task or each["task"] == task]
    return {"object": "list", "data": data}


@router.get("/v1/models/{model:path}", summary="Get a model (OpenAI)")
async def get_model(model: str, speech: Speech) -> dict[str, Any]:
    """404 with near matches for a name that nobody serves."""
    resolved = speech.resolve(model)
    info = speech.manager.instance(model).model
    return {
        **openai_json(model, resolved.backend, info),
        "voices": [voice.id for voice in info.voices],
    }


@router.get(
    "/api/models",
    summary="List models",
    response_model=dict[str, Any],
    dependencies=[Depends(speech_of)],
)
async def list_everything(state: State) -> Response:
    """Available, downloaded and loaded models, and those that no installed provider serves."""
    return Response(f"{{{await state.models.members()}}}", media_type="application/json")


@router.get("/api/providers", summary="List providers")
async def list_providers(speech: Speech) -> dict[str, Any]:
    """What is installed, where it runs, and what is wrong with it."""
    return {
        "providers": [
            {
                "name": provider.name,
                "distribution": provider.manifest.distribution,
                "version": provider.manifest.version,
                "environment": provider.environment.name,
                "status": "broken" if provider.broken else "ok",
                "error": provider.manifest.error,
                "detail": provider.manifest.detail,
                "summary": provider.manifest.summary,
                "license": provider.manifest.license,
                "versions": dict(provider.manifest.versions),
                "backends": [
                    {"name": backend.name, "kind": backend.kind.value,
                     "models": len(backend.models)}
                    for backend in provider.manifest.backends
                ],
            }
            for provider in speech.registry.providers
        ],
        "conflicts": {name: list(who) for name, who in speech.registry.router.conflicts.items()},
    }  # fmt: skip


@router.post("/api/providers/rescan", summary="Rescan the installed providers")
async def rescan(speech: Speech, state: State) -> dict[str, Any]:
    """Find out what is installed now; no restart is needed.

    Models whose provider is gone finish what they have and are unloaded; configured ones whose
    provider has come are loaded.
    """
    await speech.rescan()
    state.prepare()
    return await list_providers(speech)
