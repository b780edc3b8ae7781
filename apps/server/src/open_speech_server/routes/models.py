"""Which models there are: the OpenAI list, and ours with everything known."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from open_speech import Kind, OpenSpeech
from open_speech.routing import Offer
from open_speech.status import ModelStatus

from ..state import speech_of, state_of

router = APIRouter(tags=["models"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
_CREATED = 1_700_000_000
"""The list wants a time of making; no engine tells one."""
_TASKS = {Kind.STT: "automatic-speech-recognition", Kind.TTS: "text-to-speech"}


@router.get("/v1/models", summary="List models as OpenAI does")
async def list_models(speech: Speech) -> dict[str, Any]:
    """The catalogue, and the names that stand for the defaults."""
    found = {offer.id: _openai(offer.id, offer) for offer in speech.registry.router.catalogue}
    for status in await speech.models(measure=False):
        if status.id not in found:
            found[status.id] = _openai(status.id, speech.resolve(status.id))
    for alias, kind in speech.config.aliases.items():
        if speech.config.defaults(kind).models and _serves(speech, alias):
            found[alias] = _openai(alias, speech.resolve(alias))
    return {"object": "list", "data": list(found.values())}


def _serves(speech: OpenSpeech, name: str) -> bool:
    from open_speech.errors import OpenSpeechError

    try:
        speech.resolve(name)
    except OpenSpeechError:
        return False
    return True


@router.get("/v1/models/{model:path}", summary="One model as OpenAI shows it")
async def get_model(model: str, speech: Speech) -> dict[str, Any]:
    """404 with near matches for a name that nobody serves."""
    return _openai(model, speech.resolve(model))


def _openai(name: str, offer: Offer) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": f"open-speech/{offer.backend}",
        "task": _TASKS[offer.model.kind],
        "language": list(offer.model.languages),
    }


@router.get("/api/models", summary="List models with everything known")
async def list_everything(request: Request, speech: Speech) -> dict[str, Any]:
    """Available, downloaded and loaded models, and the configured ones that nobody serves."""
    models = [_ours(status) for status in await speech.models()]
    settings = state_of(request).settings
    known = {name for model in models for name in (model["id"], *model["aliases"])}
    configured = ((Kind.STT, settings.stt_models), (Kind.TTS, settings.tts_models))
    models += [
        {"id": name, "type": kind.value, "state": "provider_missing", "provider_available": False,
         "is_default": names[0] == name, "provider": None}
        for kind, names in configured
        for name in names
        if name not in known and not _serves(speech, name)
    ]  # fmt: skip
    return {"models": models}


def _ours(status: ModelStatus) -> dict[str, Any]:
    model, memory = status.model, status.memory
    return {
        "id": status.id,
        "type": status.kind.value,
        "provider": status.provider,
        "backend": status.backend,
        "device": status.device,
        "compute_type": status.compute_type,
        "state": status.state.value,
        "size_mb": round(model.size_bytes / 1e6, 1) if model.size_bytes else None,
        "loaded_at": status.loaded_at,
        "last_used_at": status.used_at,
        "ttl_remaining": status.expires_in_s,
        "is_default": status.default,
        "pinned": status.pinned,
        "users": status.users,
        "waiting": status.waiting,
        "memory_bytes": memory.resident_bytes if memory else None,
        "device_memory_bytes": memory.device_bytes if memory else None,
        "error": status.error,
        "provider_available": True,
        "description": model.description,
        "license": model.license,
        "languages": list(model.languages),
        "aliases": list(model.aliases),
        "voices": len(model.voices),
        "devices": list(model.devices),
        "compute_types": list(model.compute_types),
        "capabilities": sorted(capability.value for capability in model.capabilities),
        "source": [source.repo_id for source in model.sources],
    }


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
async def rescan(speech: Speech) -> dict[str, Any]:
    """Find out what is installed now; no restart is needed."""
    await speech.rescan()
    return await list_providers(speech)
