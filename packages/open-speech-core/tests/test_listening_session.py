"""Live sessions on workers: turns, their text, and what happens when models come and go."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from open_speech import Audio, Defaults, OpenSpeech, TranscriptionRequest
from open_speech.errors import Busy, ModelNotFound, ProviderError, UnsupportedCapability
from open_speech.service import (
    Clear,
    Commit,
    FinalText,
    InterimText,
    ListenEvent,
    ListenInput,
    ListenRequest,
    NothingToCommit,
    TurnDetection,
    TurnEnded,
    TurnEndReason,
    TurnStarted,
    TurnText,
)
from open_speech.testing import join, silence, sine

RATE = 16_000
ECHO = {"stt": Defaults(models=("tone/echo",))}
TURNS = TurnDetection(silence_s=0.4, padding_s=0.1)


def pieces(sound: Audio, seconds: float = 0.1) -> list[Audio]:
    size = round(seconds * sound.sample_rate)
    return [
        Audio(samples=sound.samples[first : first + size], sample_rate=sound.sample_rate)
        for first in range(0, len(sound.samples), size)
    ]


async def feed(items: Iterable[ListenInput]) -> AsyncIterator[ListenInput]:
    for item in items:
        yield item
        await asyncio.sleep(0)


async def listen(
    speech: OpenSpeech,
    items: Iterable[ListenInput],
    *,
    model: str = "tone/echo",
    see: Callable[[ListenEvent], Any] = lambda _: None,
    **request: Any,
) -> list[ListenEvent]:
    found = []
    async with asyncio.timeout(20):
        events = speech.listen(feed(items), ListenRequest(**request), model=model)
        async for event in events:
            found.append(event)
            if (waits := see(event)) is not None:
                await waits
    return found


async def drain(events: AsyncIterator[ListenEvent]) -> None:
    async with asyncio.timeout(20):
        async for _ in events:
            pass


def texts(events: list[ListenEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, TurnText)]


def check_deltas(events: list[ListenEvent]) -> None:
    for turn in (event for event in events if isinstance(event, TurnText)):
        deltas = [
            event.delta
            for event in events
            if isinstance(event, InterimText | FinalText) and event.turn == turn.turn
        ]
        assert "".join(deltas) == turn.text


SPOKEN = join(silence(0.5), sine(1.0), silence(0.8), sine(2.0, amplitude=0.25), silence(0.8))


async def test_turns_are_found_and_understood(make_speech):
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, pieces(SPOKEN), turns=TURNS)
    first, second = (event for event in events if isinstance(event, TurnText))
    assert (first.turn, second.turn) == (0, 1)
    assert first.start == pytest.approx(0.4, abs=0.03)
    assert first.end == pytest.approx(1.9, abs=0.05)
    assert second.start == pytest.approx(2.2, abs=0.03)
    assert first.text.startswith("16000 samples peaking at 0.50")
    assert "peaking at 0.25" in second.text
    assert first.segments[0].start == pytest.approx(first.start, abs=1e-6)
    assert second.segments[0].start == pytest.approx(second.start, abs=1e-6)
    assert first.confidence is None
    assert next(type(event) for event in events if event.turn == 0) is TurnStarted
    check_deltas(events)


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
@pytest.mark.parametrize("seconds", [0.01, 0.1, 3.0])
async def test_rate_and_chunks_make_no_difference(make_speech, rate, seconds):
    sound = join(silence(0.3, sample_rate=rate), sine(1.0, sample_rate=rate),
                 silence(1.0, sample_rate=rate))  # fmt: skip
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, pieces(sound, seconds), turns=TURNS, interim_s=None)
    (turn,) = (event for event in events if isinstance(event, TurnText))
    assert turn.start == pytest.approx(0.2, abs=0.05)
    assert turn.text.startswith("16000 samples")


async def test_silence_says_nothing(make_speech):
    async with make_speech(install=("tone",), isolated=False) as speech:
        assert await listen(speech, pieces(silence(30.0)), turns=TURNS) == []


async def test_interim_text_settles_while_it_grows(make_speech):
    told = asyncio.Event()
    sound = join(*(sine(1.0, amplitude=0.1 * loud) for loud in (5, 4, 3)))

    async def source() -> AsyncIterator[ListenInput]:
        for piece in pieces(sound, 0.5):
            yield piece
            with suppress(TimeoutError):  # a slow machine may leave a result out
                await asyncio.wait_for(told.wait(), 3)
            told.clear()
        yield silence(1.0)

    found = []
    async with make_speech(install=("tone",), isolated=False) as speech, asyncio.timeout(20):
        request = ListenRequest(turns=TURNS, interim_s=0.3)
        async for event in speech.listen(source(), request, model="tone/echo"):
            found.append(event)
            if isinstance(event, InterimText):
                told.set()
    interim = [event for event in found if isinstance(event, InterimText)]
    assert len(interim) > 2
    for before, after in pairwise(interim):
        assert after.stable.startswith(before.stable)
    assert interim[-1].stable.startswith("16000 samples peaking at 0.50")
    check_deltas(found)


async def test_without_turn_detection_a_turn_is_what_is_committed(make_speech):
    fed = [*pieces(sine(1.0)), Commit(), *pieces(silence(0.5)), Commit(), Commit()]
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, fed, turns=None, interim_s=None)
    assert texts(events) == ["16000 samples peaking at 0.50", "8000 samples peaking at 0.00"]
    ended = [event for event in events if isinstance(event, TurnEnded)]
    assert [(each.start, each.end, each.reason) for each in ended] == [
        (0.0, 1.0, TurnEndReason.COMMIT),
        (1.0, 1.5, TurnEndReason.COMMIT),
    ]
    assert sum(isinstance(event, NothingToCommit) for event in events) == 1


async def test_a_commit_in_the_middle_of_speech_ends_the_turn_there(make_speech):
    fed = [*pieces(sine(1.0)), Commit(), *pieces(sine(1.0)), *pieces(silence(1.0))]
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, fed, turns=TURNS, interim_s=None)
    first, second = (event for event in events if isinstance(event, TurnText))
    assert first.end == pytest.approx(1.0, abs=1e-6)
    assert second.start == pytest.approx(1.0, abs=0.03)
    assert first.text == "16000 samples peaking at 0.50"


async def test_what_is_cleared_is_forgotten(make_speech):
    fed = [*pieces(sine(1.0)), Clear(), *pieces(silence(1.0)), *pieces(sine(0.5)),
           *pieces(silence(1.0))]  # fmt: skip
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, fed, turns=TURNS, interim_s=None)
    (turn,) = (event for event in events if isinstance(event, TurnText))
    assert turn.start >= 1.0


async def test_the_end_of_the_sound_ends_the_turn(make_speech):
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, pieces(sine(1.0)), turns=TURNS, interim_s=None)
    assert texts(events) == ["16000 samples peaking at 0.50"]
    (ended,) = (event for event in events if isinstance(event, TurnEnded))
    assert ended.reason is TurnEndReason.END


@pytest.mark.parametrize("turns", [None, TURNS])
@pytest.mark.parametrize("model", ["tone/count", "tone/live"])
async def test_long_speech_is_cut_and_nothing_is_lost_or_said_twice(make_speech, turns, model):
    sound = sine(70.0)
    sound.samples[round(26.5 * RATE) : round(26.56 * RATE)] = 0.0  # too short for a pause
    fed = [*pieces(sound), *([Commit()] if turns is None else [])]
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, fed, turns=turns, model=model, interim_s=5.0)
    (turn,) = (event for event in events if isinstance(event, TurnText))
    finals = [event for event in events if isinstance(event, FinalText)]
    assert len(finals) == 3
    if model == "tone/count":  # an engine that streams has no window that ends
        assert finals[0].end == pytest.approx(26.53, abs=0.03)
    for before, after in pairwise(finals):
        assert before.end == after.start
    heard = [int(words[0]) for words in (each.text.split() for each in turn.segments)]
    assert sum(heard) == pytest.approx(70 * RATE, abs=RATE // 10)
    check_deltas(events)


async def test_a_long_turn_is_cut_where_somebody_breathes(make_speech):
    sound = join(sine(16.0), silence(0.3), sine(3.0), silence(1.0))
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, pieces(sound), turns=TURNS, model="tone/count")
    finals = [event for event in events if isinstance(event, FinalText)]
    assert len(finals) == 2
    assert 16.0 < finals[0].end < 16.3
    assert len(texts(events)) == 1


async def test_a_model_judges_whether_a_pause_ends_the_turn(make_speech):
    shouting, calm = sine(1.0, amplitude=0.9), sine(1.0, amplitude=0.3)
    turns = TurnDetection(silence_s=0.4, padding_s=0.1, longest_pause_s=3.0)
    sound = join(shouting, silence(1.0), shouting, silence(3.5), calm, silence(0.5))
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, pieces(sound), turns=turns, interim_s=None)
    first, second = (event for event in events if isinstance(event, TurnEnded))
    assert first.end == pytest.approx(6.0, abs=0.05)  # only after the longest pause
    assert second.end == pytest.approx(7.5 + 0.2, abs=0.1)  # at once


async def test_an_engine_that_streams_gives_its_own_text(make_speech):
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, pieces(SPOKEN), turns=TURNS, model="tone/live")
    first, second = (event for event in events if isinstance(event, TurnText))
    assert "peaking at 0.50" in first.text
    assert "peaking at 0.25" in second.text
    assert second.segments[0].start == pytest.approx(second.start, abs=1e-6)
    assert any(isinstance(event, InterimText) for event in events)
    check_deltas(events)


async def test_an_engine_may_find_the_end_itself(make_speech):
    understood = asyncio.Event()

    async def source() -> AsyncIterator[ListenInput]:
        for _ in range(2):
            for piece in pieces(join(sine(1.0), silence(0.5))):
                yield piece
            await understood.wait()
            understood.clear()
        yield Commit()

    how = TranscriptionRequest(options={"endpoint_s": 0.3})
    events = []
    async with make_speech(install=("tone",), isolated=False) as speech, asyncio.timeout(20):
        request = ListenRequest(turns=None, how=how)
        async for event in speech.listen(source(), request, model="tone/live"):
            events.append(event)
            if isinstance(event, FinalText) and event.text:
                understood.set()
    finals = [event for event in events if isinstance(event, FinalText) and event.text]
    assert [each.text for each in finals] == ["24000 samples peaking at 0.50"] * 2
    assert [each.segments[0].start for each in finals] == [0.0, 1.5]
    assert texts(events) == [" ".join(each.text for each in finals)]
    check_deltas(events)


async def test_settings_may_change_on_the_way(make_speech):
    fed: list[ListenInput] = [*pieces(sine(1.0)), Commit()]
    fed += [ListenRequest(turns=TURNS, interim_s=None)]
    fed += [*pieces(join(silence(0.5), sine(1.0), silence(1.0)))]
    fed += [ListenRequest(turns=None, interim_s=None), *pieces(silence(0.2)), Commit()]
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await listen(speech, fed, turns=None, interim_s=None)
    started = [event.start for event in events if isinstance(event, TurnStarted)]
    assert started[0] == 0.0
    assert started[1] == pytest.approx(1.4, abs=0.05)
    assert len(texts(events)) == 3


async def test_turns_need_a_model_that_detects_them(make_speech):
    async with make_speech(install=("faulty",), isolated=False) as speech:
        with pytest.raises(ModelNotFound, match="voice activity"):
            await listen(speech, [], model="faulty/hear", turns=TURNS)
        assert await listen(speech, [], model="faulty/hear", turns=None) == []


async def test_what_the_model_lacks_is_refused_before_anything_is_heard(make_speech):
    async with make_speech(install=("tone",), isolated=False) as speech:
        with pytest.raises(UnsupportedCapability):
            await listen(speech, [], model="tone/count", how=TranscriptionRequest(prompt="x"))


async def test_an_utterance_that_cannot_be_understood_does_not_end_the_session(make_speech):
    how = TranscriptionRequest(options={"fault": "raise"})
    fed = [*pieces(sine(1.0)), Commit(), ListenRequest(turns=None), *pieces(sine(1.0)), Commit()]
    async with make_speech(isolated=False) as speech:
        events = await listen(speech, fed, model="faulty/hear", turns=None, how=how, interim_s=None)
    first, second = (event for event in events if isinstance(event, TurnText))
    assert isinstance(first.error, ProviderError)
    assert first.text == ""
    assert second.error is None
    assert "step" in second.text


async def test_what_the_source_raises_is_raised(make_speech):
    async def source() -> AsyncIterator[ListenInput]:
        yield sine(1.0)
        raise OSError("the microphone is gone")

    async with make_speech(install=("tone",), isolated=False) as speech:
        events = speech.listen(source(), ListenRequest(turns=TURNS))
        with pytest.raises(OSError, match="microphone"):
            await drain(events)


async def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(make_speech):
    async with make_speech(install=("tone",), **ECHO) as speech:
        await speech.load("tone/echo")
        await speech.load("tone/level")

        async def kill(model: str) -> None:
            (instance,) = speech.manager.instances.of(speech.resolve(model))
            assert instance.host is not None
            assert instance.host.pid is not None
            os.kill(instance.host.pid, signal.SIGKILL)

        def see(event: ListenEvent) -> Any:
            if isinstance(event, TurnStarted):
                return kill("tone/level" if event.turn else "tone/echo")
            return None

        fed = [*pieces(join(sine(1.0), silence(0.8)), 0.02)] * 3
        events = await listen(speech, fed, turns=TURNS, interim_s=0.2, see=see)
    found = texts(events)
    assert len(found) == 3
    assert all(each.startswith("16000 samples peaking at 0.50") for each in found)


async def test_a_model_may_be_unloaded_in_the_middle_of_a_session(make_speech):
    async with make_speech(install=("tone",), **ECHO) as speech:

        def see(event: ListenEvent) -> Any:
            if isinstance(event, TurnStarted):
                model = ("tone/echo", "tone/level", "tone/level")[event.turn]
                return speech.manager.unload(model)
            return None

        fed = [*pieces(join(sine(1.0), silence(0.8)), 0.02)] * 3
        events = await listen(speech, fed, turns=TURNS, interim_s=None, see=see)
    assert [each.startswith("16000") for each in texts(events)] == [True] * 3


async def test_a_session_holds_no_model_while_nobody_speaks(make_speech):
    quiet, spoken = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[ListenInput]:
        for piece in pieces(join(sine(0.5), silence(0.8))):
            yield piece
        await quiet.wait()
        for piece in pieces(join(sine(0.5), silence(0.8))):
            yield piece

    async with make_speech(install=("tone",), isolated=False) as speech, asyncio.timeout(20):
        count = 0
        request = ListenRequest(turns=TURNS, interim_s=None)
        async for event in speech.listen(source(), request, model="tone/live"):
            if isinstance(event, TurnText):
                count += 1
                if count == 1:
                    (instance,) = speech.manager.instances.of(speech.resolve("tone/live"))
                    await instance.free.wait()
                    assert await speech.manager.unload("tone/live")
                    quiet.set()
                    spoken.set()
        assert count == 2


async def test_as_many_sessions_as_the_engine_has_and_no_more(make_speech):
    gate = asyncio.Event()

    async def source() -> AsyncIterator[ListenInput]:
        yield sine(0.5)
        await gate.wait()

    async with make_speech(install=("tone",), isolated=False) as speech, asyncio.timeout(20):
        sessions = [
            speech.listen(source(), ListenRequest(turns=None), model="tone/live") for _ in range(5)
        ]
        for session in sessions[:4]:
            while not isinstance(await anext(session), InterimText):
                pass
        with pytest.raises(Busy, match="4 sessions"):
            await drain(sessions[4])
        for session in sessions:
            await session.aclose()
        assert texts(await listen(speech, [sine(0.5), Commit()], model="tone/live", turns=None))


async def test_sound_is_not_taken_faster_than_it_is_understood(make_speech, tmp_path):
    taken = 0
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    async def source() -> AsyncIterator[ListenInput]:
        nonlocal taken
        for _ in range(200):
            yield sine(0.5)
            yield Commit()
            taken += 1

    how = TranscriptionRequest(options={"gate": str(gate), "steps": 1})
    async with make_speech() as speech, asyncio.timeout(20):
        with gate.open("r+b", buffering=0) as pipe:
            request = ListenRequest(turns=None, interim_s=None, how=how)
            session = speech.listen(source(), request, model="faulty/hear")
            seen = 0
            async for event in session:
                seen += isinstance(event, TurnEnded)
                if seen == 5:
                    break
            for _ in range(1000):
                await asyncio.sleep(0)
            assert taken < 10
            pipe.write(b"x" * 20)
            async for event in session:
                if isinstance(event, TurnText):
                    break
            await session.aclose()


async def test_closing_it_frees_everything(make_speech):
    async with make_speech(install=("tone",), isolated=False) as speech, asyncio.timeout(20):
        session = speech.listen(feed(pieces(sine(5.0))), ListenRequest(turns=TURNS))
        await anext(session)
        await session.aclose()
        for instance in speech.manager.instances:
            assert not instance.users
            assert not instance.slots.calls.in_use
