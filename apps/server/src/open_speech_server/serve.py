"""Running the server: certificate, logs, signals, drain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Iterator

import click
import uvicorn
from fastapi import FastAPI

from open_speech.service import configure_heap

from .app import create_api, layered
from .listening import open_port
from .logs import configure_logging
from .middleware.proxy import proxy_warning
from .middleware.stack import exposure_warning, uvicorn_options
from .settings.settings import Settings, start_notices
from .state import ServerState
from .tls import server_certificate
from .welcome import welcome

_log = logging.getLogger(__name__)
DRAIN_POLL_S = 0.05


class Server(uvicorn.Server):
    """Stops in order: at the first signal no new work, at the second at once. Exits with 0."""

    def __init__(self, config: uvicorn.Config, api: FastAPI, settings: Settings) -> None:
        super().__init__(config)
        self._api = api
        self._settings = settings
        self._draining: asyncio.Future[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port, and greet on the console once the configured models are there."""
        await super().startup(sockets)
        if self._settings.os_log_format == "console" and self.servers:
            port = self.servers[0].sockets[0].getsockname()[1]
            state: ServerState = self._api.state.server
            state.when_prepared(lambda: click.echo(welcome(self._settings, port)))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGINT and SIGTERM on the loop; uvicorn's own way re-raises them at the end."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self._stop, signal.Signals(number).name)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    def _stop(self, name: str) -> None:
        if self._draining:
            _log.warning("second signal (%s): stopping at once", name)
            self.should_exit = self.force_exit = True
            return
        _log.info("%s: no new work is taken; what is under way is finished", name)
        if hasattr(self._api.state, "server"):
            self._api.state.server.drain()
        self._draining = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        """Let requests finish; until then, further ones are answered that the server stops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.os_drain_s):
                while self.server_state.tasks or self._is_live():  # noqa: ASYNC110 - uvicorn tells nobody
                    await asyncio.sleep(DRAIN_POLL_S)
        self.should_exit = True

    def _is_live(self) -> bool:
        """Whether a live session is open, on whatever port."""
        return hasattr(self._api.state, "server") and bool(self._api.state.server.live)


def run(settings: Settings) -> None:
    """Serve until a signal comes. Raises ConfigurationError before anything is started."""
    sockets = open_port(settings.os_host, settings.os_port)
    wyoming = []
    if settings.os_wyoming_port:
        wyoming = open_port(settings.os_host, settings.os_wyoming_port, "OS_WYOMING_PORT")
    configure_logging(
        level=settings.os_log_level, form=settings.os_log_format, secrets=settings.secrets
    )
    warnings = (*start_notices(), exposure_warning(settings), proxy_warning(settings))
    for warning in filter(None, warnings):
        _log.warning("%s", warning)
    configure_heap(arenas=1)
    certificate = server_certificate(settings)
    api = create_api(settings, wyoming)
    config = uvicorn.Config(layered(api, settings), **uvicorn_options(settings, certificate))
    server = Server(config, api, settings)
    # What start-up made lives as long as the process; walking it at every collection would stop
    # all requests for as long as it takes.
    gc.collect()
    gc.freeze()
    server.run(sockets)
