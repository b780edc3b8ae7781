"""Workers that crash, hang, print and lie harm nobody but their own requests."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import psutil
import pytest

from open_speech import Audio, OpenSpeech, Policy, SpeechRequest
from open_speech._lifecycle.instance import ModelInstance
from open_speech._lifecycle.states import ModelState
from open_speech.errors import (
    DeadlineExceeded,
    InvalidResult,
    ModelLoadFailed,
    ModelNotReady,
    NotDownloaded,
    OutOfMemory,
    ProviderError,
    WorkerDied,
)
from open_speech.testing.install import install_provider
from open_speech.testing.tone import spoken_seconds

HELLO = SpeechRequest(text="Hello there", voice="")


async def say(speech: OpenSpeech, model: str, text: str = "Hello there", **fields: object) -> float:
    """Seconds of sound."""
    request = SpeechRequest(text=text, voice="", **fields)  # type: ignore[arg-type]
    async with aclosing(speech.synthesize(request, model=model)) as chunks:
        return sum([audio.seconds async for audio in chunks])


@contextmanager
def pipe_at(path: Path) -> Iterator[BinaryIO]:
    """A named pipe, open for both ends."""
    os.mkfifo(path)
    with path.open("r+b", buffering=0) as pipe:
        yield pipe


async def given(instance: ModelInstance, calls: int) -> None:
    """Return once the worker has so many calls: one under way, and another one waiting."""
    async with asyncio.timeout(60):
        while instance.slots.calls.in_use < calls:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


def pid_of(speech: OpenSpeech, model: str) -> int:
    host = speech.manager.instance(model).host
    assert host is not None
    assert host.pid is not None
    return host.pid


@pytest.mark.parametrize("isolated", [True, False])
async def test_speech_arrives_whole_and_in_order(make_speech, isolated):
    async with make_speech(isolated=isolated) as speech:
        request = SpeechRequest(text="one two", voice="", options={"chunk_s": 0.01})
        chunks = [audio async for audio in speech.synthesize(request, model="tone/sine")]
    assert len(chunks) == 36  # the last one is silence that was held back, cut to its length
    samples = np.concatenate([audio.samples for audio in chunks])
    time = np.arange(len(samples)) / 24_000
    np.testing.assert_allclose(samples, 0.5 * np.sin(2 * np.pi * 440 * time), atol=1e-4)


@pytest.mark.parametrize("isolated", [True, False])
async def test_audio_crosses_unchanged(make_speech, isolated):
    samples = np.linspace(-1, 1, 16_000 * 61, dtype=np.float32)
    audio = Audio(samples=samples, sample_rate=16_000)
    async with make_speech(isolated=isolated) as speech:
        result = await speech.transcribe(audio, model="tone/echo")
    assert len(result.segments) == 61
    assert result.segments[0].text == "16000 samples peaking at 1.00"
    assert result.segments[30].text == "16000 samples peaking at 0.02"


async def test_many_results_flow_by_credit(make_speech):
    """More items than the window holds, taken slowly: none is lost and none is kept back."""
    async with make_speech() as speech:
        request = SpeechRequest(text="x" * 40, voice="", options={"chunk_s": 0.005})
        chunks = [audio async for audio in speech.synthesize(request, model="tone/sine")]
    assert len(chunks) == 400


@pytest.mark.parametrize("fault", ["segfault", "exit", "kill", "abort"])
async def test_a_crash_fails_its_own_requests_only(make_speech, fault):
    async with make_speech() as speech:
        await say(speech, "tone/sine")
        others = asyncio.gather(*(say(speech, "tone/sine", "Hello") for _ in range(20)))
        with pytest.raises(WorkerDied) as caught:
            await say(speech, "faulty/any", f"fault:{fault}")
        assert caught.value.model == "faulty/any"
        assert caught.value.retry_after
        assert await others == [spoken_seconds("Hello")] * 20
        # Started again by itself, and it works.
        assert await say(speech, "faulty/any") == pytest.approx(0.3)


async def test_gives_up_after_three_deaths_in_a_minute(make_speech):
    async with make_speech() as speech:
        for _ in range(3):
            with pytest.raises(WorkerDied):
                await say(speech, "faulty/any", "fault:exit")
        with pytest.raises(WorkerDied, match="died 3 times within a minute") as caught:
            await say(speech, "faulty/any")
        assert "status 3" in str(caught.value)
        assert 0 < (caught.value.retry_after or 0) <= 60
        # Somebody who says "load" wants it tried again.
        await speech.manager.load("faulty/any")
        assert await say(speech, "faulty/any") == pytest.approx(0.3)


@pytest.mark.parametrize("model", ["faulty/load-segfault", "faulty/load-exit", "faulty/load-kill"])
async def test_a_crash_while_loading_is_told(make_speech, model):
    async with make_speech() as speech:
        with pytest.raises(WorkerDied):
            await say(speech, model)
        assert await say(speech, "tone/sine") > 0


async def test_out_of_memory_drops_the_model_and_the_next_request_works(make_speech):
    async with make_speech() as speech:
        await say(speech, "faulty/any")
        first = pid_of(speech, "faulty/any")
        with pytest.raises(OutOfMemory):
            await say(speech, "faulty/any", "fault:memory-error")
        assert await say(speech, "faulty/any") == pytest.approx(0.3)
        assert pid_of(speech, "faulty/any") != first


async def test_out_of_memory_while_aligning_drops_the_aligner_alone(make_speech):
    async with make_speech() as speech:
        await say(speech, "tone/plain")
        await speech.load("faulty/hear-memory-error")
        speaking, first = pid_of(speech, "tone/plain"), pid_of(speech, "faulty/hear-memory-error")
        with pytest.raises(OutOfMemory) as caught:
            await say(speech, "tone/plain", word_timestamps=True)
        assert caught.value.model == "faulty/hear-memory-error"
        assert speech.manager.instance("faulty/hear-memory-error").state is not ModelState.LOADED
        assert pid_of(speech, "tone/plain") == speaking
        assert await say(speech, "tone/plain") > 0
        assert pid_of(speech, "tone/plain") == speaking
        await speech.load("faulty/hear-memory-error")
        assert pid_of(speech, "faulty/hear-memory-error") != first


@pytest.mark.parametrize("fault", ["hang", "hang-native", "hang-gil", "spin"])
async def test_a_hang_ends_at_its_deadline(make_speech, fault):
    policy = Policy(call_timeout_s=5.0)
    async with make_speech(policy=policy) as speech:
        await say(speech, "tone/sine")
        hanging = asyncio.create_task(say(speech, "faulty/any", f"fault:{fault}"))
        assert await say(speech, "tone/sine", "Hello") == spoken_seconds("Hello")
        with pytest.raises(DeadlineExceeded, match="no output for 5 s"):
            await hanging
        assert await say(speech, "faulty/any") == pytest.approx(0.3)


@pytest.mark.parametrize("model", ["faulty/load-hang", "faulty/load-hang-gil"])
async def test_a_load_that_hangs_ends_at_its_deadline(make_speech, model):
    async with make_speech(policy=Policy(load_timeout_s=2.0)) as speech:
        with pytest.raises(DeadlineExceeded, match="longer than 2 s"):
            await say(speech, model)
    assert not [child for child in psutil.Process().children(recursive=True) if child.is_running()]


async def test_output_of_an_engine_is_a_log_and_not_the_protocol(make_speech, caplog):
    caplog.set_level("DEBUG", "open_speech.worker")
    async with make_speech() as speech:
        await say(speech, "faulty/any", "fault:shout")
        assert await say(speech, "faulty/any") == pytest.approx(0.3)
    assert any("faulty/any" in record.getMessage() for record in caplog.records)


async def test_what_an_engine_forked_ends_with_its_worker(make_speech):
    async with make_speech() as speech:
        await say(speech, "faulty/any", "fault:fork")
        worker = psutil.Process(pid_of(speech, "faulty/any"))
        forked = worker.children(recursive=True)
        assert forked
        await speech.manager.unload("faulty/any")
        _, alive = psutil.wait_procs(forked, timeout=20)
        assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize(
    "model",
    ["nan", "infinite", "int16", "float64", "two-dimensional", "rate-zero", "rate-changes",
     "negative-times", "bytes", "number", "not-an-iterator", "endless", "endless-empty"],
)  # fmt: skip
async def test_results_that_break_the_contract_are_refused(make_speech, model):
    async with make_speech() as speech:
        with pytest.raises(InvalidResult) as caught:
            await say(speech, f"faulty/{model}")
        assert caught.value.model == f"faulty/{model}"
        # The worker lives: the fault was in what it said.
        assert await say(speech, f"faulty/{model}", options={"fault": "", "steps": 1}) > 0


@pytest.mark.parametrize("fault", ["raise", "system-exit"])
async def test_an_engine_that_raises_fails_its_request_only(make_speech, fault):
    async with make_speech() as speech:
        await say(speech, "faulty/any")
        first = pid_of(speech, "faulty/any")
        with pytest.raises(ProviderError) as caught:
            await say(speech, "faulty/any", f"fault:{fault}")
        assert "Traceback" in (caught.value.detail or "")
        assert pid_of(speech, "faulty/any") == first


async def test_a_load_that_raises_says_why(make_speech):
    async with make_speech() as speech:
        with pytest.raises(ModelLoadFailed) as caught:
            await say(speech, "faulty/load-raise")
        assert caught.value.provider == "faulty"


@pytest.mark.parametrize("isolated", [True, False])
async def test_closing_the_stream_stops_the_engine(make_speech, tmp_path, isolated):
    record, gate = tmp_path / "record", tmp_path / "gate"
    os.mkfifo(gate)
    options = {"record": str(record), "gate": str(gate), "steps": 1000}
    async with make_speech(isolated=isolated) as speech:
        request = SpeechRequest(text="Hello", voice="", options=options)
        chunks = speech.synthesize(request, model="faulty/any")
        opened = asyncio.to_thread(open, gate, "wb", buffering=0)
        first = asyncio.ensure_future(anext(chunks))
        with await opened as pipe:
            pipe.write(b"1")
            await first
            closing = asyncio.ensure_future(chunks.aclose())
            await asyncio.sleep(0)  # the cancellation is on its way before the next step is let go
            while not closing.done():
                await asyncio.to_thread(_step, gate, pipe)
                await asyncio.wait({closing}, timeout=0.05)
        lines = record.read_text().split("\n")
        assert "finally" in lines
        assert sum(line.startswith("step") for line in lines) < 100
        # The slot is free again.
        assert await say(speech, "faulty/any", options={"steps": 1}) == pytest.approx(0.1)


def _step(gate: Path, pipe) -> None:
    with suppress(BrokenPipeError):
        pipe.write(b"1")


async def test_an_engine_goes_on_without_waiting_for_us(make_speech, tmp_path):
    """The next call is at the worker already: a loop that is busy elsewhere keeps nobody idle."""
    with pipe_at(tmp_path / "gate") as gate, pipe_at(tmp_path / "record") as record:
        async with make_speech() as speech, asyncio.TaskGroup() as group:
            instance = await speech.manager.load("faulty/any")
            first = {"gate": str(tmp_path / "gate"), "steps": 1}
            group.create_task(say(speech, "faulty/any", options=first))
            await given(instance, 1)
            second = {"record": str(tmp_path / "record"), "steps": 1}
            group.create_task(say(speech, "faulty/any", options=second))
            await given(instance, 2)
            gate.write(b"1")
            # The loop stands still here.
            assert select.select([record], [], [], 60)[0]
            assert record.readline() == b"step 0\n"


async def test_a_call_that_leaves_before_its_turn_is_gone_at_once(make_speech, tmp_path):
    with pipe_at(tmp_path / "gate") as gate:
        async with make_speech() as speech:
            instance = await speech.manager.load("faulty/any")
            gated = {"gate": str(tmp_path / "gate"), "steps": 1}
            running = asyncio.create_task(say(speech, "faulty/any", options=gated))
            await given(instance, 1)
            leaving = asyncio.create_task(say(speech, "faulty/any"))
            await given(instance, 2)
            leaving.cancel()
            async with asyncio.timeout(60):
                await asyncio.wait({leaving})
            assert not running.done()
            assert not instance.slots.calls.locked()
            gate.write(b"1")
            assert await running == pytest.approx(0.1)


async def test_waiting_for_a_turn_is_no_hang(make_speech, tmp_path):
    """The deadline is for each result of the call that runs; the next one's begins with it."""
    with pipe_at(tmp_path / "gate") as gate:
        async with make_speech(policy=Policy(call_timeout_s=6)) as speech:
            pid = (await speech.manager.load("faulty/any")).host.pid
            gated = {"gate": str(tmp_path / "gate"), "steps": 4}
            running = asyncio.create_task(say(speech, "faulty/any", options=gated))
            waiting = asyncio.create_task(say(speech, "faulty/any"))
            for _ in range(4):
                await asyncio.sleep(2)  # time that passes, with a result each time
                gate.write(b"1")
            assert await running == pytest.approx(0.4)
            assert await waiting == pytest.approx(0.3)
            assert pid_of(speech, "faulty/any") == pid


