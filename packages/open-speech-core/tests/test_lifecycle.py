"""Whatever is asked in whatever order, no state is illegal and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import tempfile
import threading
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from open_speech import (
    Config,
    Kind,
    ModelInfo,
    ModelSource,
    OpenSpeech,
    Policy,
    SpeechRequest,
)
from open_speech._hosts import ThisProcess
from open_speech._lifecycle import instance as resident_module
from open_speech._lifecycle.instance import ModelInstance
from open_speech._lifecycle.states import ModelState
from open_speech._operations import SYNTHESIZE
from open_speech.errors import OpenSpeechError
from open_speech.store import DownloadPolicy, Store

# Imported here, as what a download needs is imported by one in ``providers``: Hypothesis moves the
# recursion limit, and CPython 3.11 cannot compile modules on another thread meanwhile.
from open_speech.testing import faulty, tone
from open_speech.testing.hub import FakeHub, Fault, Mode
from open_speech.testing.install import install_provider

S = ModelState
LEGAL = {
    (S.AVAILABLE, S.LOADING), (S.DOWNLOADED, S.LOADING), (S.FAILED, S.LOADING),
    (S.LOADING, S.LOADED), (S.LOADING, S.FAILED),
    (S.LOADED, S.DRAINING), (S.LOADED, S.FAILED),
    (S.DRAINING, S.DOWNLOADED), (S.DRAINING, S.LOADED), (S.DRAINING, S.FAILED),
    # A load that finds no room, or is given up at the end, never began.
    (S.AVAILABLE, S.DOWNLOADED), (S.DOWNLOADED, S.DOWNLOADED), (S.FAILED, S.DOWNLOADED),
    (S.LOADING, S.DOWNLOADED), (S.AVAILABLE, S.FAILED), (S.DOWNLOADED, S.FAILED),
    (S.FAILED, S.FAILED),
    # Files come, fail to come, and go.
    (S.AVAILABLE, S.DOWNLOADING), (S.DOWNLOADED, S.DOWNLOADING), (S.FAILED, S.DOWNLOADING),
    (S.DOWNLOADING, S.DOWNLOADED), (S.DOWNLOADING, S.AVAILABLE), (S.DOWNLOADING, S.FAILED),
    (S.DOWNLOADED, S.AVAILABLE), (S.LOADING, S.AVAILABLE),
    # Files that no model in memory knew of are deleted.
    (S.AVAILABLE, S.AVAILABLE),
}  # fmt: skip
HUB = FakeHub()
MAX_LOADED = 2
STORED = "tone/voices-stored"
MODELS = ["tone/sine", "tone/plain", "faulty/any", "faulty/load-raise", STORED]
models = st.sampled_from(MODELS)


class Holder:
    """A request that keeps its lease until it is told to go."""

    def __init__(self, speech: OpenSpeech, model: str) -> None:
        self.instance = speech.manager.instance(model)
        self.holds = False
        self.leave = asyncio.Event()
        self.task = asyncio.ensure_future(self._run(speech, model))

    async def _run(self, speech: OpenSpeech, model: str) -> None:
        with contextlib.suppress(OpenSpeechError):
            async with speech.manager.lease(model) as lease:
                self.holds = True
                try:
                    await self.leave.wait()
                    if lease.instance.host is not None and model != "faulty/load-raise":
                        request = SpeechRequest(text="a", voice="any")
                        if lease.instance.key.name.startswith("faulty"):
                            async for _ in lease.run(SYNTHESIZE, request):
                                break
                finally:
                    self.holds = False


class Lifecycle(RuleBasedStateMachine):
    """Requests come, go and are cancelled; models are loaded, unloaded, expire and die."""

    holders = Bundle("holders")
    steps = 0
    """Taken by all machines together."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.all: list[Holder] = []
        self.work: list[asyncio.Task[object]] = []
        self.problems: list[str] = []
        self.last: dict[str, ModelState] = {}
        self.patch = mock.patch.object(resident_module, "RESTART_DELAY_S", 0.0)
        self.patch.start()
        self.speech = self.run(self._open())

    async def _open(self) -> OpenSpeech:
        policy = Policy(max_loaded=MAX_LOADED, queue_size=6, load_wait_s=30, drain_timeout_s=30)
        self.folder = tempfile.TemporaryDirectory()
        quick = DownloadPolicy(backoff_s=0.001, tries=2)
        self.store = Store(Path(self.folder.name), endpoint=HUB.url, policy=quick)
        config = Config(
            policy=policy, home=ThisProcess(), providers={"tone", "faulty"}, weights=self.store
        )
        speech = OpenSpeech(config)
        speech.events.publish = self._see  # type: ignore[method-assign]
        return await speech.__aenter__()

    def _see(self, kind: str, model: str | None = None, **data: object) -> None:
        if kind != "state" or model is None:
            return
        after = ModelState(str(data["state"]))
        before = self.last.get(model, S.AVAILABLE)
        if (before, after) not in LEGAL:
            self.problems.append(f"{model}: {before} -> {after}")
        self.last[model] = after

    def run(self, work):
        return self.loop.run_until_complete(work)

    async def _settle(self) -> None:
        """Let what is under way come to its end, unless it waits for a request that stays."""
        patience = 200
        while patience > 0:
            patience -= 50 if self._is_held_up() else 1
            for _ in range(10):
                await asyncio.sleep(0)
            moving = [
                each.loading
                for each in self.speech.manager.instances
                if each.loading and each.state is S.LOADING
            ]
            moving += [each.fetching for each in self.speech.manager.instances if each.fetching]
            closing = list(self.speech.manager._tasks)
            waiting = [*moving, *(task for task in closing if not task.done())]
            if not waiting:
                return
            await asyncio.wait(waiting, timeout=0.02)

    def _is_held_up(self) -> bool:
        instances = self.speech.manager.instances
        return any(each.state is S.DRAINING and each.users for each in instances)

    @rule(target=holders, model=models)
    def request(self, model: str) -> Holder:
        async def begin() -> Holder:
            return Holder(self.speech, model)

        holder = self.run(begin())
        self.all.append(holder)
        return holder

    @rule(holder=consumes(holders))
    def finish(self, holder: Holder) -> None:
        holder.leave.set()

    @rule(holder=consumes(holders))
    def abandon(self, holder: Holder) -> None:
        holder.task.cancel()

    @rule(model=models)
    def load(self, model: str) -> None:
        self._later(self.speech.manager.load(model))

    @rule(model=models, pin=st.booleans())
    def pin(self, model: str, pin: bool) -> None:
        self.speech.manager.instance(model).pinned = pin and model == "tone/sine"

    @rule()
    def download(self) -> None:
        self._later(self.speech.catalog.download(STORED))

    @rule()
    def cancel(self) -> None:
        self._later(self.speech.catalog.cancel(STORED))

    @rule()
    def delete(self) -> None:
        self._later(self.speech.catalog.delete(STORED))

    @rule(seed=st.integers(0, 3))
    def update(self, seed: int) -> None:
        HUB.add(STORED, {"model.bin": random.Random(seed).randbytes(1000)})
        self._later(self.speech.catalog.update(STORED))

    @rule(broken=st.booleans())
    def break_the_hub(self, broken: bool) -> None:
        HUB.heal()
        if broken:
            HUB.fault("*", Fault(Mode.STATUS, status=404))

    @rule(model=models)
    def unload(self, model: str) -> None:
        self._later(self.speech.manager.unload(model))

    @rule(model=models)
    def expire(self, model: str) -> None:
        self._later(self.speech.manager._expire(self.speech.manager.instance(model)))

    @rule(model=models)
    def die(self, model: str) -> None:
        instance = self.speech.manager.instance(model)
        if instance.host and instance.state is S.LOADED:
            instance.host.kill()

    @rule()
    def settle(self) -> None:
        self.run(self._settle())

    def _later(self, work) -> None:
        async def guarded() -> None:
            with contextlib.suppress(OpenSpeechError):
                await work

        self.work.append(self.loop.create_task(guarded()))

    @invariant()
    def nothing_is_illegal(self) -> None:
        Lifecycle.steps += 1
        self.run(asyncio.sleep(0))
        assert self.problems == []
        loaded = 0
        for instance in self.speech.manager.instances:
            held = sum(1 for each in self.all if each.instance is instance and each.holds)
            assert instance.users == held, (instance.key, instance.users, held)
            assert instance.waiting >= 0
            assert instance.free.is_set() == (instance.users == 0)
            loaded += instance.host is not None
            if instance.state is S.LOADED:
                assert instance.host is not None
            if instance.state in (S.AVAILABLE, S.DOWNLOADED, S.FAILED, S.LOADING, S.DOWNLOADING):
                assert instance.host is None
        assert loaded <= MAX_LOADED

    def teardown(self) -> None:
        try:
            self.run(self._end())
        finally:
            self.patch.stop()
            HUB.heal()
            self.folder.cleanup()
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    async def _end(self) -> None:
        for holder in self.all:
            holder.leave.set()
        rest = [*(holder.task for holder in self.all), *self.work]
        self.speech.manager.instance("tone/sine").pinned = False
        if rest:
            done, stuck = await asyncio.wait(rest, timeout=60)
            assert not stuck, [task.get_stack() for task in stuck]
            for task in done:
                if not task.cancelled() and (error := task.exception()):
                    raise error  # errors of ours are answers; anything else is a fault
        await self.speech.manager.close()
        await asyncio.to_thread(self.speech.manager.downloads._threads.shutdown)
        if self.store.is_downloaded(info := self.speech.resolve(STORED).model):
            assert self.store.verify(info) == ()
        for instance in self.speech.manager.instances:
            assert (instance.users, instance.waiting) == (0, 0), instance.key


