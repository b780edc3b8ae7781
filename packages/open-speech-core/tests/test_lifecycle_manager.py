"""One lifecycle for every model, and the machine behind it."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack, aclosing

import pytest

from open_speech import Defaults, Policy, SpeechRequest
from open_speech._lifecycle.states import ModelState
from open_speech._synthesis.utterances import Utterance
from open_speech.errors import (
    Busy,
    InvalidRequest,
    ModelLoadFailed,
    ModelNotReady,
    ShuttingDown,
)
from open_speech.testing.hostile import provider_source
from open_speech.testing.install import install_provider

HELLO = SpeechRequest(text="Hello", voice="")


async def say(speech, model: str, **fields) -> float:
    request = SpeechRequest(text="Hello", voice="", **fields)
    async with aclosing(speech.synthesize(request, model=model)) as chunks:
        return sum([audio.seconds async for audio in chunks])


def state(speech, model: str) -> ModelState:
    return speech.manager.instance(model).state


@pytest.fixture
def record(tmp_path, environment):
    """A file in which the faulty provider notes each load."""
    file = tmp_path / "record"
    environment["OPEN_SPEECH_FAULTY_RECORD"] = str(file)
    return file


def loads(record) -> int:
    return record.read_text().split("\n").count("load") if record.exists() else 0


async def test_a_hundred_requests_for_one_cold_model_load_it_once(make_speech, record):
    policy = Policy(queue_size=200)
    async with make_speech(policy=policy) as speech:
        spoken = await asyncio.gather(*(say(speech, "faulty/any") for _ in range(100)))
    assert spoken == pytest.approx([0.3] * 100)
    assert loads(record) == 1


async def test_a_failed_load_leaves_nothing_and_the_next_try_works(
    make_speech, tmp_path, environment, record
):
    environment["OPEN_SPEECH_FAULTY_STATE"] = str(tmp_path / "state")
    async with make_speech() as speech:
        model = "faulty/load-fails-first"
        with pytest.raises(ModelLoadFailed, match=r"failed to load for the 1\. time"):
            await say(speech, model)
        instance = speech.manager.instance(model)
        assert instance.state is ModelState.FAILED
        assert "1. time" in str(instance.error)
        assert instance.host is None
        assert await say(speech, model) == pytest.approx(0.3)
        assert instance.error is None
        assert instance.state is ModelState.LOADED


async def test_a_failed_reload_leaves_the_old_one_serving(make_speech, environment):
    async with make_speech() as speech:
        await speech.manager.load("faulty/any")
        pid = speech.manager.instance("faulty/any").host.pid
        environment["OPEN_SPEECH_FAULTY_LOAD_FAULT"] = "load-raise"
        with pytest.raises(ModelLoadFailed):
            await speech.manager.load("faulty/any", compute_type="int8")
        assert speech.manager.instance("faulty/any").host.pid == pid
        assert await say(speech, "faulty/any") == pytest.approx(0.3)
        del environment["OPEN_SPEECH_FAULTY_LOAD_FAULT"]
        instance = await speech.manager.load("faulty/any", compute_type="int8")
        assert instance.host.pid != pid
        assert instance.compute_type == "int8"


async def test_whoever_waits_for_a_load_hears_of_the_end(make_speech):
    async with make_speech() as speech:
        instance = speech.manager.instance("faulty/load-hang")
        waiting = asyncio.create_task(say(speech, "faulty/load-hang"))
        async with asyncio.timeout(60):
            while instance.state is not ModelState.LOADING:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
    with pytest.raises(ShuttingDown):
        await waiting
    assert instance.loading is None
    assert instance.host is None


async def test_a_reload_lets_the_old_one_finish_what_it_has(make_speech, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with make_speech() as speech:
        instance = await speech.manager.load("faulty/any")
        old = instance.host
        opening = asyncio.create_task(asyncio.to_thread(open, gate, "wb", buffering=0))
        using = asyncio.create_task(say(speech, "faulty/any", options={"gate": str(gate)}))
        with await opening as pipe:
            following = asyncio.create_task(say(speech, "faulty/any"))
            async with asyncio.timeout(60):
                while not instance.slots.calls.locked():  # noqa: ASYNC110 - until it is at the worker
                    await asyncio.sleep(0)
            waiting = asyncio.create_task(say(speech, "faulty/any"))
            instance = await speech.manager.load("faulty/any", compute_type="int8")
            assert instance.host is not old
            assert not old.ended.done()
            # New ones need not wait for the old one's.
            assert await say(speech, "faulty/any") == pytest.approx(0.3)
            async with instance.slots.calls, instance.slots.calls:
                pipe.write(b"111")
                assert await using == pytest.approx(0.3)
                assert await following == pytest.approx(0.3)
                async with asyncio.timeout(60):
                    await old.ended
                # Whoever waited for the old one waits for the new one now.
                assert not waiting.done()
        assert await waiting == pytest.approx(0.3)


async def test_two_models_in_room_for_one_take_turns(make_speech):
    async with make_speech(policy=Policy(max_loaded=1, load_wait_s=120)) as speech:
        models = ["faulty/any", "tone/sine"] * 5
        spoken = await asyncio.gather(*(say(speech, model) for model in models))
        assert spoken == pytest.approx([0.3, 0.25] * 5)
        loaded = [each for each in speech.manager.instances if each.host]
        assert len(loaded) == 1


async def test_the_defaults_are_evicted_last(make_speech):
    async with make_speech(policy=Policy(max_loaded=2)) as speech:
        await speech.manager.load("tone/sine", default=True)
        await say(speech, "faulty/any")  # more recently used than the default
        await say(speech, "tone/plain")
        assert state(speech, "tone/sine") is ModelState.LOADED
        assert state(speech, "faulty/any") is ModelState.DOWNLOADED


async def test_the_least_recently_used_goes_first(make_speech):
    async with make_speech(policy=Policy(max_loaded=2)) as speech:
        await say(speech, "tone/sine")
        await say(speech, "tone/plain")
        await say(speech, "tone/sine")
        await say(speech, "tone/chorus")
        assert state(speech, "tone/plain") is ModelState.DOWNLOADED
        assert state(speech, "tone/sine") is ModelState.LOADED


async def test_a_wait_for_room_is_bounded(make_speech):
    policy = Policy(max_loaded=1, load_wait_s=0.5)
    async with make_speech(policy=policy) as speech:
        await speech.manager.load("tone/sine")
        async with speech.manager.lease("tone/sine"):
            with pytest.raises((ModelNotReady, Busy)) as caught:
                await say(speech, "tone/plain")
            assert caught.value.retry_after
        await speech.manager.load("tone/sine")
        assert await say(speech, "tone/sine") > 0


async def test_pinned_models_are_never_evicted(make_speech):
    async with make_speech(policy=Policy(max_loaded=1)) as speech:
        await speech.manager.load("tone/sine", pin=True)
        with pytest.raises(Busy, match="pinned"):
            await say(speech, "tone/plain")
        assert state(speech, "tone/sine") is ModelState.LOADED
        await speech.manager.load("tone/sine", pin=False)
        assert await say(speech, "tone/plain") > 0


async def test_pinning_is_told_to_everybody(make_speech):
    async with make_speech() as speech:
        await speech.manager.load("tone/sine")
        with speech.events.listen() as events:
            speech.manager.pin("tone/sine")
            speech.manager.pin("tone/sine", pinned=False)
            await speech.manager.load("tone/sine", pin=True)
            await speech.manager.load("tone/sine")  # says nothing of pins
            told = [events.get_nowait() for _ in range(events.qsize())]
        assert [(each.kind, each.model) for each in told] == [("pinned", "tone/sine")] * 3
        assert [each.data["pinned"] for each in told] == [True, False, True]


async def test_an_unused_model_goes_by_the_monotonic_clock(make_speech, monkeypatch):
    async with make_speech(policy=Policy(ttl_s=3600)) as speech:
        await say(speech, "tone/sine")
        instance = speech.manager.instance("tone/sine")
        for jump in (-3600 * 24, 3600 * 24):
            wall = time.time
            monkeypatch.setattr(time, "time", lambda: wall() + jump)  # noqa: B023
            assert speech.manager.instances.expired(3600) == []
            assert 3500 < instance.expires_in(3600) <= 3600
            monkeypatch.undo()
        # What does count is the time since the last use.
        instance.last_used -= 3601
        assert speech.manager.instances.expired(3600) == [instance]


async def test_an_unused_model_is_unloaded(make_speech):
    async with make_speech(policy=Policy(ttl_s=0.2)) as speech:
        with speech.events.listen() as events:
            await say(speech, "tone/sine")
            seen = []
            async with asyncio.timeout(60):
                while not seen or seen[-1] != "downloaded":
                    seen.append((await events.get()).data.get("state"))
        assert seen[-2:] == ["draining", "downloaded"]


async def test_keep_alive_overrides_the_policy(make_speech):
    async with make_speech(policy=Policy(ttl_s=3600)) as speech:
        async with speech.manager.lease("tone/sine", keep_alive_s=-1) as lease:
            pass
        assert lease.instance.expires_in(3600) is None
        with speech.events.listen() as events:
            async with speech.manager.lease("tone/sine", keep_alive_s=0):
                pass
            async with asyncio.timeout(60):
                while lease.instance.state is not ModelState.DOWNLOADED:
                    await events.get()


async def test_devices_and_revisions_are_models_of_their_own(make_speech):
    async with make_speech() as speech:
        keys = {
            speech.manager.instance(name, device).key
            for name in ("tone/sine", "tone/sine@abc", "tone:tone/sine")
            for device in ("cpu", "cuda:1")
        }
    assert len(keys) == 4


async def test_unload_waits_for_those_who_use_the_model(make_speech, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with make_speech() as speech:
        opening = asyncio.create_task(asyncio.to_thread(open, gate, "wb", buffering=0))
        using = asyncio.create_task(say(speech, "faulty/any", options={"gate": str(gate)}))
        with await opening as pipe:
            drainer = asyncio.create_task(speech.manager.unload("faulty/any"))
            await asyncio.sleep(0)
            assert state(speech, "faulty/any") is ModelState.DRAINING
            # Whoever comes meanwhile has it loaded again afterwards.
            later = asyncio.create_task(say(speech, "faulty/any"))
            await asyncio.sleep(0)
            assert not drainer.done()
            pipe.write(b"111")
            assert await using == pytest.approx(0.3)
        assert await drainer
        assert await later == pytest.approx(0.3)


async def test_unload_gives_up_when_a_model_stays_in_use(make_speech):
    async with make_speech(policy=Policy(drain_timeout_s=0.1)) as speech:
        async with speech.manager.lease("tone/sine"):
            with pytest.raises(Busy, match="still in use"):
                await speech.manager.unload("tone/sine")
            assert state(speech, "tone/sine") is ModelState.LOADED
        assert await say(speech, "tone/sine") > 0


async def test_the_queue_is_bounded(make_speech):
    async with make_speech(policy=Policy(queue_size=3)) as speech, AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(speech.manager.lease("tone/sine"))
        with pytest.raises(Busy, match="3 requests") as caught:
            await say(speech, "tone/sine")
        assert caught.value.retry_after
        assert await say(speech, "tone/plain") > 0


async def test_a_cold_model_that_takes_long_answers_not_ready_and_goes_on(
    make_speech, tmp_path, environment
):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    environment["OPEN_SPEECH_FAULTY_LOAD_GATE"] = str(gate)
    async with make_speech(policy=Policy(load_wait_s=0.1)) as speech:
        model = "faulty/load-waits"
        with pytest.raises(ModelNotReady) as caught:
            await say(speech, model)
        assert caught.value.retry_after
        pipe = await asyncio.to_thread(open, gate, "wb", buffering=0)
        with pipe:
            pipe.write(b"1")
            instance = await speech.manager.load(model)
        assert instance.state is ModelState.LOADED
        assert await say(speech, model) == pytest.approx(0.3)


async def test_after_closing_no_work_is_taken(make_speech):
    async with make_speech() as speech:
        await say(speech, "tone/sine")
    with pytest.raises(ShuttingDown):
        await say(speech, "tone/sine")


async def test_speech_is_shared_sentence_by_sentence(make_speech):
    """Two long texts on a model that takes one call at a time: neither waits for the other."""
    order: list[str] = []
    sentences = lambda request, _: [Utterance(text=text) for text in request.text.split("|")]  # noqa: E731

    async def read(name: str) -> None:
        request = SpeechRequest(text="|".join(["word"] * 6), voice="", options={"chunk_s": 60})
        async for _ in speech.synthesize(request, model="tone/sine"):
            order.append(name)  # noqa: PERF401 - the two readers share the list

    async with make_speech(prepare=sentences) as speech:
        await speech.manager.load("tone/sine")
        await asyncio.gather(read("a"), read("b"))
    assert min(order.count("a"), order.count("b")) >= 6
    # Without sharing, six of one would come before the first of the other.
    assert "b" in order[:4]
    assert "a" in order[-4:] or "b" in order[:2]


async def test_a_configured_device_that_is_absent_falls_back_and_a_requested_one_does_not(
    make_speech, site, caplog
):
    """The provider declares the device, as good ones do; only the machine lacks it."""
    body = """
    def load(self, model, context):
        from open_speech.errors import InvalidRequest
        if context.device != "cpu":
            raise InvalidRequest("There is no such device here.", param="device")
        if context.compute_type == "float16":
            raise InvalidRequest("There is no float16 here.", param="compute_type")
        return super().load(model, context)