async def test_workers_are_spawned_with_our_interpreter(make_speech):
    async with make_speech() as speech:
        await say(speech, "tone/sine")
        worker = psutil.Process(pid_of(speech, "tone/sine"))
        assert worker.exe() == psutil.Process().exe()
        # A fork would share our command line.
        assert "open_speech._worker.process" in " ".join(worker.cmdline())
        assert worker.num_fds() < 20


async def test_a_worker_measures_its_memory(make_speech):
    async with make_speech() as speech:
        await say(speech, "tone/sine")
        [status] = [each for each in await speech.models() if each.id == "tone/sine"]
        assert status.memory is not None
        rss = psutil.Process(pid_of(speech, "tone/sine")).memory_info().rss
        assert status.memory.resident_bytes == pytest.approx(rss, rel=0.2)


_COUNTING = """
from open_speech import hookimpl
from open_speech.testing.tone import ToneBackend, ToneModel


class CountingModel(ToneModel):
    counts = 0

    def device_memory_bytes(self):
        self.counts += 1
        with open(self._options["gate"], "rb") as gate:
            gate.read(1)
        return self.counts


class CountingBackend(ToneBackend):
    def load(self, model, context):
        return CountingModel(model, context.options)


@hookimpl
def open_speech_backends():
    return [CountingBackend()]
"""


