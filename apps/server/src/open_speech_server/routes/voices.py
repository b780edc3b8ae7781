"""Which voices there are, in a shape that every client's parser takes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from open_speech import Kind, ModelInfo, OpenSpeech
from open_speech.capabilities import require_kind
from open_speech.errors import OpenSpeechError

from ..state import speech_of

router = APIRouter(tags=["voices"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]


@router.get("/v1/audio/voices", summary="List voices")
async def list_voices(speech: Speech, model: str | None = None) -> dict[str, Any]:
    """The voices of one model, or of the default model and every loaded one."""
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
