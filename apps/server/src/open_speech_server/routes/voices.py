"""Which voices there are, in a shape that every client's parser takes."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from open_speech import Capability, Kind, ModelInfo, OpenSpeech
from open_speech.capabilities import require_kind
from open_speech.errors import OpenSpeechError
from open_speech.voice_library import VoiceLibrary

from ..recording_json import listed_voice_json
from ..state import library_of, speech_of

router = APIRouter(tags=["voices"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
Library = Annotated[VoiceLibrary, Depends(library_of)]


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
        offer = speech.resolve(name)
        require_kind(offer, Kind.TTS)
        return [speech.manager.resident(name).model]
    manager = speech.manager
    found = {
        resident.offer.id: resident.model
        for resident in manager.residents
        if resident.host and resident.model.kind is Kind.TTS
    }
    try:
        default = manager.resident(speech.default_model(Kind.TTS))
    except OpenSpeechError:  # not installed: that hides nothing of what is loaded
        if not found:
            raise
    else:
        found.setdefault(default.offer.id, default.model)
    return list(found.values())
