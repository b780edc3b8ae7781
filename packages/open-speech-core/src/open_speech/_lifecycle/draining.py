"""Letting a loaded model finish what it has, and ending its host."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable

from .. import errors
from .._hosts import Host
from .downloads import Downloads
from .instance import ModelInstance
from .policy import Policy
from .slots import Slots
from .states import ModelState

Start = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


class Drainer:
    """Ends the hosts of models once nobody uses them. One event loop only."""

    def __init__(self, policy: Policy, downloads: Downloads, start: Start) -> None:
        self._timeout_s = policy.drain_timeout_s
        self._grace_s = policy.session_grace_s
        self._downloads = downloads
        self._start = start

    async def drain(self, instance: ModelInstance) -> None:
        """Let a loaded model finish, then end its host. Raises Busy if it does not finish."""
        while instance.waiting and instance.state is ModelState.LOADED:  # noqa: ASYNC110
            await asyncio.sleep(0)  # it was loaded for them: they only have to wake up
        if instance.state is ModelState.LOADED:
            self._close_door(instance)
            await self._finish(instance)

    def drop(self, instance: ModelInstance, host: Host) -> None:
        """End a host as soon as nobody uses it; the next request already waits for a fresh one."""
        if instance.host is host and instance.state is ModelState.LOADED:
            self._close_door(instance)
            self._start(self._quietly(instance))

    async def _quietly(self, instance: ModelInstance) -> None:
        with contextlib.suppress(errors.Busy):
            await self._finish(instance)

    async def end(self, instance: ModelInstance) -> None:
        """Let a loaded model finish, and end its host in any case."""
        with contextlib.suppress(errors.Busy):
            await self.drain(instance)
        if instance.state is ModelState.LOADED:
            self._close_door(instance)
            await self._release_host(instance)

    async def finish(
        self, instances: Iterable[ModelInstance], timeout_s: float | None = None
    ) -> None:
        """Let all of them finish what they have; those that do not are given up."""
        everybody = list(instances)
        for instance in everybody:
            if instance.host:
                instance.host.drain(self._grace_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_s if timeout_s is None else timeout_s):
                for instance in everybody:
                    await instance.free.wait()

    async def retire(self, host: Host, slots: Slots) -> None:
        """End a host that another has taken the place of, once its calls are done."""
        host.drain(self._grace_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_s):
                await slots.free()
        await host.close()

    def _close_door(self, instance: ModelInstance) -> None:
        instance.move_to(ModelState.DRAINING)
        if instance.host:
            instance.host.drain(self._grace_s)

    async def _finish(self, instance: ModelInstance) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await instance.free.wait()
        except BaseException as error:
            if instance.state is ModelState.DRAINING:
                instance.move_to(ModelState.LOADED)
            if instance.host:
                instance.host.draining.clear()
            if not isinstance(error, TimeoutError):
                raise
            raise errors.Busy(
                f"The model {instance.key.name!r} is still in use after {self._timeout_s:g} s.",
                model=instance.key.name,
                hint="Try again when its requests are done.",
                retry_after=5.0,
            ) from None
        await self._release_host(instance)

    async def _release_host(self, instance: ModelInstance) -> None:
        host = instance.vacate()
        try:
            if host:
                await asyncio.shield(self._start(host.close()))
                await self._downloads.released()
        finally:
            if instance.state is ModelState.DRAINING:
                instance.move_to(ModelState.DOWNLOADED)
