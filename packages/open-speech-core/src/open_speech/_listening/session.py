"""One live session: sound in, turns and their text out."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from .. import errors
from .._operations import PREDICT_TURN_END
from .._types.audio import Audio, Samples
from .._types.listening import TurnRequest
from .activity import ActivityStream, Hold
from .events import (
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
)
from .recognizer import Outlet, Recognizer
from .tape import Tape
from .turn_text import TurnTexts
from .turns import Change, Moment, SpeechTracker
from .utterance import Utterance

LONGEST_S = 28.0
"""An utterance is cut before a window of 30 s ends, which is what many engines hear at once."""
LOOK_BACK_S = 5.0
"""The cut is made at the quietest place of so many seconds at its end."""
CUT_AT_PAUSE_S = ((22.0, 0.1), (15.0, 0.2))
"""Length of an utterance, and the pause that it is then cut at, though the turn goes on."""
TURN_HEARD_S = 8.0
"""Of a turn, what the model that judges its end is given."""
LEAST_TURN_PAUSE_S = 0.2
"""A pause that this model is asked about."""
ASK_AGAIN_S = 1.0
TURN_OVER = 0.5
"""Probability from which the turn counts as over."""
MAX_PENDING = 4
"""Utterances that may wait for their text; then no more sound is taken until there are fewer."""
MAX_EVENTS = 1_000
"""Events that may wait to be read; beyond that, no more sound is taken either."""
KEPT_S = 1.0
"""Sound that is kept beyond the padding, in case speech turns out to have begun in it."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a session is made of."""

    recognizer: Callable[[Tape, Outlet], Recognizer]
    sample_rate: int
    """Of the recognizer's model."""
    detect: Hold | None = None
    """The model for voice activity, and its rate."""
    detect_rate: int = 16_000
    judge: Hold | None = None
    """The model that judges the ends of turns, and its rate."""
    judge_rate: int = 16_000


