"""The servers that this one can stand in for, each an application made when it is first wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from ...middleware.compat import COMPAT as NAMED
from ...middleware.compat import NATIVE, PREFIXED
from ...settings.compat import COMPAT
from ..errors import install_error_handlers
from ..streaming import ClientLeft, on_client_left


class CompatServer(Protocol):
    """What a module of this package has."""

    router: APIRouter

    @staticmethod
    def error_json(status: int, error: Mapping[str, Any]) -> tuple[int, object]:
        """The status and the JSON for one of our errors."""
        ...


def server(name: str) -> CompatServer:
    """The module for a table of ``compat.toml``."""
    module: Any = import_module(f".{COMPAT[name]['module']}", __package__)
    found: CompatServer = module
    return found


def error_json(name: str, status: int, error: Mapping[str, Any]) -> tuple[int, object]:
    """An error as the clients of a server read it."""
    return server(name).error_json(status, error)


async def _to_our_page(request: Request) -> Response:
    """Lead people to the page where it finds our own API."""
    up = "../" if request.scope["state"].get(PREFIXED) else ""
    return RedirectResponse(f"{up}{NATIVE}/web", 307)


class CompatServers:
    """Hands each request to the API that its path names. What that lacks, our own answers."""

    def __init__(self, api: FastAPI) -> None:
        self._api = api
        self._made: dict[str, FastAPI] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        name = scope.get("state", {}).get(NAMED)
        if name is None:
            await self._api(scope, receive, send)
            return
        if name not in self._made:  # to import it takes tens of milliseconds
            await asyncio.to_thread(self.make, name)
        await self._made[name](scope, receive, send)

    def make(self, name: str) -> None:
        """Have a server's application ready."""
        app = FastAPI(
            max_body_size=self._api.max_body_size, openapi_url=None, docs_url=None, redoc_url=None
        )
        app.state = self._api.state
        install_error_handlers(app)
        app.add_exception_handler(ClientLeft, on_client_left)
        app.include_router(server(name).router)
        app.add_route("/", _to_our_page)
        app.add_route("/web", _to_our_page)
        app.router.default = self._api
        self._made[name] = app