def is_live(instance: ModelInstance) -> bool:
    return instance.host is not None and not instance.host.ended.done()


@pytest.fixture(scope="module", autouse=True)
def providers():
    """Installed once: Hypothesis makes many machines."""
    with tempfile.TemporaryDirectory() as folder, HUB:
        HUB.add(STORED, {"model.bin": b"weights"})
        for name, module in (("tone", tone), ("faulty", faulty)):
            install_provider(Path(folder), name, module)
        sys.path.insert(0, folder)
        stored = ModelInfo(id=STORED, kind=Kind.TTS, sources=(ModelSource(repo_id=STORED),))
        Store(Path(folder) / "store", endpoint=HUB.url).ensure(stored)
        yield
        sys.path.remove(folder)


def run_machine(examples: int, steps: int, **options: object) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            **options,
        ),
    )


def test_no_order_of_events_breaks_the_lifecycle():
    run_machine(examples=25, steps=40)


@pytest.mark.deep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(20))
def test_a_hundred_thousand_steps(part):
    """In twenty parts, each with other steps than the rest."""
    before = Lifecycle.steps
    while Lifecycle.steps < before + 5_000:
        run_machine(examples=25, steps=100, derandomize=False)


async def test_many_tasks_on_one_model_in_process():
    await _hammer(isolated=False, workers=32, rounds=32)


