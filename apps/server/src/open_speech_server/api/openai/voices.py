"""Which voices there are, in a shape that every client's parser takes."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from open_speech import Capability, Kind, ModelInfo, OpenSpeech
from open_speech.errors import OpenSpeechError
from open_speech.service import require_kind
from open_speech.voices.library import VoiceLibrary

from ...state import library_of, speech_of
from .recording_json import listed_voice_json

router = APIRouter(tags=["voices"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
Library = Annotated[VoiceLibrary, Depends(library_of)]


@router.get("/v1/audio/speech/voices", summary="List voices (Speaches)")
async def list_speech_voices(
    speech: Speech,
    library: Library,
    model_id: str | None = None,
    model: Annotated[str | None, Query(description="The same.")] = None,
) -> dict[str, Any]:
    """The same list where earlier clients of Speaches look for it."""
    return await list_voices(speech, library, model_id or model)


@router.get("/v1/audio/voices", summary="List voices")
async def list_voices(speech: Speech, library: Library, model: str | None = None) -> dict[str, Any]:
    """The voices of one model, or of the default model and every loaded one, and cloned voices.

    Cloned voices are left out where the model that is named does not clone.
    """
    models = _models(speech, model)
    voices = [
        {
            "id": voice.id,
            "name": voice.name or voice.id,
            "language": voice.languages[0] if voice.languages else None,
            "gender": voice.gender,
            "model": info.id,
        }
        for info in models
        for voice in info.voices
    ]
    cloning = [info.id for info in models if Capability.VOICE_CLONE in info.capabilities]
    if cloning or not model:
        cloned = await asyncio.to_thread(library.voices)
        voices += [listed_voice_json(voice, cloning[0] if cloning else None) for voice in cloned]
    return {"object": "list", "voices": voices, "data": voices}


def _models(speech: OpenSpeech, name: str | None) -> list[ModelInfo]:
    if name:
        resolved = speech.resolve(name)
        require_kind(resolved, Kind.TTS)
        return [speech.manager.instance(name).model]
    manager = speech.manager
    found = {
        instance.resolved.id: instance.model
        for instance in manager.instances
        if instance.host and instance.model.kind is Kind.TTS
    }
    try:
        default = manager.instance(speech.default_model(Kind.TTS))
    except OpenSpeechError:  # not installed: that hides nothing of what is loaded
        if not found:
            raise
    else:
        found.setdefault(default.resolved.id, default.model)
    return list(found.values())
