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

from .allocator import settle_allocator
from .app import create_api, layered
from .edge import exposure_warning, uvicorn_options
from .logs import configure_logging
from .proxy import proxy_warning
from .settings import Settings, start_notices
from .state import ServerState
from .tls import server_certificate
from .welcome import welcome

_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Stops in order: at the first signal no new work, at the second at once. Exits with 0."""

    def __init__(self, config: uvicorn.Config, api: FastAPI, settings: Settings) -> None:
        super().__init__(config)
        self._api = api
        self._settings = settings

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
        if self.should_exit:
            _log.warning("second signal (%s): stopping at once", name)
            self.force_exit = True
            return
        _log.info("%s: no new work is taken; what is under way is finished", name)
        if hasattr(self._api.state, "server"):
            self._api.state.server.drain()
        self.should_exit = True


def run(settings: Settings) -> None:
    """Serve until a signal comes. Raises ConfigurationError before anything is opened."""
    configure_logging(
        level=settings.os_log_level, form=settings.os_log_format, secrets=settings.secrets
    )
    warnings = (*start_notices(), exposure_warning(settings), proxy_warning(settings))
    for warning in filter(None, warnings):
        _log.warning("%s", warning)
    settle_allocator()
    certificate = server_certificate(settings)
    api = create_api(settings)
    config = uvicorn.Config(layered(api, settings), **uvicorn_options(settings, certificate))
    server = Server(config, api, settings)
    # What start-up made lives as long as the process; walking it at every collection would stop
    # all requests for as long as it takes.
    gc.collect()
    gc.freeze()
    server.run()
