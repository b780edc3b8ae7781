"""One model in several hosts, with one queue in front."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from .. import errors
from .._operations import Operation
from .._types.models import ModelInfo
from .._worker.protocol import Load
from .calling import HostFailure
from .host import Host, Memory

_log = logging.getLogger(__name__)
R = TypeVar("R")
E = TypeVar("E")
RETRY_S = (0.25, 1.0, 4.0, 15.0)
"""Before each attempt to replace a replica that died; the last one from then on."""


class Replicas(Host):
    """Gives each call to the replica with the fewest, and replaces one that dies.

    A death fails the calls of that replica alone. Once none is left, this host has ended.
    """

    def __init__(self, load: Load, make: Callable[[], Host], count: int) -> None:
        super().__init__(load)
        self._make = make
        self._count = count
        self._hosts: list[Host] = []
        self._calls: Counter[Host] = Counter()
        self._timeout_s = 0.0
        self._paths: Mapping[str, Path] = {}
        self._closing = False
        self._replacing: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """Of the first replica."""
        return self._hosts[0].pid if self._hosts else None

    @property
    def pids(self) -> list[int]:
        """Of each replica with a process of its own."""
        return [host.pid for host in self._hosts if host.pid is not None]

    @property
    def machine(self) -> str:
        """See ``Host``; replicas that are counted together are on one machine."""
        return self._hosts[0].machine if self._hosts else ""

    @property
    def spare(self) -> int:
        """One for each replica."""
        return self._count

    async def load(self, timeout_s: float, paths: Mapping[str, Path]) -> ModelInfo:
        """Load all of them; if one cannot be loaded, none is."""
        self._timeout_s, self._paths = timeout_s, paths
        hosts = [self._make() for _ in range(self._count)]
        loading = [asyncio.ensure_future(host.load(timeout_s, paths)) for host in hosts]
        try:
            infos = await asyncio.gather(*loading)
        except BaseException:
            for task in loading:
                task.cancel()
            await asyncio.gather(*loading, return_exceptions=True)
            await asyncio.gather(*(host.close() for host in hosts), return_exceptions=True)
            self._end("could not be loaded")
            raise
        for host in hosts:
            self._join(host)
        info = infos[0]
        self._load = replace(self._load, context=hosts[0].context)
        return replace(
            info,
            concurrency=max(1, info.concurrency) * self._count,
            sessions=info.sessions * self._count,
        )

    def _join(self, host: Host) -> None:
        self._hosts.append(host)
        self.versions, self.operations = host.versions, host.operations
        host.ended.add_done_callback(lambda ended: self._lost(host, ended.result()))

    def _lost(self, host: Host, failure: HostFailure) -> None:
        if host in self._hosts:
            self._hosts.remove(host)
        if self._closing:
            return
        if not self._hosts:
            self._end(failure.reason)
            return
        _log.error("a worker of %s %s", self._load.model.id, failure.reason)
        task = asyncio.ensure_future(self._replace())
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _replace(self) -> None:
        for attempt in range(1 << 30):
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            if self.ended.done():
                return
            host = self._make()
            try:
                await host.load(self._timeout_s, self._paths)
            except errors.OpenSpeechError as error:
                _log.warning("a worker of %s is not replaced: %s", self._load.model.id, error)
                continue
            if self.ended.done() or self._closing:
                await host.close()
            else:
                self._join(host)
            return

    async def call(
        self, operation: Operation[R, E], request: R, fed: AsyncIterator[Any] | None = None
    ) -> AsyncGenerator[E, None]:
        """See ``Host``."""
        if not self._hosts:
            raise errors.WorkerDied(
                f"No worker of {self._load.model.id!r} is left.",
                model=self._load.model.id,
                retry_after=1.0,
            )
        host = min(self._hosts, key=self._calls.__getitem__)
        self._calls[host] += 1
        try:
            async with aclosing(host.call(operation, request, fed)) as events:
                async for event in events:
                    yield event
        finally:
            self._calls[host] -= 1
            if not self._calls[host]:
                del self._calls[host]

    async def memory(self, patience_s: float | None = None) -> Memory:
        """Of all of them together."""
        held = await asyncio.gather(*(host.memory(patience_s) for host in self._hosts))
        return Memory(
            resident_bytes=sum(each.resident_bytes for each in held),
            device_bytes=sum(each.device_bytes for each in held),
        )

    def drain(self, grace_s: float) -> None:
        """See ``Host``."""
        self.draining.set()
        for host in self._hosts:
            host.drain(grace_s)

    async def close(self) -> None:
        """See ``Host``."""
        self._closing = True
        for task in self._replacing:
            task.cancel()
        await asyncio.gather(*self._replacing, return_exceptions=True)
        await asyncio.gather(*(host.close() for host in list(self._hosts)))
        self._end("was closed")

    def kill(self) -> None:
        """See ``Host``."""
        for host in list(self._hosts):
            host.kill()

    def _end(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(HostFailure(reason=reason))