async def test_a_late_measure_is_no_answer_to_the_next(make_speech, site, tmp_path, monkeypatch):
    install_provider(site, "counting", _COUNTING)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    config = {"providers": ["counting"], "options": {"counting": {"gate": str(gate)}}}
    async with make_speech(install=(), **config) as speech:
        host = (await speech.manager.load("tone/sine")).host
        with monkeypatch.context() as impatient:
            impatient.setattr("open_speech._hosts.host.MEASURE_TIMEOUT_S", 0.05)
            assert (await host.memory()).device_bytes == 0
        await asyncio.to_thread(gate.write_bytes, b"1")
        await say(speech, "tone/sine")  # what comes after the late answer on the same wire
        monkeypatch.setattr("open_speech._hosts.host.MEASURE_TIMEOUT_S", 60.0)
        measuring = asyncio.ensure_future(host.memory())
        await asyncio.to_thread(gate.write_bytes, b"1")
        assert (await measuring).device_bytes == 2


async def test_a_list_does_not_wait_for_a_busy_engine(make_speech, site, tmp_path, monkeypatch):
    install_provider(site, "counting", _COUNTING)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    config = {"providers": ["counting"], "options": {"counting": {"gate": str(gate)}}}
    monkeypatch.setattr("open_speech._hosts.host.MEASURE_TIMEOUT_S", 600.0)
    async with make_speech(install=(), **config) as speech, asyncio.timeout(60):
        await speech.manager.load("tone/sine")
        [status] = [each for each in await speech.models() if each.id == "tone/sine"]
        assert status.memory is not None
        assert status.memory.resident_bytes > 0
        assert (await speech.catalog.status("tone/sine")).memory is not None
        await asyncio.to_thread(gate.write_bytes, b"1")  # it can be closed


