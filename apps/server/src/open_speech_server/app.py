"""The application: routes, their shared state, and the layers around them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.types import ASGIApp

from open_speech import OpenSpeech

from . import __version__
from .body import upload_limit
from .config import server_config
from .edge import wrap
from .errors import install_error_handlers
from .metrics import MetricsMiddleware
from .openapi import describe_errors
from .routes import (
    cloned_speech,
    cloned_voices,
    earlier,
    events,
    health,
    lifecycle,
    metrics,
    models,
    speech,
    transcriptions,
    voice_consents,
    voices,
    web,
)
from .settings import Settings, load_settings
from .state import ServerState
from .streaming import ClientLeft, on_client_left

_DESCRIPTION = (
    "Text to speech and speech to text with any engine, behind OpenAI's API. "
    'Every error is `{"error": {"message", "type", "param", "code"}}`.'
)


def create_api(settings: Settings) -> FastAPI:
    """The bare application, without the layers of ``edge.wrap``."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Made here: the service belongs to the event loop that serves.
        state = ServerState(settings=settings, speech=OpenSpeech(server_config(settings)))
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
        docs_url=None,  # ours is in routes/web.py: FastAPI's fetches its scripts from elsewhere
        redoc_url=None,
    )
    install_error_handlers(app)
    app.add_exception_handler(ClientLeft, on_client_left)
    app.add_middleware(MetricsMiddleware)
    for module in (
        speech,
        transcriptions,
        models,
        lifecycle,
        events,
        earlier,
        cloned_speech,
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
    return wrap(api, settings, public_paths=web.public_paths())
