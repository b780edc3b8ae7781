"""Which models there are: the OpenAI list, and ours with everything known."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from open_speech import Kind, OpenSpeech
from open_speech.errors import OpenSpeechError
from open_speech.library import of_nobody
from open_speech.resident import ModelState

from ..model_json import model_json, openai_json
from ..state import ServerState, speech_of, state_of

router = APIRouter(tags=["models"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]


@router.get("/v1/models", summary="List models as OpenAI does")
async def list_models(speech: Speech) -> dict[str, Any]:
    """The catalogue, what is loaded beyond it, and the names that stand for the defaults."""
    found = {
        status.id: openai_json(status.id, status.backend, status.model)
        for status in await speech.models(measure=False)
        if status.state is not ModelState.PROVIDER_MISSING
    }
    for alias, kind in speech.config.aliases.items():
        if speech.config.defaults(kind).models and serves(speech, alias):
            offer = speech.resolve(alias)
            found[alias] = openai_json(alias, offer.backend, offer.model)
    return {"object": "list", "data": list(found.values())}


def serves(speech: OpenSpeech, name: str) -> bool:
    """Whether anybody serves a name."""
    return why_not(speech, name) is None


def why_not(speech: OpenSpeech, name: str) -> str | None:
    """Why nobody serves a name; None if somebody does."""
    try:
        speech.resolve(name)
    except OpenSpeechError as error:
        return str(error)
    return None


@router.get("/v1/models/{model:path}", summary="One model as OpenAI shows it")
async def get_model(model: str, speech: Speech) -> dict[str, Any]:
    """404 with near matches for a name that nobody serves."""
    offer = speech.resolve(model)
    return openai_json(model, offer.backend, offer.model)


@router.get("/api/models", summary="List models with everything known")
async def list_everything(request: Request, speech: Speech) -> dict[str, Any]:
    """Available, downloaded and loaded models, and those that no installed provider serves."""
    return {"models": await everything(state_of(request), speech)}


async def everything(state: ServerState, speech: OpenSpeech) -> list[dict[str, Any]]:
    """Every model, and the configured ones that nobody serves."""
    models = [model_json(status) for status in await speech.models()]
    settings = state.settings
    known = {name for model in models for name in (model["id"], *model["aliases"])}
    configured = ((Kind.STT, settings.stt_models), (Kind.TTS, settings.tts_models))
    missing = {
        name: {**model_json(of_nobody(name, kind)), "is_default": names[0] == name, "error": reason}
        for kind, names in configured
        for name in names
        if name not in known and (reason := why_not(speech, name))
    }
    for name, problem in speech.registry.router.unserved.items():
        if name not in known | missing.keys():  # nobody knows whether it would hear or speak
            missing[name] = {**model_json(of_nobody(name, Kind.STT)), "type": "unknown",
                             "error": str(problem)}  # fmt: skip
    return models + list(missing.values())


@router.get("/api/providers", summary="List providers, broken ones with the reason")
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
                "summary": provider.summary,
                "license": provider.license,
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


@router.post("/api/providers/rescan", summary="Look for newly installed providers")
async def rescan(request: Request, speech: Speech) -> dict[str, Any]:
    """Find out what is installed now; no restart is needed.

    Models whose provider is gone finish what they have and are unloaded; configured ones whose
    provider has come are loaded.
    """
    await speech.rescan()
    state_of(request).prepare()
    return await list_providers(speech)