async def test_unloading_ends_the_process(make_speech):
    async with make_speech() as speech:
        await say(speech, "tone/sine")
        pid = pid_of(speech, "tone/sine")
        assert await speech.manager.unload("tone/sine")
        assert not psutil.pid_exists(pid)
        assert not await speech.manager.unload("tone/sine")


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's parent death signal")
def test_a_worker_never_outlives_its_server(site, environment, tmp_path):
    """Killed, not closed; and the worker's engine holds the GIL all the while."""
    import subprocess

    install_provider(site, "faulty", "open_speech.testing.faulty")
    script = tmp_path / "server.py"
    script.write_text(_SERVER)
    server = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert server.stdout is not None
    with server:
        worker = psutil.Process(int(server.stdout.readline()))
        server.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs([worker], timeout=20)
    assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE], gone


_SERVER = """
import asyncio
from open_speech import OpenSpeech, SpeechRequest
from open_speech._operations import SYNTHESIZE

async def main():
    async with OpenSpeech() as speech:
        async with speech.manager.lease("faulty/any") as lease:
            print(lease.instance.host.pid, flush=True)
            request = SpeechRequest(text="fault:hang-gil", voice="any")
            async for _ in lease.run(SYNTHESIZE, request):
                pass

asyncio.run(main())
"""


