"""The port: who may connect, how many at once, how it is found, and how it ends."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Sequence

from ..state import ServerState
from .connection import Connection
from .wire import BoundedReader

MAX_CONNECTIONS = 100
SERVICE = "_wyoming._tcp.local."
"""As what Home Assistant finds it in the local network."""
_log = logging.getLogger(__name__)


class WyomingServer:
    """Serves the protocol on sockets that listen already. One event loop only."""

    def __init__(self, state: ServerState, sockets: Sequence[socket.socket]) -> None:
        self._state = state
        self._sockets = sockets
        self._networks = [ipaddress.ip_network(each) for each in state.settings.wyoming_networks]
        self._servers: list[asyncio.Server] = []
        self._open: dict[asyncio.Task[None], Connection] = {}
        self._told: set[str] = set()
        self._discovery: Discovery | None = None
        self._announcing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to answer, and to be found."""
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            self._servers.append(await loop.create_server(self._protocol, sock=each))
        port = self._sockets[0].getsockname()[1]
        _log.info("Wyoming (Home Assistant) on port %s", port)
        self._discovery = Discovery(port)
        addresses = [each.getsockname()[0] for each in self._sockets]
        # It asks the network for a second first whether the name is free.
        self._announcing = asyncio.create_task(self._discovery.start(addresses))

    async def stop(self) -> None:
        """Take nobody any more, and end what is left."""
        if self._announcing:
            self._announcing.cancel()
            await asyncio.gather(self._announcing, return_exceptions=True)
        if self._discovery:
            await self._discovery.stop()
        for server in self._servers:
            server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def drain(self) -> None:
        """Take nobody any more; what was begun is finished."""
        for server in self._servers:
            server.close()
        for connection in list(self._open.values()):
            connection.stop()

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(BoundedReader(), self._connected)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        address = str(peer[0]).partition("%")[0] if peer else ""
        if not self._is_allowed(address) or len(self._open) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        connection = Connection(self._state, reader, writer, address)
        task = asyncio.create_task(connection.run())
        self._open[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task, None)
        if not task.cancelled() and (error := task.exception()):
            _log.error("a Wyoming connection failed", exc_info=error)

    def _is_allowed(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        if any(found in network for network in self._networks):
            return True
        if address not in self._told and len(self._told) < MAX_CONNECTIONS:
            self._told.add(address)
            _log.warning(
                "Wyoming: %s is refused; OS_WYOMING_NETWORKS lists who may connect.", address
            )
        return False


class Discovery:
    """Announces the port by multicast DNS. Where that cannot be, the port is entered by hand."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._zeroconf: object | None = None

    async def start(self, addresses: Sequence[str]) -> None:
        """Announce it, unless only this machine can reach it."""
        if all(ipaddress.ip_address(each).is_loopback for each in addresses):
            return
        from zeroconf import Error, InterfaceChoice
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

        name = socket.gethostname().partition(".")[0][:32] or "open-speech"
        try:
            found = AsyncZeroconf(interfaces=InterfaceChoice.Default)
            self._zeroconf = found
            info = AsyncServiceInfo(
                SERVICE,
                f"open-speech-{name}.{SERVICE}",
                parsed_addresses=[_own_address()],
                port=self._port,
                properties={},
            )
            await found.async_register_service(info, allow_name_change=True)
        except (OSError, Error, TimeoutError) as error:
            _log.warning("Wyoming cannot be announced in the network: %s", error)

    async def stop(self) -> None:
        """Take the announcement back."""
        from zeroconf.asyncio import AsyncZeroconf

        if isinstance(self._zeroconf, AsyncZeroconf):
            await self._zeroconf.async_close()


def _own_address() -> str:
    """The address that others in the network reach this machine by; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("224.0.0.251", 1))
        return str(probe.getsockname()[0])
