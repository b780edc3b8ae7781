"""What a worker says reaches the server in order, and an engine does not wait for it."""

from __future__ import annotations

import socket
import threading

import numpy as np

from open_speech import Audio
from open_speech._worker import framing
from open_speech._worker.process import _Outbox
from open_speech._worker.protocol import End, FromWorker, Item
from open_speech._worker.serialization import Payload

SECONDS = 30
"""Of sound in one message: more than a socket holds."""


def test_an_engine_works_on_while_the_server_is_busy():
    near, far = socket.socketpair()
    with near, far:
        far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)
        outbox = _Outbox(far)
        samples = np.zeros(SECONDS * 24_000, np.float32)
        for call in (1, 2, 3):
            samples[:] = call / 10  # an engine may use its buffer again
            outbox.put(Item(call=call, value=Payload(Audio(samples=samples, sample_rate=24_000))))
            if call < 3:
                outbox.put(End(call=call))
        # All of that without anybody reading. From here on somebody does.
        received: list[FromWorker] = [framing.read_blocking(near, FromWorker) for _ in range(5)]
        outbox.flush()
    assert [(type(one).__name__, one.call) for one in received] == [
        ("Item", 1), ("End", 1), ("Item", 2), ("End", 2), ("Item", 3),
    ]  # fmt: skip
    for one in received[::2]:
        assert isinstance(one, Item)
        samples = one.value.read((Audio,)).samples
        np.testing.assert_array_equal(samples, np.float32(one.call / 10))
        assert len(samples) == SECONDS * 24_000


def test_an_engine_is_stopped_when_too_much_waits():
    near, far = socket.socketpair()
    with near, far:
        far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)
        outbox, put = _Outbox(far), list[int]()
        sound = Audio(samples=np.zeros(SECONDS * 24_000, np.float32), sample_rate=24_000)

        def make() -> None:
            for call in range(20):
                outbox.put(Item(call=call, value=Payload(sound)))
                put.append(call)

        engine = threading.Thread(target=make)
        engine.start()
        ahead, received = list[int](), list[int]()
        for call in range(20):
            ahead.append(len(put) - call)
            received.append(framing.read_blocking(near, FromWorker).call)
        engine.join(60)
        outbox.flush()
    assert received == list(range(20))
    # Never further than what may wait, and what is under way.
    assert max(ahead) <= 8
