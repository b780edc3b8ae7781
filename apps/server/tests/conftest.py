"""A real server on a real socket, and an environment without anybody's settings."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field, FiniteFloat
from starlette.types import ASGIApp, Message

from open_speech_server.api.errors import install_error_handlers
from open_speech_server.middleware.body_limits import json_limit, upload_limit
from open_speech_server.middleware.stack import uvicorn_options, wrap
from open_speech_server.settings.settings import Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(("OS_", "STT_", "TTS_", "VAD_", "TURN_", "DIARIZATION_", "HF_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("open_speech", "open_speech_server", "httpx", "httpcore", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.NOTSET)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def _serving(app: ASGIApp, options: dict[str, object]) -> Iterator[int]:
    settings = Settings(os_port=0, os_host="127.0.0.1", os_drain_s=1)
    base = uvicorn_options(settings, None)
    server = _Server(uvicorn.Config(app, **{**base, "lifespan": "off", **options}))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert server.ready.wait(30)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """``serve(app, **uvicorn options) -> port``; stopped when the test ends."""
    with ExitStack() as stack:
        yield lambda app, **options: stack.enter_context(_serving(app, options))


class _Speech(BaseModel):
    model: str
    speed: FiniteFloat = Field(1.0, ge=0.25, le=4.0)


def _tiny_app(settings: Settings) -> FastAPI:
    app = FastAPI(max_body_size=upload_limit(settings), docs_url="/docs")
    install_error_handlers(app)

    @app.get("/health")
    async def health(request: Request) -> dict[str, object]:
        client = request.client
        return {"client": client.host if client else None, "scheme": request.url.scheme}

    @app.get("/v1/models")
    @app.get("/v1/audio/models")
    @app.get("/v1/audio/voices")
    async def models() -> dict[str, list[str]]:
        return {"data": []}

    @app.post("/v1/speech", max_body_size=json_limit(settings))
    async def speech(body: _Speech) -> dict[str, object]:
        return {"speed": body.speed}

    @app.post("/v1/upload")
    async def upload(file: UploadFile) -> dict[str, object]:
        return {"bytes": len(await file.read())}

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("canary-detail")

    @app.get("/breaks")
    async def breaks() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            raise RuntimeError("half-way")

        return StreamingResponse(pieces())

    app.mount("/static", StaticFiles(directory=Path(__file__).parent))
    return app


@pytest.fixture
def tiny() -> Callable[..., ASGIApp]:
    """``tiny(**settings) -> app``: a few routes behind all the layers."""

    def build(**values: object) -> ASGIApp:
        settings = Settings(**values)
        return wrap(_tiny_app(settings), settings, public_prefixes=("/web/",))

    return build


@pytest.fixture
def client(tiny: Callable[..., ASGIApp]) -> Callable[..., httpx.AsyncClient]:
    """``client(**settings)``: a client of ``tiny`` without a socket."""

    def build(*, address: str = "192.0.2.7", **values: object) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(tiny(**values), client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://server")

    return build


@pytest.fixture
def ask() -> Callable[..., Answer]:
    """``ask(app, scope...) -> Answer``: one ASGI connection, with every field as one likes."""

    async def asking(app: ASGIApp, **fields: object) -> Answer:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/v1/models",
            "raw_path": None,
            "query_string": b"",
            "headers": [],
            "client": ("192.0.2.7", 1),
            "server": ("server", 80),
            "scheme": "http",
            "http_version": "1.1",
            **fields,
        }
        scope["raw_path"] = scope["raw_path"] or str(scope["path"]).encode()
        sent: list[Message] = []
        connect = {"type": "websocket.connect"}
        received = [connect if scope["type"] == "websocket" else {"type": "http.request"}]

        async def receive() -> Message:
            return received.pop(0) if received else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        await app(scope, receive, send)
        return Answer(sent)

    return asking


class Answer:
    """What an app sent."""

    def __init__(self, messages: list[Message]) -> None:
        self.messages = messages
        self.types = [message["type"] for message in messages]
        self.status = next((m["status"] for m in messages if "status" in m), 0)
        self.body = b"".join(m.get("body", b"") for m in messages)
        self.headers = httpx.Headers([h for m in messages for h in m.get("headers", [])])
