"""The application: routes, their shared state, and the layers around them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from socket import socket

from fastapi import FastAPI
from starlette.types import ASGIApp

from open_speech import OpenSpeech

from . import __version__
from .api import health, metrics, voice_activity, web
from .api.compat.servers import CompatServers, error_json
from .api.errors import install_error_handlers
from .api.legacy import clone, routes
from .api.live import speech_stream, status, stream
from .api.models import events, lifecycle, listing
from .api.openai import cloned_voices, speech, transcriptions, voice_consents, voices
from .api.openapi import describe_errors
from .api.realtime import client_secrets
from .api.realtime import routes as realtime
from .api.speakers import routes as speakers
from .api.streaming import ClientLeft, on_client_left
from .metrics import MetricsMiddleware
from .middleware.body_limits import upload_limit
from .middleware.stack import wrap
from .settings.core_config import server_config
from .settings.settings import Settings, load_settings
from .state import ServerState

_DESCRIPTION = (
    "Text to speech and speech to text with any engine, behind OpenAI's API. "
    'Every error is `{"error": {"message", "type", "param", "code"}}`.'
)


LIVE_PATHS = frozenset({"/v1/realtime", "/v1/audio/stream", "/v1/audio/speech/stream"})
"""What a browser's short-lived key opens."""


def create_api(settings: Settings, wyoming: Sequence[socket] = ()) -> FastAPI:
    """The bare application, without the layers of ``middleware.stack``.

    ``wyoming`` are listening sockets for Home Assistant's protocol, if it is served.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Made here: the service belongs to the event loop that serves.
        state = ServerState(
            settings=settings, speech=OpenSpeech(server_config(settings)), wyoming=wyoming
        )
        app.state.server = state
        starting = asyncio.create_task(state.start())
        try:
            yield
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await state.stop()

    app = FastAPI(
        title="Open Speech",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        max_body_size=upload_limit(settings),
        docs_url=None,  # ours is in api/web.py: FastAPI's fetches its scripts from elsewhere
        redoc_url=None,
    )
    app.state.client_secrets = client_secrets.ClientSecrets()
    install_error_handlers(app)
    app.add_exception_handler(ClientLeft, on_client_left)
    for module in (
        speech,
        transcriptions,
        speakers,
        voice_activity,
        listing,
        lifecycle,
        events,
        routes,
        clone,
        stream,
        speech_stream,
        status,
        realtime,
        client_secrets,
        voices,
        cloned_voices,
        voice_consents,
        health,
        metrics,
        web,
    ):
        app.include_router(module.router)
    describe_errors(app)
    return app


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The whole application, for any ASGI server; settings come from the environment."""
    settings = settings or load_settings()
    return layered(create_api(settings), settings)


def layered(api: FastAPI, settings: Settings) -> ASGIApp:
    """The application inside its layers; its pages are open without a key, and nothing else is."""
    secrets: client_secrets.ClientSecrets = api.state.client_secrets

    def opens(path: str, token: str) -> bool:
        return path in LIVE_PATHS and secrets.config_of(token) is not None

    servers = CompatServers(api)
    if settings.os_compat:
        servers.make(settings.os_compat)
    return wrap(
        MetricsMiddleware(servers),
        settings,
        reshape=error_json,
        public_paths=web.public_paths(),
        slashed_paths=web.SLASHED_PATHS,
        opens=opens,
    )
