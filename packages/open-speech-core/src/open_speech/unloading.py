"""Letting a loaded model finish what it has, and ending its host."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine

from . import errors
from .downloads import Downloads
from .hosts import Host
from .policy import Policy
from .resident import ModelState, Resident

Become = Callable[[Resident, ModelState], None]
Start = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


class Unloading:
    """Ends the hosts of models once nobody uses them. One event loop only."""

    def __init__(self, policy: Policy, downloads: Downloads, become: Become, start: Start) -> None:
        self._timeout_s = policy.drain_timeout_s
        self._downloads = downloads
        self._become = become
        self._start = start

    async def drain(self, resident: Resident) -> None:
        """Let a loaded model finish, then end its host. Raises Busy if it does not finish."""
        while resident.waiting and resident.state is ModelState.LOADED:  # noqa: ASYNC110
            await asyncio.sleep(0)  # it was loaded for them: they only have to wake up
        if resident.state is ModelState.LOADED:
            self._close_door(resident)
            await self._finish(resident)

    def drop(self, resident: Resident, host: Host) -> None:
        """End a host as soon as nobody uses it; the next request already waits for a fresh one."""
        if resident.host is host and resident.state is ModelState.LOADED:
            self._close_door(resident)
            self._start(self._quietly(resident))

    async def _quietly(self, resident: Resident) -> None:
        with contextlib.suppress(errors.Busy):
            await self._finish(resident)

    async def end(self, resident: Resident) -> None:
        """Let a loaded model finish, and end its host in any case."""
        with contextlib.suppress(errors.Busy):
            await self.drain(resident)
        if resident.state is ModelState.LOADED:
            self._close_door(resident)
            await self._release_host(resident)

    async def retire(self, host: Host, turns: asyncio.Semaphore, places: int) -> None:
        """End a host that another has taken the place of, once its calls are done."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_s):
                for _ in range(places):
                    await turns.acquire()
        await host.close()

    def _close_door(self, resident: Resident) -> None:
        self._become(resident, ModelState.DRAINING)
        resident.settled.clear()

    async def _finish(self, resident: Resident) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await resident.free.wait()
        except BaseException as error:
            if resident.state is ModelState.DRAINING:
                self._become(resident, ModelState.LOADED)
            resident.settled.set()
            if not isinstance(error, TimeoutError):
                raise
            raise errors.Busy(
                f"The model {resident.key.name!r} is still in use after {self._timeout_s:g} s.",
                model=resident.key.name,
                hint="Try again when its requests are done.",
                retry_after=5.0,
            ) from None
        await self._release_host(resident)

    async def _release_host(self, resident: Resident) -> None:
        host, resident.host, resident.info = resident.host, None, None
        try:
            if host:
                await asyncio.shield(self._start(host.close()))
                await self._downloads.released()
        finally:
            if resident.state is ModelState.DRAINING:
                self._become(resident, ModelState.DOWNLOADED)
            resident.settled.set()