"""
    answer = (
        "return [type('Picky', (MadeBackend,), {'list_available': lambda self: ["
        "replace(MadeBackend.list_available(self)[0], devices=('cpu', 'cuda'),"
        " compute_types=('int8', 'float16'))]})()]"
    )
    install_provider(site, "picky", provider_source("picky", body=body, answer=answer))
    defaults = Defaults(models=("picky/tone",), device="cuda", compute_type="float16")
    async with make_speech(install=(), providers={"picky"}, tts=defaults) as speech:
        assert await say(speech, "picky/tone") > 0
        [status] = [each for each in await speech.models() if each.id == "picky/tone"]
        assert (status.device, status.compute_type) == ("cpu", None)
        assert caplog.text.count("own choice is used") == 2
        await speech.manager.unload("picky/tone")
        with pytest.raises(InvalidRequest, match="no such device"):
            await speech.load("picky/tone", device="cuda")


@pytest.mark.parametrize("again", [None, 0.0, 60.0])
async def test_a_model_that_was_to_be_unloaded_at_once_can_be_loaded(make_speech, again):
    async with make_speech() as speech, asyncio.timeout(60):
        with speech.events.listen() as events:
            first = await speech.manager.load("tone/sine", keep_alive_s=0)
            while first.state is ModelState.LOADED:
                await events.get()
        instance = await speech.manager.load("tone/sine", keep_alive_s=again)
        assert instance.keep_alive_s == again
