"""Who gets a turn of a model, and when."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._lifecycle.slots import CallSlots


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_first_come_first_served():
    slots, order = CallSlots(1, 0), []

    async def work(name: str) -> None:
        async with slots:
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(name) for name in "abc"))
    assert order == ["a", "b", "c"]
    assert slots.in_use == 0


async def test_background_work_waits_for_an_idle_slot():
    slots = CallSlots(1, 1)
    await slots.acquire()
    background = asyncio.create_task(slots.acquire(background=True))
    await settled()
    assert not background.done()  # the spare slot is for what cannot wait
    await slots.acquire()
    assert slots.locked()
    slots.release()
    await settled()
    assert not background.done()
    slots.release()
    await settled()
    assert background.done()


async def test_background_work_lets_everybody_else_go_first():
    slots, order = CallSlots(1, 0), []
    await slots.acquire()

    async def work(name: str, *, background: bool) -> None:
        await slots.acquire(background=background)
        order.append(name)
        slots.release()

    tasks = [asyncio.create_task(work("interim", background=True))]
    await settled()
    tasks += [asyncio.create_task(work(name, background=False)) for name in ("one", "two")]
    await settled()
    slots.release()
    await asyncio.gather(*tasks)
    assert order == ["one", "two", "interim"]


async def test_whoever_gives_up_does_not_hold_up_the_rest():
    slots = CallSlots(1, 0)
    await slots.acquire()
    first = asyncio.create_task(slots.acquire())
    second = asyncio.create_task(slots.acquire(background=True))
    await settled()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    slots.release()
    async with asyncio.timeout(5):
        await second
    assert slots.in_use == 1


async def test_a_slot_granted_to_whoever_is_just_cancelled_is_not_lost():
    slots = CallSlots(1, 0)
    await slots.acquire()
    waiting = asyncio.create_task(slots.acquire())
    await settled()
    slots.release()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slots.in_use == 0


@given(
    concurrency=st.integers(1, 3),
    spare=st.integers(0, 2),
    calls=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12),
)
def test_there_are_never_more_than_there_may_be(concurrency, spare, calls):
    async def run() -> None:
        slots, most = CallSlots(concurrency, spare), 0

        async def work(*, background: bool) -> None:
            nonlocal most
            await slots.acquire(background=background)
            most = max(most, slots.in_use)
            try:
                await asyncio.sleep(0)
            finally:
                slots.release()

        tasks = []
        for background, cancelled in calls:
            tasks.append(asyncio.create_task(work(background=background)))
            if cancelled:
                await asyncio.sleep(0)
                tasks[-1].cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        assert most <= concurrency + spare
        assert slots.in_use == 0
        assert not slots.locked()

    asyncio.run(run())
