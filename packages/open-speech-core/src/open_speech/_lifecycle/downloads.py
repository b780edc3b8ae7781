"""Having models' files on disk: one download at a time for each, that all who want it share."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

from .. import errors
from .._types.models import ModelInfo
from .events import EventBus
from .instance import ModelInstance
from .states import AT_REST, ModelState
from .weights import DownloadProgress, Weights

_log = logging.getLogger(__name__)
T = TypeVar("T")
Hold = AbstractContextManager[Mapping[str, Path]]
"""What ``Weights.hold`` gives."""
MAX_THREADS = 32


class Downloads:
    """Fetches, moves and deletes the files of models. One event loop only."""

    def __init__(self, weights: Weights | None, events: EventBus) -> None:
        self.weights = weights
        self._events = events
        self._threads = ThreadPoolExecutor(MAX_THREADS, "weights")
        self._releasing: set[asyncio.Future[bool | None]] = set()

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Run in a thread of ours: downloads last, and must not keep others from theirs."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def release(self, hold: Hold) -> None:
        """Hold a model's files no longer; ``released`` waits until that is so."""
        # Not in a thread of ours: downloads may have all of them.
        work = partial(hold.__exit__, None, None, None)
        task = asyncio.get_running_loop().run_in_executor(None, work)
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)

    async def released(self) -> None:
        """Wait until nothing is held that was given to ``release``, here or by another process."""
        if self._releasing:
            await asyncio.wait(set(self._releasing))

    async def have(self, instance: ModelInstance) -> None:
        """Have the model's files on disk: join the download under way, or begin one.

        Whoever waits may leave; the download goes on. Raises what the store raises.
        """
        if instance.resolved.model.sources:
            if instance.fetching is None:
                self._begin(instance, move=False)
            await self._joined(instance)

    async def update(self, instance: ModelInstance) -> bool:
        """Move to the newest revision; whether that is another one. Raises as ``have`` does."""
        model, weights = instance.resolved.model, self.weights
        if not model.sources or weights is None:
            return False
        if instance.key.revision is not None:
            raise errors.InvalidRequest(
                f"The model {instance.resolved.id!r} is fixed to the revision in its name.",
                model=instance.resolved.id,
                hint=f"Update {model.id!r}, or name another revision.",
            )
        while True:
            while instance.fetching is not None:
                await asyncio.wait({instance.fetching})
                await asyncio.sleep(0)  # until it is forgotten
            before = await self.run(weights.revision, model)
            if instance.fetching is None:  # nobody has begun another one meanwhile
                break
        self._begin(instance, move=True)
        await self._joined(instance)
        return before != await self.run(weights.revision, model)

    async def cancel(self, instance: ModelInstance) -> bool:
        """Stop the download under way, if there is one; what was fetched is kept."""
        fetching = instance.fetching
        if fetching is None:
            return False
        instance.stop_download.set()
        await asyncio.wait({fetching})
        stopped = None if fetching.cancelled() else fetching.exception()
        return isinstance(stopped, errors.DownloadCancelled)

    async def delete(self, model: ModelInfo, revision: str | None) -> None:
        """Delete the files from disk. Raises what the store raises."""
        if self.weights is None:
            raise errors.NotDownloaded(f"The model {model.id!r} has no files.", model=model.id)
        await self.released()
        await self.run(self.weights.delete, model, revision)

    def _begin(self, instance: ModelInstance, *, move: bool) -> None:
        instance.stop_download = threading.Event()
        instance.fetching = asyncio.create_task(self._fetch(instance, move=move))
        instance.fetching.add_done_callback(lambda task: _forget(instance, task))

    async def _joined(self, instance: ModelInstance) -> None:
        fetching = instance.fetching
        assert fetching is not None
        await asyncio.wait({fetching})
        if fetching.cancelled():
            raise errors.ShuttingDown("The server is shutting down.", retry_after=5.0)
        if error := fetching.exception():
            raise error.with_traceback(None)

    async def _fetch(self, instance: ModelInstance, *, move: bool) -> None:
        model, revision, weights = instance.resolved.model, instance.key.revision, self.weights
        if weights is None:
            raise errors.ModelLoadFailed(
                f"The model {model.id!r} needs files, and no weight store is configured.",
                model=model.id,
                hint="pip install 'open-speech-core[hub]'",
            )
        if not move and await self.run(weights.is_downloaded, model, revision):
            return
        if instance.state in AT_REST:
            instance.move_to(ModelState.DOWNLOADING)
        stop, tell = instance.stop_download, self._teller(instance)
        try:
            if move:
                await self.run(partial(weights.update, model, progress=tell, cancelled=stop))
            else:
                ensure = partial(weights.ensure, revision=revision, progress=tell, cancelled=stop)
                await self.run(ensure, model)
        except BaseException as error:
            self._gave_up(instance, error)
            raise
        finally:
            stop.set()  # should this wait have been cancelled
            instance.progress = None
        if instance.state is ModelState.DOWNLOADING:
            instance.error = None
            instance.move_to(ModelState.DOWNLOADED)

    def _teller(self, instance: ModelInstance) -> Callable[[DownloadProgress], None]:
        loop, stop = asyncio.get_running_loop(), instance.stop_download

        def tell(news: DownloadProgress) -> None:
            if stop.is_set():
                return
            instance.progress = news
            self._events.publish(
                "progress",
                instance.resolved.id,
                bytes_done=news.bytes_done,
                bytes_total=news.bytes_total,
                bytes_per_second=news.bytes_per_second,
            )

        def from_thread(news: DownloadProgress) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, news)

        return from_thread

    def _gave_up(self, instance: ModelInstance, error: BaseException) -> None:
        stopped = isinstance(error, (errors.DownloadCancelled, asyncio.CancelledError))
        if isinstance(error, errors.OpenSpeechError) and not stopped:
            instance.error = error
            _log.warning("%s could not be downloaded: %s", instance.resolved.id, error)
        stopped = stopped or isinstance(error, errors.LicenseNotAccepted)  # nothing is broken
        if instance.state is ModelState.DOWNLOADING:
            instance.move_to(ModelState.AVAILABLE if stopped else ModelState.FAILED)


def _forget(instance: ModelInstance, task: asyncio.Task[None]) -> None:
    if instance.fetching is task:
        instance.fetching = None
    if not task.cancelled():
        task.exception()  # kept in instance.error; no caller is left to raise it to
