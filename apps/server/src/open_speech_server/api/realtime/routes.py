"""``WS /v1/realtime``."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from fastapi import APIRouter, WebSocket
from starlette.responses import Response

from open_speech import Kind
from open_speech.errors import OpenSpeechError

from ...middleware.auth import token_of
from ...settings.settings import KNOWN
from ...state import ServerState, speech_of, state_of
from ..errors import core_error_response, error_response
from ..languages import language_tag
from ..live.sessions import RETRY_S, TooManySessions
from ..live.socket import LiveSocket, subprotocol_of
from .client_secrets import ClientSecrets
from .config import RealtimeConfig, Transcription
from .session import RealtimeSession

router = APIRouter()


@router.websocket("/v1/realtime")
async def realtime(
    websocket: WebSocket,
    model: str | None = None,
    intent: str | None = None,
    language: str | None = None,
    transcription_model: str | None = None,
) -> None:
    """A session that understands, and answers if it is one of the type ``realtime``."""
    beta = "realtime=v1" in websocket.headers.get("openai-beta", "")
    await converse(websocket, model, intent, language, transcription_model, beta=beta)


async def converse(
    websocket: WebSocket,
    model: str | None,
    intent: str | None,
    language: str | None,
    transcription_model: str | None,
    *,
    beta: bool,
) -> None:
    """Hold a session, with the events' earlier names if ``beta`` is true."""
    await speech_of(websocket)
    state = state_of(websocket)
    store: ClientSecrets = websocket.app.state.client_secrets
    config = store.config_of(token_of(websocket.scope).decode("latin-1"))
    try:
        config = _config(state, config, model, intent, language, transcription_model)
    except OpenSpeechError as error:
        await websocket.send_denial_response(core_error_response(error))
        return
    config = replace(config, beta=config.beta or beta)
    socket = LiveSocket(websocket)
    session = RealtimeSession(socket, state, config)
    client = websocket.client.host if websocket.client else None
    try:
        with state.live.open(client, session.stop):
            await websocket.accept(subprotocol_of(websocket))
            await session.run()
    except TooManySessions as error:
        await websocket.send_denial_response(_too_many(error))


def _config(
    state: ServerState,
    config: RealtimeConfig | None,
    model: str | None,
    intent: str | None,
    language: str | None,
    transcription_model: str | None,
) -> RealtimeConfig:
    """What the session begins with. Raises what ``resolve`` raises for a model that is unknown."""
    kind = "transcription" if intent == "transcription" else "realtime"
    config = config or RealtimeConfig(type=kind)
    hears = transcription_model
    if model and not any(fnmatchcase(model, glob) for glob in KNOWN["realtime"]["models"]):
        resolved = state.speech.resolve(model)
        if resolved.model.kind is Kind.TTS:
            config = replace(config, speech_model=model)
        else:
            hears = hears or model
    tag = language_tag(language)
    asked = config.transcription or Transcription()
    if hears or isinstance(tag, str):
        changes = {"model": hears or asked.model, "language": tag or asked.language}
        config = replace(config, transcription=asked.model_copy(update=changes))
    elif config.type == "transcription":
        config = replace(config, transcription=asked)
    return config


def _too_many(error: TooManySessions) -> Response:
    headers = {"Retry-After": str(RETRY_S)}
    return error_response(503, str(error), code="too_many_sessions", headers=headers)
