"""Live text by an engine that understands sound while it comes in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing

from .. import errors
from .._operations import LISTEN
from .._types.audio import Audio
from .._types.listening import Flush, Flushed, ListeningEvent
from .._types.transcription import DetectedLanguage, Partial, Segment, TranscriptionRequest
from .activity import GIVE_UP_AFTER, Hold
from .recognizer import Outlet, Recognizer
from .tape import Tape
from .utterance import Decoding, Utterance

_CHUNK_S = 0.5
"""The longest piece of sound that is fed at a time."""


class StreamingRecognizer(Recognizer):
    """Feeds the sound of utterances, one after the other, to one session of the engine."""

    def __init__(self, hold: Hold, tape: Tape, how: TranscriptionRequest, outlet: Outlet) -> None:
        super().__init__(tape, how, outlet)
        self._hold = hold
        self._utterances: deque[Utterance] = deque()
        """Without their final text yet; the first is being fed or was."""
        self._changed = asyncio.Event()
        self._finished = False
        self._settled = False
        """Whether an utterance got its text in this session of the engine."""
        self._fruitless = 0
        """Sessions of the engine in a row without one."""
        self._reset()

    def _reset(self) -> None:
        """Begin a session of the engine: what has no text yet is fed again."""
        self._feeding = 0
        """Index of the utterance that is fed."""
        self._fed_to: float | None = None
        """Where the next piece of it begins."""
        self._clock = 0.0
        """Seconds that the engine was fed with."""
        self._began: list[tuple[float, float]] = []
        """For each piece: seconds of the engine at which it began, and of the session."""
        self._segments: list[Segment] = []
        self._language: str | None = None
        self._partial = ""

    @property
    def pending(self) -> int:
        """See ``Recognizer``."""
        return sum(1 for each in self._utterances if each.end is not None)

    @property
    def oldest(self) -> float | None:
        """See ``Recognizer``."""
        return self._utterances[0].start if self._utterances else None

    @property
    def cut_from(self) -> float:
        """See ``Recognizer``: what the engine has heard cannot be taken back."""
        return self._fed_to or 0.0

    def begin(self, utterance: Utterance) -> None:
        """See ``Recognizer``."""
        self._utterances.append(utterance)
        self.heard()

    def heard(self) -> None:
        """See ``Recognizer``."""
        self._changed.set()

    def end(self, utterance: Utterance) -> None:
        """See ``Recognizer``."""
        self.heard()

    def drop(self, utterance: Utterance) -> None:
        """See ``Recognizer``: what was fed of it already is flushed, and nobody is told."""
        utterance.dropped = True
        if utterance.end is None:
            utterance.end = self._fed_to if self._fed_to is not None else utterance.start
        self.heard()

    def finish(self) -> None:
        """See ``Recognizer``."""
        self._finished = True
        self.heard()

    async def run(self) -> None:
        """See ``Recognizer``. A worker that dies is replaced, and gets again what has no text."""
        while True:
            self._changed.clear()
            if self._utterances:
                await self._listen()
            elif self._finished:
                return
            else:  # no session of the engine is held while nobody speaks
                await self._changed.wait()

    async def _listen(self) -> None:
        self._settled = False
        try:
            async with self._hold() as lease:
                self._reset()
                how = self._utterances[0].how
                events = lease.run(LISTEN, how, self._fed(how))
                async with aclosing(events):
                    async for event in events:
                        self._take(event)
        except (errors.WorkerDied, errors.ModelNotReady):
            self._fruitless += 1
            if self._fruitless >= GIVE_UP_AFTER:
                raise
        else:
            self._fruitless = 0 if self._settled else self._fruitless + 1
            if self._fruitless >= GIVE_UP_AFTER:
                raise errors.InvalidResult("The model stops listening before an utterance ends.")

    async def _fed(self, how: TranscriptionRequest) -> AsyncIterator[Audio | Flush]:
        """Yield the sound of each utterance, and a ``Flush`` behind it."""
        while True:
            self._changed.clear()
            if self._feeding < len(self._utterances):
                utterance = self._utterances[self._feeding]
                if utterance.how is not how:
                    return  # that one needs a session of its own
                if audio := self._piece(utterance):
                    yield audio
                    continue
                if utterance.end is not None:
                    self._feeding += 1
                    self._fed_to = None
                    yield Flush()
                    continue
            elif not self._utterances:
                return
            await self._changed.wait()

    def _piece(self, utterance: Utterance) -> Audio | None:
        """The next sound of an utterance, if there is any."""
        if self._fed_to is None:
            self._fed_to = utterance.start
            self._began.append((self._clock, utterance.start))
        end = self.heard_to if utterance.end is None else min(utterance.end, self.tape.end)
        end = min(end, self._fed_to + _CHUNK_S)
        audio = self.tape.cut(self._fed_to, end)
        if not len(audio.samples):
            return None
        self._fed_to += audio.seconds
        self._clock += audio.seconds
        return audio

    def _take(self, event: ListeningEvent) -> None:
        if not self._utterances:
            return  # nobody asked
        utterance = self._utterances[0]
        if isinstance(event, DetectedLanguage):
            self._language = event.language
        elif isinstance(event, Segment):
            self._segments.append(self._placed(event))
            self._partial = ""
            self._give(utterance, last=False)
        elif isinstance(event, Partial):
            self._partial = event.text
            self._give(utterance, last=False)
        elif isinstance(event, Flushed):
            if event.unasked:
                self._found_end(utterance)
            else:
                self._finish(utterance)

    def _found_end(self, utterance: Utterance) -> None:
        """The engine found an end, which counts unless there is a known one."""
        if self._feeding or utterance.end is not None:
            return
        self.outlet.ended(utterance, self._fed_to if self._fed_to is not None else 0.0)
        self._feeding, self._fed_to = 1, None
        self._finish(utterance)

    def _finish(self, utterance: Utterance) -> None:
        self._give(utterance, last=True)
        self._utterances.popleft()
        self._feeding -= 1
        self._segments, self._partial = [], ""
        self._settled, self._fruitless = True, 0
        self._changed.set()

    def _give(self, utterance: Utterance, *, last: bool) -> None:
        end = utterance.end if last and utterance.end is not None else self._reached()
        segments = tuple(self._segments)
        if self._partial:
            start = max(segments[-1].end if segments else utterance.start, utterance.start)
            partial = Segment(text=self._partial, start=start, end=max(start, end))
            segments = (*segments, partial)
        self.take(
            utterance, Decoding(end=end, segments=segments, language=self._language), last=last
        )

    def _reached(self) -> float:
        """How much of the session's sound the engine was fed with."""
        began, start = self._began[-1]
        return start + self._clock - began

    def _placed(self, segment: Segment) -> Segment:
        """A segment with times of the session instead of the engine's."""
        began, start = next(
            (each for each in reversed(self._began) if each[0] <= segment.start + 1e-6),
            self._began[0],
        )
        return segment.shifted(start - began)