@pytest.mark.deep
@pytest.mark.timeout(3600)
async def test_thirty_two_times_a_thousand_in_process():
    await _hammer(isolated=False, workers=32, rounds=1024)


@pytest.mark.deep
@pytest.mark.timeout(3600)
async def test_thirty_two_times_sixteen_with_workers():
    await _hammer(isolated=True, workers=32, rounds=16)


async def _hammer(*, isolated: bool, workers: int, rounds: int) -> None:
    """Load, use and unload the same model from all sides; at the end all is accounted for."""
    policy = Policy(queue_size=10_000, load_wait_s=600, drain_timeout_s=600)
    config = Config(policy=policy, home=ThisProcess(), providers={"tone"})
    if isolated:
        from open_speech._hosts import WorkerOptions

        environment = {**os.environ, "PYTHONPATH": sys.path[0]}
        config = Config(
            policy=policy, providers={"tone"}, workers=WorkerOptions(environment=environment)
        )
    async with OpenSpeech(config) as speech:
        used = 0

        async def work(number: int) -> None:
            nonlocal used
            for step in range(rounds):
                match (number + step) % 4:
                    case 0:
                        await speech.manager.load("tone/sine")
                    case 1:
                        await speech.manager.unload("tone/sine")
                    case _:
                        async with speech.manager.lease("tone/sine") as lease:
                            request = SpeechRequest(text="a", voice="low")
                            async for _ in lease.run(SYNTHESIZE, request):
                                used += 1

        await asyncio.gather(*(work(number) for number in range(workers)))
        assert used == workers * rounds // 2
        await speech.manager.load("tone/sine")
        instance = speech.manager.instance("tone/sine")
        assert is_live(instance)
        assert (instance.users, instance.waiting, instance.state) == (0, 0, S.LOADED)
    for thread in threading.enumerate():
        if thread.name == "model-host":
            thread.join(60)
            assert not thread.is_alive()
