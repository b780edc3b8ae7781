"""``Portal``: an event loop on a thread, for scripts that are not asynchronous.

Core is asynchronous inside. A plain script opens a ``Portal`` and runs the very same objects::

    from open_speech import OpenSpeech, Portal, SpeechRequest

    with Portal() as portal, portal.enter(OpenSpeech()) as speech:
        request = SpeechRequest(text="Hello", voice="default")
        for audio in portal.iterate(speech.synthesize(request)):
            print(audio.seconds)
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Coroutine,
    Generator,
    Iterator,
)
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

__all__ = [
    "Portal",
    "in_thread",
]


T = TypeVar("T")
CANCEL_WAIT_S = 10.0
"""What is cancelled gets so long for tidying up before it is left to itself."""


class Portal:
    """An event loop on a thread of its own, and ways into it from ordinary code.

    Thread-safe. Errors of the work are raised where its result is awaited.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="open-speech")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run(_cancel_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for its result; Ctrl-C cancels it and waits for its end."""
        ended = threading.Event()

        async def to_its_end() -> T:
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(to_its_end(), self._loop)
        try:
            return future.result()
        except BaseException:
            # A generator that is still being stepped through could not be closed.
            if future.cancel():
                ended.wait(CANCEL_WAIT_S)
            raise

    def iterate(self, items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """Walk through an asynchronous generator; closing this one closes that one."""
        try:
            while True:
                try:
                    yield self.run(_next(items))
                except StopAsyncIteration:
                    return
        finally:
            self.run(items.aclose())

    @contextmanager
    def enter(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Hold an asynchronous context for the length of a ``with`` block."""
        value = self.run(_enter(manager))
        try:
            yield value
        finally:
            self.run(_exit(manager))


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


async def _enter(manager: AbstractAsyncContextManager[T]) -> T:
    return await manager.__aenter__()


async def _exit(manager: AbstractAsyncContextManager[Any]) -> None:
    await manager.__aexit__(None, None, None)


async def _cancel_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


async def ahead(items: AsyncGenerator[T, None], depth: int) -> AsyncGenerator[T, None]:
    """Pull up to ``depth`` items before they are asked for, so that a producer stays busy.

    Closing this generator cancels the pulling and closes the source.
    """
    ready: asyncio.Queue[T] = asyncio.Queue(depth)

    async def pull() -> None:
        async with aclosing(items):
            async for item in items:
                await ready.put(item)

    puller = asyncio.create_task(pull())
    tasks: list[asyncio.Task[Any]] = [puller]
    try:
        while True:
            taking = asyncio.create_task(ready.get())
            tasks[1:] = [taking]
            await asyncio.wait({taking, puller}, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                yield taking.result()
                continue
            taking.cancel()
            if ready.empty():
                await puller  # raises what the source raised
                return
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_thread(items: Iterator[T]) -> AsyncGenerator[T, None]:
    """Walk through a blocking iterator, each step in a thread."""
    end = object()
    while (item := await asyncio.to_thread(next, items, end)) is not end:
        yield item  # type: ignore[misc]
