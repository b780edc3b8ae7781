"""An operation that is fed while it runs, declared outside of core: through hosts, both ways."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

import energy
from energy import ENERGY, EnergyRequest
from open_speech import Audio, Policy, SpeechRequest
from open_speech._lifecycle.states import ModelState
from open_speech._operations import ALIGN, SYNTHESIZE
from open_speech._types.transcription import AlignmentRequest
from open_speech._worker.protocol import WINDOW
from open_speech.errors import (
    Busy,
    DeadlineExceeded,
    InvalidRequest,
    InvalidResult,
    ProviderError,
    ShuttingDown,
    UnsupportedCapability,
    WorkerDied,
)
from open_speech.testing import sine
from open_speech.testing.install import install_provider

METER = "energy/meter"


@pytest.fixture(params=[True, False], ids=["worker", "in-process"])
def isolated(request):
    return request.param


@pytest.fixture
def make(make_speech, site):
    """An ``OpenSpeech`` with the toy provider."""
    install_provider(site, "energy", Path(energy.__file__).read_text())

    def made(**config):
        config.setdefault("providers", ["energy", "tone"])
        return make_speech(install=("tone",), **config)

    return made


def items(count: int, samples: int = 160) -> list[Audio]:
    return [
        Audio(samples=np.full(samples, 0.1 * (1 + index % 5), np.float32), sample_rate=16_000)
        for index in range(count)
    ]


class Source:
    """Yields sounds, and remembers what became of it."""

    def __init__(self, sounds: list[Audio], *, then: BaseException | str | None = None) -> None:
        self.sounds, self.then = sounds, then
        self.pulled = 0
        self.closed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[Audio]:
        async for sound in self.feed():
            yield sound

    async def feed(self) -> AsyncIterator[Audio]:
        try:
            for sound in self.sounds:
                self.pulled += 1
                yield sound
            if isinstance(self.then, BaseException):
                raise self.then
            if self.then == "silence":
                await asyncio.Event().wait()
        finally:
            self.closed.set()


@contextmanager
def pipe_at(path: Path) -> Iterator[BinaryIO]:
    os.mkfifo(path)
    with path.open("r+b", buffering=0) as pipe:
        yield pipe


async def line(pipe: BinaryIO) -> str:
    """The next line of a pipe, waited for in a thread."""
    return (await asyncio.to_thread(pipe.readline)).decode().strip()


async def test_sound_goes_in_and_energy_comes_out(make, isolated):
    source = Source(sounds := items(200))
    async with make(isolated=isolated) as speech:
        request = EnergyRequest(gain=2.0)
        events = [
            event async for event in speech.run(ENERGY, request, model=METER, fed=source.feed())
        ]
    expected = 2.0 * np.cumsum([np.sum(np.square(each.samples)) for each in sounds])
    np.testing.assert_allclose([event.energy for event in events], expected, rtol=1e-5)
    assert events[-1].seconds == pytest.approx(2.0)
    assert source.closed.is_set()


async def test_long_audio_is_fed_in_parts(make, isolated):
    """Credit counts items, so their size is bounded as well."""
    sound = sine(12.0)
    async with make(isolated=isolated) as speech:
        fed = Source([sound]).feed()
        events = [e async for e in speech.run(ENERGY, EnergyRequest(), model=METER, fed=fed)]
    assert [event.seconds for event in events] == [5.0, 10.0, 12.0]
    whole = float(np.sum(np.square(sound.samples, dtype=np.float64)))
    assert events[-1].energy == pytest.approx(whole, rel=1e-5)


async def test_each_event_comes_before_the_next_item_is_there(make, isolated):
    """Live: nothing waits for a buffer to fill."""
    queue: asyncio.Queue[Audio | None] = asyncio.Queue()

    async def live():
        while (sound := await queue.get()) is not None:
            yield sound

    async with make(isolated=isolated) as speech, asyncio.timeout(60):
        running = speech.run(ENERGY, EnergyRequest(), model=METER, fed=live())
        async with aclosing(running) as events:
            for number, sound in enumerate(items(5), 1):
                queue.put_nowait(sound)
                assert (await anext(events)).seconds == pytest.approx(number * 0.01)
            queue.put_nowait(None)
            assert [event async for event in events] == []


async def test_nothing_at_all_may_be_fed(make, isolated):
    async with make(isolated=isolated) as speech:
        assert [e async for e in speech.run(ENERGY, EnergyRequest(), model=METER)] == []


async def test_an_engine_that_takes_nothing_stops_its_source(make, isolated, tmp_path):
    """Bounded on the way in: what nobody pulls is not read from the caller."""
    source = Source(items(10 * WINDOW))
    request = EnergyRequest(gate=str(tmp_path / "gate"))
    with pipe_at(tmp_path / "gate") as gate:
        async with make(isolated=isolated) as speech, asyncio.timeout(60):
            events = speech.run(ENERGY, request, model=METER, fed=source.feed())
            gate.write(b"1")
            await anext(events)
            while source.pulled < WINDOW:  # noqa: ASYNC110 - the source tells nobody
                await asyncio.sleep(0)
            for _ in range(1_000):  # more turns of the loop than it would need for the rest
                await asyncio.sleep(0)
            assert source.pulled <= WINDOW + 2
            closing = asyncio.create_task(events.aclose())
            while not closing.done():  # the engine stops where it asks for the next item
                gate.write(b"1")
                await asyncio.wait({closing}, timeout=0.05)
    assert source.closed.is_set()
    assert source.pulled <= WINDOW + 2


async def test_a_caller_who_takes_nothing_stops_the_engine(make, isolated, tmp_path):
    """Bounded on the way out: events that nobody takes are not made."""
    with pipe_at(tmp_path / "record") as record:
        source = Source(items(10 * WINDOW))
        request = EnergyRequest(record=str(tmp_path / "record"))
        async with make(isolated=isolated) as speech, asyncio.timeout(60):
            running = speech.run(ENERGY, request, model=METER, fed=source.feed())
            async with aclosing(running) as events:
                await anext(events)
                for number in range(WINDOW + 1):
                    assert await line(record) == f"took {number}"
                assert (await asyncio.to_thread(select.select, [record], [], [], 0.3))[0] == []
                assert source.pulled <= 2 * WINDOW + 18
                rest = [event async for event in events]
        assert len(rest) == 10 * WINDOW - 1


async def test_a_caller_who_leaves_ends_both_sides(make, isolated, tmp_path):
    """While the engine waits for input that never comes."""
    with pipe_at(tmp_path / "record") as record:
        source = Source(items(3), then="silence")
        request = EnergyRequest(record=str(tmp_path / "record"))
        async with make(isolated=isolated) as speech, asyncio.timeout(60):
            async with aclosing(
                speech.run(ENERGY, request, model=METER, fed=source.feed())
            ) as events:
                for _ in range(3):
                    await anext(events)
            assert source.closed.is_set()
            assert [await line(record) for _ in range(4)] == [
                "took 0", "took 1", "took 2", "finally",
            ]  # fmt: skip
            assert not speech.manager.instance(METER).users
            again = speech.run(ENERGY, EnergyRequest(), model=METER, fed=Source(items(2)).feed())
            assert len([event async for event in again]) == 2


async def test_an_engine_that_ends_early_closes_the_source(make, isolated):
    source = Source(items(3), then="silence")
    request = EnergyRequest(fault="early", after=2)
    async with make(isolated=isolated) as speech, asyncio.timeout(60):
        running = speech.run(ENERGY, request, model=METER, fed=source.feed())
        assert len([event async for event in running]) == 2
        assert source.closed.is_set()


async def test_what_the_source_raises_is_raised_to_the_caller(make, isolated):
    source = Source(items(2), then=InvalidRequest("The microphone fell.", param="audio"))
    async with make(isolated=isolated) as speech, asyncio.timeout(60):
        running = speech.run(ENERGY, EnergyRequest(), model=METER, fed=source.feed())
        with pytest.raises(InvalidRequest, match="microphone"):
            [event async for event in running]
        assert not speech.manager.instance(METER).users


async def test_what_is_no_audio_is_not_fed(make, isolated):
    async with make(isolated=isolated) as speech, asyncio.timeout(60):
        fed = Source(["one two"]).feed()
        with pytest.raises(TypeError, match="energy is not fed with str"):
            [event async for event in speech.run(ENERGY, EnergyRequest(), model=METER, fed=fed)]


@pytest.mark.parametrize(
    ("fault", "error", "match"),
    [
        ("raise", ProviderError, "the meter broke"),
        ("wrong", InvalidResult, "energy at 1.02 s of 0.02"),
    ],
)
async def test_what_goes_wrong_there_fails_the_call_alone(make, isolated, fault, error, match):
    source = Source(items(5), then="silence")
    async with make(isolated=isolated) as speech, asyncio.timeout(60):
        request = EnergyRequest(fault=fault, after=2)
        with pytest.raises(error, match=match):
            [e async for e in speech.run(ENERGY, request, model=METER, fed=source.feed())]
        assert source.closed.is_set()
        fed = Source(items(1)).feed()
        assert [e async for e in speech.run(ENERGY, EnergyRequest(), model=METER, fed=fed)]


async def test_a_worker_that_dies_in_a_session_closes_the_source(make):
    source = Source(items(5), then="silence")
    async with make() as speech, asyncio.timeout(60):
        request = EnergyRequest(fault="exit", after=2)
        with pytest.raises(WorkerDied):
            [e async for e in speech.run(ENERGY, request, model=METER, fed=source.feed())]
        assert source.closed.is_set()


async def test_silence_is_no_hang(make, isolated, tmp_path):
    """Nothing is owed while nothing is fed, however long; and not while the engine is ahead."""
    queue: asyncio.Queue[Audio | None] = asyncio.Queue()

    async def live():
        while (sound := await queue.get()) is not None:
            yield sound

    policy = Policy(call_timeout_s=1.0)
    async with make(isolated=isolated, policy=policy) as speech, asyncio.timeout(60):
        running = speech.run(ENERGY, EnergyRequest(), model=METER, fed=live())
        async with aclosing(running) as events:
            for sound in items(2):
                waiting = asyncio.create_task(anext(events))
                await asyncio.sleep(2.5)  # time that passes in silence
                queue.put_nowait(sound)
                assert (await waiting).energy
            queue.put_nowait(None)
            assert [event async for event in events] == []


@pytest.mark.parametrize("after", [0, 1])
async def test_an_engine_that_has_input_and_does_nothing_hangs(make, after):
    source = Source(items(2), then="silence")
    async with make(policy=Policy(call_timeout_s=2.0)) as speech, asyncio.timeout(60):
        request = EnergyRequest(fault="hang", after=after)
        with pytest.raises(DeadlineExceeded, match="no output for 2 s"):
            [e async for e in speech.run(ENERGY, request, model=METER, fed=source.feed())]
        assert source.closed.is_set()


async def test_a_session_that_hangs_is_found_while_another_goes_on(make):
    async def slowly() -> AsyncIterator[Audio]:
        while True:
            yield sine(0.01)
            await asyncio.sleep(0.05)

    async with make(policy=Policy(call_timeout_s=1.0)) as speech, asyncio.timeout(60):
        busy = speech.run(ENERGY, EnergyRequest(), model="energy/pair", fed=slowly())
        await anext(busy)
        going_on = asyncio.create_task(drain(busy))
        fed, request = Source(items(2), then="silence").feed(), EnergyRequest(fault="hang")
        with pytest.raises(DeadlineExceeded):
            await anext(speech.run(ENERGY, request, model="energy/pair", fed=fed))
        with pytest.raises(WorkerDied):
            await going_on


async def drain(events: AsyncIterator[object]) -> None:
    async for _ in events:
        pass


async def test_silent_sessions_hold_no_turn(make, isolated):
    """Any number of them up to the bound, on an engine that does one thing at a time."""
    async with make(isolated=isolated) as speech, asyncio.timeout(60):
        silent = [
            asyncio.create_task(
                anext(
                    speech.run(
                        ENERGY, EnergyRequest(), model=METER, fed=Source([], then="silence").feed()
                    )
                )
            )
            for _ in range(5)
        ]
        fed = Source(items(3)).feed()
        events = [e async for e in speech.run(ENERGY, EnergyRequest(), model=METER, fed=fed)]
        assert len(events) == 3
        for task in silent:
            task.cancel()
        await asyncio.gather(*silent, return_exceptions=True)


async def test_more_sessions_than_the_model_takes_are_refused_at_once(make, isolated):
    async with make(isolated=isolated) as speech, asyncio.timeout(60):
        open_ones = [
            speech.run(
                ENERGY,
                EnergyRequest(),
                model="energy/two",
                fed=Source(items(1), then="silence").feed(),
            )
            for _ in range(2)
        ]
        for session in open_ones:
            await anext(session)
        refused = Source(items(1))
        with pytest.raises(Busy, match="2 sessions") as caught:
            await anext(speech.run(ENERGY, EnergyRequest(), model="energy/two", fed=refused.feed()))
        assert caught.value.retry_after
        assert refused.pulled == 0
        for session in open_ones:
            await session.aclose()
        fed = Source(items(1)).feed()
        assert await anext(speech.run(ENERGY, EnergyRequest(), model="energy/two", fed=fed))


async def test_a_session_of_a_model_that_goes_is_told_then_ended(make, isolated):
    """Its input ends, the engine says what is left, and the model is unloaded."""
    policy = Policy(session_grace_s=0.2, drain_timeout_s=30.0)
    source = Source(items(3), then="silence")
    async with make(isolated=isolated, policy=policy) as speech, asyncio.timeout(60):
        async with speech.manager.lease(METER) as lease:
            session = lease.run(ENERGY, EnergyRequest(), source.feed())
            events = [await anext(session) for _ in range(3)]
            drainer = asyncio.create_task(speech.manager.unload(METER))
            assert lease.draining is not None
            await lease.draining.wait()
            assert not drainer.done()
            events += [event async for event in session]
        assert len(events) == 3
        assert await drainer
        assert speech.manager.instance(METER).state is ModelState.DOWNLOADED


async def test_closing_the_server_ends_sessions(make, isolated):
    source = Source(items(1), then="silence")
    policy = Policy(session_grace_s=0.1)
    async with make(isolated=isolated, policy=policy) as speech, asyncio.timeout(60):
        session = speech.run(ENERGY, EnergyRequest(), model=METER, fed=source.feed())
        await anext(session)
        closing = asyncio.create_task(speech.manager.close())
        assert [event async for event in session] == []
        await session.aclose()
        await closing
        with pytest.raises(ShuttingDown):
            await anext(speech.run(ENERGY, EnergyRequest(), model=METER))


async def test_what_a_backend_does_not_list_is_refused_before_the_model_is_loaded(make):
    async with make() as speech:
        align = AlignmentRequest(audio=sine(1.0), text="a")
        with pytest.raises(InvalidRequest, match="'energy/meter' does energy, not align"):
            await anext(speech.run(ALIGN, align, model=METER))
        with pytest.raises(InvalidRequest, match="does synthesize, phonemize, not energy"):
            await anext(speech.run(ENERGY, EnergyRequest(), model="tone/sine"))
        assert not [each for each in await speech.models() if each.loaded_at]


async def test_what_the_worker_does_not_do_is_refused_before_the_call(make):
    async with make() as speech, speech.manager.lease(METER) as lease:
        with pytest.raises(UnsupportedCapability, match="does not do 'synthesize'") as caught:
            await anext(lease.run(SYNTHESIZE, SpeechRequest(text="a", voice="")))
        assert "release of open-speech-core" in str(caught.value)


@pytest.mark.parametrize(("answers", "spoken"), [((True, True, True), 2), ((True, False), 1)])
def test_at_a_none_a_model_may_be_stopped(answers, spoken):
    closed = []

    class Slow:
        def synthesize(self, request):
            try:
                yield None
                yield sine(0.1)
                yield None
                yield sine(0.1)
                yield None
            finally:
                closed.append(True)

    asked = iter(answers)
    request = SpeechRequest(text="Hello", voice="")
    events = SYNTHESIZE.carry_out(Slow(), request, goes_on=lambda: next(asked))
    assert len(list(events)) == spoken
    assert closed == [True]
    assert next(asked, None) is None
