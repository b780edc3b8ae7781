"""``GET /api/live``: what live sessions can do here."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from open_speech import Kind
from open_speech.errors import ModelNotFound

from ...state import speech_of, state_of
from ..realtime.llm import ChatModel

router = APIRouter()


@router.get("/api/live", tags=["Live"], summary="Show what live sessions can do")
async def live_status(request: Request) -> dict[str, Any]:
    """How many sessions there are and may be, whose models find turns, and whether one answers."""
    speech = await speech_of(request)
    state = state_of(request)

    def found(kind: Kind) -> str | None:
        try:
            return speech.default_model(kind)
        except ModelNotFound:
            return None

    return {
        "sessions": len(state.live),
        "max_sessions": state.settings.os_stream_max_connections,
        "vad_model": found(Kind.VAD),
        "turn_model": found(Kind.TURN),
        "conversation": ChatModel(state.settings).is_configured,
    }
