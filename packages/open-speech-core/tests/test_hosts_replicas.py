"""One model in several workers: more at a time, and a death takes only its own calls along."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest

from open_speech import Policy, SpeechRequest
from open_speech._hosts import Home, InProcessHost, Replicas, Workers
from open_speech._lifecycle.states import ModelState
from open_speech.errors import ModelLoadFailed, WorkerDied

MODEL = "faulty/any"


@pytest.fixture
def make(make_speech):
    """An ``OpenSpeech`` in which the faulty model has two workers."""
    return lambda **config: make_speech(home=Workers({MODEL: 2}), **config)


@contextmanager
def gate_at(path: Path) -> Iterator[BinaryIO]:
    os.mkfifo(path)
    with path.open("r+b", buffering=0) as pipe:
        yield pipe


async def say(speech, text="Hello", **options) -> float:
    request = SpeechRequest(text=text, voice="", options=options)
    return sum([audio.seconds async for audio in speech.synthesize(request, model=MODEL)])


def replicas(speech) -> Replicas:
    host = speech.manager.instance(MODEL).host
    assert isinstance(host, Replicas)
    return host


async def test_calls_of_one_model_run_side_by_side(make, tmp_path):
    """The engine does one thing at a time, and the one behind is done first."""
    with gate_at(tmp_path / "one") as one, gate_at(tmp_path / "two") as two:
        async with make() as speech, asyncio.timeout(120):
            await speech.load(MODEL)
            assert len(set(replicas(speech).pids)) == 2
            assert speech.manager.instance(MODEL).model.concurrency == 2
            first = asyncio.create_task(say(speech, gate=str(tmp_path / "one"), steps=1))
            second = asyncio.create_task(say(speech, gate=str(tmp_path / "two"), steps=1))
            two.write(b"1")
            assert await second == pytest.approx(0.1)
            assert not first.done()
            one.write(b"1")
            assert await first == pytest.approx(0.1)


async def test_a_death_fails_its_own_calls_and_is_made_good(make, tmp_path):
    with gate_at(tmp_path / "one") as one:
        async with make() as speech, asyncio.timeout(120):
            await speech.load(MODEL)
            host = replicas(speech)
            before = set(host.pids)
            going_on = asyncio.create_task(say(speech, gate=str(tmp_path / "one"), steps=1))
            await asyncio.sleep(0)
            with pytest.raises(WorkerDied):
                await say(speech, "fault:exit")
            assert speech.manager.instance(MODEL).state is ModelState.LOADED
            one.write(b"1")
            assert await going_on == pytest.approx(0.1)
            while len(host.pids) < 2:  # noqa: ASYNC110 - it is replaced in its own time
                await asyncio.sleep(0.05)
            assert len(before & set(host.pids)) == 1
            assert replicas(speech) is host
            assert await asyncio.gather(say(speech), say(speech)) == pytest.approx([0.3, 0.3])


async def test_once_all_have_died_the_model_is_loaded_again(make):
    async with make() as speech, asyncio.timeout(120):
        await speech.load(MODEL)
        host = replicas(speech)
        for pid in host.pids:
            os.kill(pid, signal.SIGKILL)
        await host.ended
        assert await say(speech) == pytest.approx(0.3)
        assert replicas(speech) is not host


async def test_unloading_ends_all_of_them_and_memory_is_theirs_together(make):
    async with make() as speech, asyncio.timeout(120):
        await speech.load(MODEL)
        pids = replicas(speech).pids
        held = sum(psutil.Process(pid).memory_info().rss for pid in pids)
        memory = await replicas(speech).memory()
        assert memory.resident_bytes == pytest.approx(held, rel=0.2)
        assert await speech.manager.unload(MODEL)
        assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_if_one_cannot_be_loaded_none_is(make_speech):
    home = Workers({"faulty/load-raise": 2})
    async with make_speech(home=home) as speech, asyncio.timeout(120):
        with pytest.raises(ModelLoadFailed):
            await speech.load("faulty/load-raise")
        assert not psutil.Process().children(recursive=True)


class FarHost(InProcessHost):
    """Stands for a host on another machine."""

    def __init__(self, load, machine):
        super().__init__(load)
        self._machine = machine

    @property
    def machine(self):
        return self._machine

    async def memory(self, patience_s=None):
        from open_speech._hosts import Memory

        return Memory(resident_bytes=600, device_bytes=0)


class Elsewhere(Home):
    """A home of somebody else's: two machines, which take models in turn."""

    imports_providers = True

    def __init__(self):
        self.made = 0

    def host(self, load, worker, call_timeout_s):
        self.made += 1
        return FarHost(load, f"node-{self.made % 2}")


async def test_each_machine_has_the_budget_for_itself(make_speech):
    """Models of 600 bytes each: the third one is too much for the first machine alone."""
    policy = Policy(memory_budget_bytes=1_000)
    async with make_speech(home=Elsewhere(), policy=policy) as speech:
        for model in ("tone/sine", "tone/plain"):
            await speech.load(model)
        await asyncio.gather(*speech.manager._tasks)
        states = [speech.manager.instance(m).state.value for m in ("tone/sine", "tone/plain")]
        assert states == ["loaded", "loaded"]
        await speech.load("tone/chorus")
        await asyncio.gather(*speech.manager._tasks)
        names = ("tone/sine", "tone/plain", "tone/chorus")
        states = [speech.manager.instance(model).state.value for model in names]
    assert states == ["downloaded", "loaded", "loaded"]