class Listening:
    """A session. ``events`` once; one event loop only."""

    def __init__(self, parts: Parts, request: ListenRequest) -> None:
        """Prepare. Raises ModelNotFound for turns without a model that detects voice activity."""
        # An extra of this package, and some milliseconds at the start.
        from ..codecs.resample import Resampler

        self._parts = parts
        self._request = request
        self._tape = Tape(parts.sample_rate)
        self._resampler = Resampler(parts.sample_rate, quality="MQ")
        self._detect_resampler = Resampler(parts.detect_rate, quality="MQ")
        outlet = Outlet(
            interim=self._interim, final=self._final, failed=self._failed, ended=self._engine_ended
        )
        self._recognizer = parts.recognizer(self._tape, outlet)
        self._tracker = SpeechTracker(request.turns or TurnDetection())
        self._stream: ActivityStream | None = None
        self._watching: asyncio.Task[None] | None = None
        self._events: deque[ListenEvent] = deque()
        self._happened = asyncio.Event()
        """Set with each event."""
        self._progress = asyncio.Event()
        """Set whenever something waits for less than before."""
        self._texts = TurnTexts(self._put)
        self._turn = -1
        self._turn_start: float | None = None
        """None between turns."""
        self._utterance: Utterance | None = None
        self._utterances = 0
        self._free_from = 0.0
        """Where the next utterance may begin at the earliest."""
        self._judged = (0.0, 0.0)
        """When the model was asked about the pause, and how long that may be, by its answer."""
        self._configure(request)

    async def events(self, source: AsyncIterator[ListenInput]) -> AsyncGenerator[ListenEvent, None]:
        """Yield what happens, until the source has ended and every turn has its text.

        Raises what the source and the models raise; a turn that cannot be understood is an event.
        """
        if self._request.turns:
            self._watch()
        tasks = [
            asyncio.create_task(self._take_in(source)),
            asyncio.create_task(self._recognizer.run()),
        ]
        try:
            while True:
                while self._events:
                    self._progress.set()
                    yield self._events.popleft()
                for task in self._all(tasks):
                    if task.done():
                        task.result()  # raises what went wrong
                running = {task for task in self._all(tasks) if not task.done()}
                if not running:
                    return
                await self._something(running)
        finally:
            rest = self._all(tasks)
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

    async def _something(self, running: set[asyncio.Task[None]]) -> None:
        """Wait for an event, or for one of the tasks to end."""
        self._happened.clear()
        await _first_of(self._happened.wait(), running)

    def _all(self, tasks: list[asyncio.Task[None]]) -> list[asyncio.Task[None]]:
        return [*tasks, self._watching] if self._watching else tasks

    async def _take_in(self, source: AsyncIterator[ListenInput]) -> None:
        async for item in source:
            if isinstance(item, Audio):
                await self._hear(item)
                continue
            self._add(self._resampler.finish())
            await self._caught_up()
            if isinstance(item, Commit):
                await self._commit()
            elif isinstance(item, Clear):
                self._clear()
            else:
                await self._reconfigure(item)
        self._add(self._resampler.finish())
        await self._stop_watching()
        if self._turn_start is not None:
            self._end_turn(TurnEndReason.END, self._tape.end)
        self._recognizer.finish()

    async def _hear(self, audio: Audio) -> None:
        """Take in sound, no faster than it is understood."""
        while self._recognizer.pending > MAX_PENDING or len(self._events) > MAX_EVENTS:
            self._progress.clear()
            await self._progress.wait()
        samples = self._resampler.feed(audio)
        self._add(samples)
        if self._stream is None:
            self._hear_untold()
            return
        if self._watching and self._watching.done():
            self._watching.result()  # raises why
        if self._parts.detect_rate != self._parts.sample_rate:
            samples = self._detect_resampler.feed(audio)
        if len(samples):
            await self._stream.feed(Audio(samples=samples, sample_rate=self._parts.detect_rate))

    def _add(self, samples: Samples) -> None:
        self._tape.append(samples)
        self._recognizer.heard()

    def _hear_untold(self) -> None:
        """Without turn detection, everything belongs to a turn; long ones are cut."""
        if self._turn_start is None:
            self._start_turn(self._free_from)
        elif self._utterance is None:  # the engine ended the last one
            self._begin(self._free_from)
        self._cut_if_long()
        self._forget()

    # Voice activity.

    def _watch(self) -> None:
        """Begin to look for turns."""
        if self._parts.detect is None:
            raise errors.ModelNotFound(
                "No installed provider does voice activity detection, which turns are found by.",
                param="turn_detection",
                hint="Install one with 'open-speech providers install NAME'.",
            )
        self._stream = ActivityStream(self._parts.detect, self._tape.end)
        self._tracker.reset()
        self._tracker.position = self._tracker.speech_end = self._tape.end
        self._recognizer.judged_to = self._tape.end
        self._watching = asyncio.create_task(self._judge_all(self._stream))

    async def _stop_watching(self) -> None:
        """Have everything judged that came in, and look no further."""
        if self._stream and self._watching:
            rest = self._detect_resampler.finish()
            if len(rest):
                await self._stream.feed(Audio(samples=rest, sample_rate=self._parts.detect_rate))
            await self._stream.finish()
            await asyncio.wait({self._watching})
            self._watching.result()
            self._stream = self._watching = None
            self._recognizer.judged_to = math.inf

    async def _caught_up(self) -> None:
        """Wait until all sound so far is judged, but for less than a frame."""
        if self._stream and self._watching:
            await _first_of(self._stream.judged(), {self._watching})

    async def _judge_all(self, stream: ActivityStream) -> None:
        async for activity in stream.activity():
            self._tracker.pause_s = self._pause_s()
            for start, end, probability in activity.frames():
                if moment := self._tracker.hear(start, end, probability):
                    await self._notice(moment)
            self._recognizer.judged_to = self._tracker.position
            self._recognizer.heard()
            self._cut_if_long()
            self._forget()

    def _pause_s(self) -> float:
        """Silence that is worth a look now."""
        pause_s = self._recognizer.pause_s
        if self._utterance:
            length = self._tracker.position - self._utterance.start
            pauses = [least for longer, least in CUT_AT_PAUSE_S if length >= longer]
            pause_s = min(pause_s, *pauses) if pauses else pause_s
        return pause_s

    async def _notice(self, moment: Moment) -> None:
        utterance = self._utterance
        if moment.change is Change.STARTED:
            turns = self._tracker.turns
            if self._turn_start is None:
                self._start_turn(max(moment.at - turns.padding_s, self._free_from))
            else:  # committed, or cut by length, in the middle of speech
                self._begin(max(moment.at - turns.padding_s, self._free_from))
        elif moment.change is Change.RESUMED:
            if utterance is None:
                padding_s = self._tracker.turns.padding_s
                self._begin(max(moment.at - padding_s, self._free_from))
            else:
                utterance.speech_end = None
                self._recognizer.heard()
        else:
            if moment.change is Change.PAUSED:
                self._judged = (0.0, 0.0)
            if utterance and utterance.speech_end is None:
                utterance.speech_end = self._tracker.speech_end
                self._recognizer.heard()
            await self._look_at_pause()

    async def _look_at_pause(self) -> None:
        """End the turn if the pause is long enough, or the utterance if that is long enough."""
        silence_s = self._tracker.silence_s
        if silence_s >= await self._allowed_pause(silence_s) - 1e-6:
            self._end_turn(TurnEndReason.PAUSE, self._tracker.position)
            self._tracker.reset()
            return
        if self._utterance:
            length = self._tracker.speech_end - self._utterance.start
            for longer, pause_s in CUT_AT_PAUSE_S:
                if length >= longer and silence_s >= pause_s:
                    self._end_utterance(self._tracker.speech_end + silence_s / 2)
                    return

    async def _allowed_pause(self, silence_s: float) -> float:
        turns = self._tracker.turns
        if turns.longest_pause_s is None or self._parts.judge is None:
            return turns.silence_s
        asked_at, allowed_s = self._judged
        if silence_s >= LEAST_TURN_PAUSE_S and (
            not asked_at or self._tracker.position - asked_at >= ASK_AGAIN_S
        ):
            allowed_s = 0.0 if await self._is_over(self._parts.judge) else turns.longest_pause_s
            self._judged = (self._tracker.position, allowed_s)
            return allowed_s
        return allowed_s if asked_at else turns.longest_pause_s

    async def _is_over(self, judge: Hold) -> bool:
        """Ask the model whether the turn is over; without an answer the pause alone decides."""
        end = self._tracker.position
        start = max(self._turn_start or 0.0, end - TURN_HEARD_S)
        audio = self._tape.cut(start, end)
        from ..codecs.resample import resample

        try:
            sound = await asyncio.to_thread(resample, audio, self._parts.judge_rate)
            async with judge() as lease:
                events = lease.run(PREDICT_TURN_END, TurnRequest(audio=sound))
                async with aclosing(events):
                    async for event in events:
                        return event.probability >= TURN_OVER
        except errors.OpenSpeechError as error:
            _log.warning("the end of a turn could not be judged: %s", error)
        return self._tracker.silence_s >= self._tracker.turns.silence_s

    # Turns and utterances.

    def _start_turn(self, start: float) -> None:
        self._turn += 1
        self._turn_start = start
        self._texts.begin(self._turn, start)
        self._put(TurnStarted(turn=self._turn, start=start))
        self._begin(start)

    def _begin(self, start: float) -> None:
        utterance = Utterance(
            number=self._utterances,
            turn=self._turn,
            how=self._recognizer.how,
            start=start,
            settles_until=start + LONGEST_S - LOOK_BACK_S,
        )
        self._utterances += 1
        self._utterance = utterance
        self._texts.expect(utterance)
        self._recognizer.begin(utterance)

    def _end_utterance(self, end: float) -> None:
        utterance, self._utterance = self._utterance, None
        self._free_from = end
        if utterance:
            utterance.end = end
            self._recognizer.end(utterance)

    def _end_turn(self, reason: TurnEndReason, end: float) -> None:
        assert self._turn_start is not None
        start, self._turn_start = self._turn_start, None
        self._end_utterance(end)
        self._free_from = end
        self._put(TurnEnded(turn=self._turn, start=start, end=end, reason=reason))
        self._texts.end(self._turn, end)

    def _cut_if_long(self) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        judged = self._tape.end if self._stream is None else self._tracker.position
        if judged - utterance.start < LONGEST_S:
            return
        latest = min(utterance.start + LONGEST_S, judged)
        earliest = max(latest - LOOK_BACK_S, self._recognizer.cut_from)
        cut = self._tape.quietest(earliest, latest) if earliest < latest else earliest
        speech_end, utterance.speech_end = utterance.speech_end, None
        self._end_utterance(cut)
        self._begin(cut)
        assert self._utterance is not None
        self._utterance.speech_end = speech_end

    def _engine_ended(self, utterance: Utterance, at: float) -> None:
        """Believe an engine that finds the end of an utterance by itself."""
        if utterance is not self._utterance:
            return
        utterance.end, self._utterance = at, None
        self._free_from = at
        if self._stream is None and self._turn_start is not None:
            return  # the turn goes on until it is committed
        if not self._tracker.paused:
            self._begin(at)

    async def _commit(self) -> None:
        end = self._tape.end
        if self._turn_start is None:
            if self._stream is not None or end <= self._free_from:
                self._put(NothingToCommit())
                return
            self._start_turn(self._free_from)
        self._end_turn(TurnEndReason.COMMIT, end)
        self._tracker.reset()

    def _clear(self) -> None:
        if self._turn_start is not None:
            if self._utterance:
                self._recognizer.drop(self._utterance)
                self._utterance = None
            self._texts.drop(self._turn)
            self._turn_start = None
        self._free_from = self._tape.end
        self._tracker.reset()
        self._forget()

    def _forget(self) -> None:
        """Let go of sound that nobody needs any more."""
        spare = self._tape.end - KEPT_S - self._tracker.turns.padding_s
        if self._stream is not None:
            spare = min(spare, self._tracker.position - KEPT_S - self._tracker.turns.padding_s)
        needed = [spare]
        if (oldest := self._recognizer.oldest) is not None:
            needed.append(oldest)
        if self._turn_start is not None and self._parts.judge:
            needed.append(max(self._turn_start, self._tape.end - TURN_HEARD_S - 1.0))
        self._tape.drop_before(min(needed))

    # Settings.

    def _configure(self, request: ListenRequest) -> None:
        self._request = request
        self._recognizer.how = replace(request.how, audio=ListenRequest().how.audio)
        self._recognizer.interim_s = request.interim_s
        if request.turns:
            self._tracker.turns = request.turns

    async def _reconfigure(self, request: ListenRequest) -> None:
        self._configure(request)
        if request.turns and self._stream is None:
            self._watch()
        elif request.turns is None:
            await self._stop_watching()

    # What the recognizer finds.

    def _put(self, event: ListenEvent) -> None:
        self._events.append(event)
        self._happened.set()

    def _interim(self, utterance: Utterance, delta: str) -> None:
        decoding, text = utterance.decoding, utterance.text
        if decoding is None or utterance.turn not in self._texts:
            return
        self._put(
            InterimText(
                turn=utterance.turn,
                utterance=utterance.number,
                start=utterance.start,
                end=decoding.end,
                stable=text.text,
                delta=self._texts.add(utterance, delta),
                unstable=text.unstable,
                confidence=decoding.confidence,
            )
        )

    def _final(self, utterance: Utterance, delta: str) -> None:
        decoding = utterance.decoding
        if decoding is None or utterance.turn not in self._texts:
            return
        self._put(
            FinalText(
                turn=utterance.turn,
                utterance=utterance.number,
                start=utterance.start,
                end=utterance.end if utterance.end is not None else decoding.end,
                text=utterance.text.text,
                delta=self._texts.add(utterance, delta),
                segments=decoding.segments,
                language=decoding.language,
                confidence=decoding.confidence,
            )
        )
        self._texts.understood(utterance)
        self._progress.set()

    def _failed(self, utterance: Utterance, error: errors.OpenSpeechError) -> None:
        _log.warning("a part of a live session could not be understood: %s", error)
        self._texts.failed(utterance, error)
        self._progress.set()


async def _first_of(waiting: Coroutine[Any, Any, object], tasks: set[asyncio.Task[None]]) -> None:
    """Wait for something, or for one of the tasks to end."""
    task = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait({task, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