async def test_a_worker_that_freezes_while_idle_is_replaced(make_speech, monkeypatch):
    monkeypatch.setattr("open_speech._hosts.subprocess.HEARTBEAT_S", 0.1)
    monkeypatch.setattr("open_speech._hosts.subprocess.SILENCE_S", 1.0)
    async with make_speech() as speech, asyncio.timeout(60):
        await say(speech, "tone/sine")
        frozen = pid_of(speech, "tone/sine")
        os.kill(frozen, signal.SIGSTOP)
        with pytest.raises(WorkerDied, match="did not answer for 1 s"):
            await say(speech, "tone/sine")
        assert not psutil.pid_exists(frozen)
        assert await say(speech, "tone/sine", "Hello") == spoken_seconds("Hello")
        assert pid_of(speech, "tone/sine") != frozen


async def test_a_worker_whose_engine_computes_is_left_alone(make_speech, monkeypatch):
    monkeypatch.setattr("open_speech._hosts.subprocess.HEARTBEAT_S", 0.1)
    monkeypatch.setattr("open_speech._hosts.subprocess.SILENCE_S", 0.3)
    async with make_speech(policy=Policy(call_timeout_s=4.0)) as speech, asyncio.timeout(60):
        with pytest.raises(DeadlineExceeded, match="no output for 4 s"):
            await say(speech, "faulty/any", "fault:hang-gil")


@pytest.mark.parametrize("stop", ["unload", "cancel", "delete"])
async def test_a_load_that_hangs_can_be_stopped(make_speech, stop):
    model = "faulty/load-hang-gil"
    async with make_speech() as speech, asyncio.timeout(60):
        before = set(psutil.Process().children())
        loading = asyncio.create_task(say(speech, model))
        while not (  # noqa: ASYNC110 - nobody tells when a process starts
            speech.manager.instance(model).state is ModelState.LOADING
            and (new := set(psutil.Process().children()) - before)
        ):
            await asyncio.sleep(0.01)
        work = {
            "unload": speech.manager.unload,
            "cancel": speech.catalog.cancel,
            "delete": speech.catalog.delete,
        }[stop]
        with suppress(NotDownloaded):  # it has no files
            await work(model)
        with pytest.raises(ModelNotReady, match="was cancelled"):
            await loading
        assert not any(worker.is_running() for worker in new)
        assert (await speech.catalog.status(model)).state is ModelState.DOWNLOADED
