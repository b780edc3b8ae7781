"""The bridge between plain code and the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

import pytest

from open_speech.aio import Portal, ahead, in_thread


async def numbers(log: list[str], stop: int = 5) -> AsyncGenerator[int, None]:
    try:
        for number in range(stop):
            log.append(f"made {number}")
            yield number
    finally:
        log.append("closed")


def test_a_portal_runs_walks_and_enters():
    log: list[str] = []

    @asynccontextmanager
    async def context():
        log.append("entered")
        yield 7
        log.append("left")

    async def double(value: int) -> int:
        await asyncio.sleep(0)
        return 2 * value

    with Portal() as portal:
        with portal.enter(context()) as value:
            assert portal.run(double(value)) == 14
            assert list(portal.iterate(numbers([]))) == [0, 1, 2, 3, 4]
        assert log == ["entered", "left"]


def test_leaving_a_walk_closes_the_source():
    log: list[str] = []
    with Portal() as portal:
        walk = portal.iterate(numbers(log))
        assert next(walk) == 0
        walk.close()
        assert log == ["made 0", "closed"]


def test_errors_come_out_where_the_result_is_awaited():
    async def fail() -> None:
        raise LookupError("gone")

    async def fail_later() -> AsyncGenerator[int, None]:
        yield 1
        raise LookupError("gone")

    with Portal() as portal:
        with pytest.raises(LookupError, match="gone"):
            portal.run(fail())
        walk = portal.iterate(fail_later())
        assert next(walk) == 1
        with pytest.raises(LookupError, match="gone"):
            next(walk)


def test_a_portal_ends_what_still_runs():
    ended: list[bool] = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def begin() -> None:
        asyncio.current_task().kept = asyncio.create_task(for_ever())  # type: ignore[union-attr]
        await asyncio.sleep(0)

    with Portal() as portal:
        portal.run(begin())
    assert ended == [True]


async def test_ahead_makes_items_before_they_are_asked_for():
    log: list[str] = []
    async with aclosing(ahead(numbers(log), 2)) as items:
        assert await anext(items) == 0
        for _ in range(10):
            await asyncio.sleep(0)
        # One was taken, two wait, and one more is in hand.
        assert log == ["made 0", "made 1", "made 2", "made 3"]
        assert [item async for item in items] == [1, 2, 3, 4]
    assert log[-1] == "closed"


async def test_ahead_closes_its_source_when_it_is_left():
    log: list[str] = []
    items = ahead(numbers(log, 100), 2)
    await anext(items)
    await items.aclose()
    assert log[-1] == "closed"
    assert len(log) < 10


async def test_ahead_leaves_no_task_behind_when_it_is_cancelled():
    log: list[str] = []

    async def endless() -> AsyncGenerator[int, None]:
        try:
            await asyncio.Event().wait()
            yield 1
        finally:
            log.append("closed")

    waiting = asyncio.create_task(anext(ahead(endless(), 2)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert log == ["closed"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_ahead_passes_errors_on_after_what_came_before():
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise LookupError("gone")

    items = ahead(failing(), 5)
    assert [await anext(items), await anext(items)] == [1, 2]
    with pytest.raises(LookupError, match="gone"):
        await anext(items)


async def test_an_iterator_is_walked_in_threads():
    import threading

    names = [name async for name in in_thread(threading.current_thread().name for _ in range(3))]
    assert len(names) == 3
    assert threading.main_thread().name not in names
