from __future__ import annotations

from open_speech._lifecycle.events import MAX_WAITING, EventBus


async def test_every_listener_gets_every_event():
    bus = EventBus()
    with bus.listen() as one, bus.listen() as other:
        bus.publish("state", "model", state="loaded")
        assert bus.listeners == 2
        assert one.get_nowait() == other.get_nowait()
        assert not one.missed
    assert bus.listeners == 0
    bus.publish("state", "model", state="loaded")
    assert one.empty()


async def test_one_that_is_too_slow_keeps_the_newest_and_knows_it():
    bus = EventBus()
    with bus.listen() as listener:
        for number in range(MAX_WAITING + 1):
            bus.publish("progress", "model", bytes_done=number)
        assert listener.missed
        assert listener.qsize() == MAX_WAITING
        assert listener.get_nowait().data["bytes_done"] == 1
