"""Weights on their way: fetched once for all, cancelled, moved; and what a request hears."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from open_speech import Policy, SpeechRequest
from open_speech._lifecycle.states import ModelState
from open_speech._operations import SYNTHESIZE
from open_speech.errors import (
    DownloadCancelled,
    InvalidRequest,
    ModelInUse,
    ModelLoadFailed,
    ModelNotFound,
    ModelNotReady,
    NotDownloaded,
    OpenSpeechError,
    ShuttingDown,
)
from open_speech.store import DownloadPolicy, Store
from open_speech.testing.hub import FakeHub, Fault, Mode, fake_hub

hub = pytest.fixture(fake_hub, name="hub")
MODEL = "tone/voices-a"
SIZE = 300_000


@pytest.fixture
def store(hub: FakeHub, tmp_path: Path) -> Store:
    hub.add(MODEL, weights(1))
    return Store(tmp_path / "models", endpoint=hub.url, policy=DownloadPolicy(backoff_s=0.001))


@pytest.fixture
def speaking(make_speech, store):
    """``speaking(**config)``: a service in this process with a store."""
    return lambda **config: make_speech(weights=store, isolated=False, **config)


@pytest.fixture
def gate(hub: FakeHub):
    """Set it to let downloads go on beyond their first bytes."""
    gate = threading.Event()
    hub.on_block = lambda _key, _sent: gate.wait(120) and None
    yield gate
    gate.set()


def weights(seed: int) -> dict[str, bytes]:
    return {"config.json": b"{}", "model.bin": random.Random(seed).randbytes(SIZE)}


async def say(speech, model: str = MODEL) -> float:
    request = SpeechRequest(text="Hello", voice="")
    async with aclosing(speech.synthesize(request, model=model)) as chunks:
        return sum([audio.seconds async for audio in chunks])


async def until(events, **wanted: object) -> list[dict[str, object]]:
    """What happened, up to the first event that has these fields."""
    seen: list[dict[str, object]] = []
    async with asyncio.timeout(60):
        while not seen or not wanted.items() <= seen[-1].items():
            news = await events.get()
            seen.append({"kind": news.kind, "model": news.model, **news.data})
    return seen


async def test_whoever_wants_it_shares_one_download(speaking, hub):
    async with speaking(policy=Policy(queue_size=100)) as speech:
        wanted = [say(speech) for _ in range(20)]
        wanted += [speech.catalog.download(MODEL) for _ in range(20)]
        wanted += [speech.manager.load(MODEL) for _ in range(20)]
        await asyncio.gather(*wanted)
    assert len(hub.gets(f"{MODEL}/model.bin")) == 1


async def test_a_download_goes_on_without_whoever_asked_for_it(speaking, hub, gate):
    async with speaking() as speech:
        with speech.events.listen() as events:
            asking = asyncio.create_task(speech.catalog.download(MODEL))
            await until(events, state="downloading")
            asking.cancel()
            gate.set()
            await until(events, state="downloaded")
        assert await say(speech) > 0
    assert len(hub.gets(f"{MODEL}/model.bin")) == 1


async def test_cancelling_reaches_all_who_wait_and_the_next_try_works(speaking, gate):
    async with speaking() as speech:
        with speech.events.listen() as events:
            waiting = [asyncio.create_task(say(speech)) for _ in range(3)]
            waiting.append(asyncio.create_task(speech.catalog.download(MODEL)))
            await until(events, kind="progress")
            assert await speech.catalog.cancel(MODEL) is True
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [DownloadCancelled] * 4
        instance = speech.manager.instance(MODEL)
        assert (instance.state, instance.error) == (ModelState.AVAILABLE, None)
        assert await speech.catalog.cancel(MODEL) is False
        gate.set()
        assert await say(speech) > 0


async def test_a_failed_download_says_so(speaking, hub):
    hub.fault("*", Fault(Mode.STATUS, status=404))
    async with speaking() as speech:
        with pytest.raises(OpenSpeechError) as caught:
            await say(speech)
        found = await speech.catalog.status(MODEL)
        assert (found.state, found.error) == (ModelState.FAILED, str(caught.value))
        hub.heal()
        assert await say(speech) > 0
        assert (await speech.catalog.status(MODEL)).error is None


async def test_a_request_that_waited_long_hears_how_far_it_is(speaking, gate):
    async with speaking(policy=Policy(load_wait_s=5.0)) as speech:
        with pytest.raises(ModelNotReady) as caught:
            await say(speech)
        assert f"of {SIZE + 2} bytes" in caught.value.message
        assert "%" in caught.value.message
        assert 5 <= caught.value.retry_after <= 60
        gate.set()
        await speech.manager.load(MODEL)


async def test_closing_stops_downloads(speaking, gate):
    async with speaking() as speech:
        with speech.events.listen() as events:
            asking = asyncio.create_task(speech.catalog.download(MODEL))
            await until(events, kind="progress")
            stop = speech.manager.instance(MODEL).stop_download
    assert stop.is_set()
    with pytest.raises(ShuttingDown):
        await asking
    with pytest.raises(ShuttingDown):
        await speech.catalog.download(MODEL)


async def test_without_a_store_models_with_files_are_refused(make_speech):
    async with make_speech(isolated=False) as speech:
        with pytest.raises(ModelLoadFailed, match="no weight store"):
            await say(speech)
        assert await say(speech, "tone/sine") > 0


async def test_of_updates_at_once_one_moves(speaking, hub, store):
    async with speaking() as speech:
        await speech.catalog.download(MODEL)
        hub.add(MODEL, weights(2))
        moved = await asyncio.gather(*(speech.catalog.update(MODEL) for _ in range(8)))
        assert sorted(moved) == [False] * 7 + [True]
        assert speech.manager.instance(MODEL).fetching is None


async def test_an_update_loads_anew_beside_the_old_one(speaking, hub, store):
    async with speaking() as speech:
        old = (await speech.manager.load(MODEL)).host
        assert await speech.catalog.update(MODEL) is False
        assert speech.manager.instance(MODEL).host is old
        moved = hub.add(MODEL, weights(2))
        with speech.events.listen() as events:
            assert await speech.catalog.update(MODEL) is True
            seen = await until(events, kind="reloaded")
        assert "state" not in {event["kind"] for event in seen}  # it served all the while
        instance = speech.manager.instance(MODEL)
        assert instance.host is not old
        assert (await speech.catalog.status(MODEL)).revision == moved
        async with asyncio.timeout(60):
            await old.ended
        assert await say(speech) > 0


async def test_a_model_fixed_by_its_name_does_not_move(speaking, hub, store):
    first = hub.repository(MODEL).refs["main"]
    hub.add(MODEL, weights(2))
    async with speaking() as speech:
        fixed = f"{MODEL}@{first}"
        await speech.manager.load(fixed)
        assert (await speech.catalog.status(fixed)).revision == first
        with pytest.raises(InvalidRequest, match="fixed"):
            await speech.catalog.update(fixed)
        assert await speech.catalog.update("tone/sine") is False  # it has no files


class TestLibrary:
    """What there is."""

    async def test_what_is_on_disk_is_listed_though_no_catalogue_has_it(self, speaking, store):
        async with speaking() as speech:
            await speech.catalog.download(MODEL)
        async with speaking() as speech:
            found = {status.id: status for status in await speech.models()}
            assert found[MODEL].state is ModelState.DOWNLOADED
            assert found[MODEL].disk_bytes == SIZE + 2
            assert found["tone/sine"].state is ModelState.DOWNLOADED

    async def test_looking_at_a_model_changes_nothing(self, speaking, store):
        async with speaking() as speech:
            speech.manager.instance("tone/sine")
            speech.manager.instance(MODEL)
            found = {status.id: status.state for status in await speech.models()}
            assert found["tone/sine"] is ModelState.DOWNLOADED
            assert found[MODEL] is ModelState.AVAILABLE
            ours = speech.resolve(MODEL).model
            await asyncio.to_thread(store.ensure, ours)  # another process, say
            assert (await speech.catalog.status(MODEL)).state is ModelState.DOWNLOADED

    async def test_the_list_says_of_each_model_what_its_own_status_says(self, speaking, store):
        async with speaking() as speech:
            await speech.catalog.download(MODEL)
            commit = store.revision(speech.resolve(MODEL).model)
            fixed = f"{MODEL}@{commit}"  # the commit that is here anyway
            other = f"{MODEL}@v1"
            for name in (fixed, other):
                speech.manager.instance(name)
            found = {status.id: status for status in await speech.models(measure=False)}
            assert found.keys() >= {MODEL, fixed, other, "tone/sine"}
            for name, status in found.items():
                assert status == await speech.catalog.status(name)
            assert found[fixed].state is ModelState.DOWNLOADED
            assert found[fixed].revision == found[MODEL].revision == commit
            assert found[other].state is ModelState.AVAILABLE

    async def test_what_nobody_touched_is_worked_out_once(self, speaking, store):
        async with speaking() as speech:
            first = {status.id: status for status in await speech.models()}
            again = {status.id: status for status in await speech.models()}
            assert again["tone/sine"] is first["tone/sine"]
            speech.manager.pin("tone/sine")
            assert {status.id: status for status in await speech.models()}["tone/sine"].pinned
            await speech.rescan()
            anew = {status.id: status for status in await speech.models()}
            assert anew["tone/plain"] is not first["tone/plain"]

    async def test_what_was_unloaded_can_be_deleted_by_anybody(self, hub, make_speech, tmp_path):
        class SlowDisk(Store):
            @contextmanager
            def hold(self, model, revision=None):
                with super().hold(model, revision) as paths:
                    yield paths
                    time.sleep(0.3)

        hub.add(MODEL, weights(1))
        slow = SlowDisk(tmp_path / "models", endpoint=hub.url)
        policy = Policy(max_loaded=1)
        async with make_speech(weights=slow, isolated=False, policy=policy) as speech:
            await speech.manager.load(MODEL)
            await speech.manager.unload(MODEL)
            Store(slow.root).delete(speech.manager.instance(MODEL).resolved.model)
            await speech.manager.load(MODEL)
            await speech.manager.load("tone/sine")  # in its place
            await speech.catalog.delete(MODEL)
            assert slow.list() == ()

    async def test_what_is_loaded_is_not_deleted(self, speaking, store):
        async with speaking() as speech:
            await speech.manager.load(MODEL)
            with pytest.raises(ModelInUse):
                await speech.catalog.delete(MODEL)
            await speech.manager.unload(MODEL)
            await speech.catalog.delete(MODEL)
            assert store.list() == ()
            assert speech.manager.instance(MODEL).state is ModelState.AVAILABLE
            with pytest.raises(NotDownloaded):
                await speech.catalog.delete(MODEL)

    async def test_deleting_is_told_though_nobody_has_the_model_in_care(self, speaking, store):
        async with speaking() as speech:
            await speech.catalog.download(MODEL)
        async with speaking() as speech:
            with speech.events.listen() as events:
                await speech.catalog.delete(MODEL)
                assert await until(events, model=MODEL, state="available")

    async def test_models_of_providers_that_are_gone_end_and_can_be_deleted(
        self, speaking, site, store
    ):
        async with speaking() as speech:
            await speech.manager.load("tone/plain")
            instance = await speech.manager.load(MODEL)
            next(site.glob("*tone*.dist-info")).rename(site / "gone")
            with speech.events.listen() as events:
                await speech.rescan()
                assert instance not in speech.manager.instances
                await until(events, model=MODEL, state="provider_missing")
            assert instance.host is None
            with pytest.raises(ModelNotFound):
                await say(speech)
            found = {status.id: status for status in await speech.models()}
            assert found[MODEL].state is ModelState.PROVIDER_MISSING
            assert "tone/plain" not in found
            with speech.events.listen() as events:
                await speech.catalog.delete(MODEL)
                assert await until(events, model=MODEL, state="provider_missing")
            with pytest.raises(ModelNotFound):
                await speech.catalog.delete(MODEL)

    async def test_requests_under_way_finish_though_the_provider_is_gone(self, speaking, site):
        async with speaking() as speech:
            async with speech.manager.lease("tone/sine") as lease:
                next(site.glob("*tone*.dist-info")).rename(site / "gone")
                await speech.rescan()
                request = SpeechRequest(text="Hello", voice="low")
                assert sum([audio.seconds async for audio in lease.run(SYNTHESIZE, request)]) > 0
            await asyncio.gather(*speech.manager._tasks)
            assert lease.instance.host is None


async def test_models_that_nobody_uses_are_forgotten_in_time(make_speech):
    async with make_speech(isolated=False) as speech:
        await speech.manager.load("tone/sine@kept")
        speech.manager.pin("tone/sine@pinned")
        for number in range(1000):
            speech.manager.instance(f"tone/sine@r{number}")
        names = {each.key.revision for each in speech.manager.instances}
        assert len(names) < 300
        assert {"kept", "pinned", "r999"} <= names
