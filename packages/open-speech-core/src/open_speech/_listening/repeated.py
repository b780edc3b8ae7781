"""Live text by an engine that understands recordings: the utterance is heard again as it grows.

Final text goes before everything else. Interim results, and the decoding that begins in each pause
in case the utterance is over, take only a model that would be idle.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from .. import errors
from .._operations import TRANSCRIBE
from .._types.audio import Audio
from .._types.transcription import DetectedLanguage, Segment, TranscriptionRequest
from .activity import Hold
from .recognizer import Outlet, Recognizer
from .tape import Tape
from .utterance import TAIL_S, Decoding, Utterance, within

SHORTEST_S = 0.1
"""The shortest sound that is worth a try; nothing is said in less."""
LEAST_PAUSE_S, MOST_PAUSE_S = 0.1, 0.2
PAUSE_MARGIN_S = 0.05
FIRST_INTERIM_S = 0.6
"""Sound that the first interim result is made of, at the most."""
RETRIES = 4
"""Of final text, when the worker died or is busy."""
RETRY_S = 0.25
_log = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True)
class _Job:
    utterance: Utterance
    last: bool
    """Whether its text is due: then it waits in line with everybody, and is tried again."""
    started: bool = False


class RepeatedRecognizer(Recognizer):
    """Decodes one utterance at a time, on whichever worker the model has."""

    def __init__(
        self, hold: Hold, tape: Tape, how: TranscriptionRequest, outlet: Outlet, silence_s: float
    ) -> None:
        super().__init__(tape, how, outlet)
        self._hold = hold
        self._silence_s = silence_s
        self._open: Utterance | None = None
        self._ended: deque[Utterance] = deque()
        self._changed = asyncio.Event()
        self._finished = False
        self._took_s = 0.0
        """How long the latest decoding took."""
        self._not_before = 0.0
        """On the loop's clock: no interim result is tried earlier, because one failed."""

    @property
    def pause_s(self) -> float:
        """So early that the decoding is done when the silence is over; no earlier than useful."""
        early = self._silence_s - self._took_s - PAUSE_MARGIN_S
        return min(max(early, LEAST_PAUSE_S), MOST_PAUSE_S)

    @property
    def pending(self) -> int:
        """See ``Recognizer``."""
        return len(self._ended)

    @property
    def oldest(self) -> float | None:
        """See ``Recognizer``."""
        first = self._ended[0] if self._ended else self._open
        return first.start if first else None

    def begin(self, utterance: Utterance) -> None:
        """See ``Recognizer``."""
        self._open = utterance
        self.heard()

    def heard(self) -> None:
        """See ``Recognizer``."""
        self._changed.set()

    def end(self, utterance: Utterance) -> None:
        """See ``Recognizer``."""
        if self._open is utterance:
            self._open = None
        self._ended.append(utterance)
        self.heard()

    def drop(self, utterance: Utterance) -> None:
        """See ``Recognizer``."""
        utterance.dropped = True
        if self._open is utterance:
            self._open = None
        with suppress(ValueError):
            self._ended.remove(utterance)
        self.heard()

    def finish(self) -> None:
        """See ``Recognizer``."""
        self._finished = True
        self.heard()

    async def run(self) -> None:
        """See ``Recognizer``."""
        job: _Job | None = None
        work: asyncio.Task[None] | None = None
        try:
            while True:
                self._changed.clear()
                wanted = self._next()
                if job and work and (work.done() or not self._is_wanted(job, wanted)):
                    await self._settle(work)
                    job = work = None
                    continue
                if wanted is None and job is None:
                    if self._finished and not self._ended:
                        return
                    await self._changed.wait()
                    continue
                if job is None and wanted is not None:
                    job, work = wanted, asyncio.create_task(self._do(wanted))
                    work.add_done_callback(lambda _: self._changed.set())
                await self._changed.wait()
        finally:
            if work:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)

    def _is_wanted(self, job: _Job, wanted: _Job | None) -> bool:
        """Whether to go on with a job, given what would be begun now."""
        if job.utterance.dropped:
            return False
        if job.started or job.last:
            return True
        return wanted is not None and not wanted.last and wanted.utterance is job.utterance

    async def _settle(self, work: asyncio.Task[None]) -> None:
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        elif not work.cancelled() and (error := work.exception()):
            raise error

    def _next(self) -> _Job | None:
        """Say what to do now, giving out final texts that are ready."""
        while self._ended:
            utterance = self._ended[0]
            if not utterance.is_covered():
                return _Job(utterance=utterance, last=True)
            self._ended.popleft()
            assert utterance.decoding is not None
            self.take(utterance, utterance.decoding, last=True)
        if self._open and self._is_due(self._open):
            return _Job(utterance=self._open, last=False)
        return None

    def _is_due(self, utterance: Utterance) -> bool:
        """Whether it is worth hearing an utterance that goes on."""
        if asyncio.get_running_loop().time() < self._not_before:
            return False
        if utterance.speech_end is not None:
            return not utterance.is_covered()
        if self.interim_s is None:
            return False
        if utterance.decoding is None:
            return self.heard_to - utterance.start >= min(self.interim_s, FIRST_INTERIM_S)
        # The result is to be there in time, and half of the time is left to others.
        wait_s = max(self.interim_s - self._took_s, 2.0 * self._took_s)
        return self.heard_to - utterance.decoding.end >= wait_s

    async def _do(self, job: _Job) -> None:
        """Decode, and give out what it says; an interim result that fails is left out."""
        if job.last:
            await self._do_at_last(job)
            return
        try:
            decoding = await self._decode(job)
        except errors.OpenSpeechError as error:
            _log.debug("an interim result failed: %s", error)
            self._not_before = asyncio.get_running_loop().time() + 1.0
            return
        utterance = job.utterance
        utterance.decoding = decoding
        if utterance.end is None or not utterance.is_covered():
            self.take(utterance, decoding, last=False)
        # Otherwise it is over, and this is its text: ``_next`` gives that out.

    async def _do_at_last(self, job: _Job) -> None:
        for attempt in range(RETRIES + 1):
            try:
                job.utterance.decoding = await self._decode(job)
            except (errors.Unavailable, errors.OutOfMemory) as error:
                if attempt == RETRIES or isinstance(error, errors.ShuttingDown):
                    self._fail(job.utterance, error)
                    return
                await asyncio.sleep(max(error.retry_after or 0.0, RETRY_S * 2**attempt))
            except errors.OpenSpeechError as error:
                self._fail(job.utterance, error)
                return
            else:
                return

    def _fail(self, utterance: Utterance, error: errors.OpenSpeechError) -> None:
        with suppress(ValueError):
            self._ended.remove(utterance)
        if not utterance.dropped:
            self.outlet.failed(utterance, error)

    async def _decode(self, job: _Job) -> Decoding:
        utterance, loop = job.utterance, asyncio.get_running_loop()
        began = end = 0.0

        def request() -> TranscriptionRequest:
            nonlocal began, end
            job.started, began = True, loop.time()
            audio, end = self._sound(utterance)
            return replace(utterance.how, audio=audio)

        if self._sound(utterance)[0].seconds < SHORTEST_S:
            return Decoding(end=self._sound(utterance)[1])
        async with self._hold() as lease:
            if job.last:
                events = lease.run(TRANSCRIBE, request())
            else:
                events = lease.run_in_background(TRANSCRIBE, request)
            language, segments = utterance.how.language, list[Segment]()
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, DetectedLanguage):
                        language = event.language
                    elif isinstance(event, Segment):
                        segments.append(event)
        self._took_s = loop.time() - began
        heard = within(segments, end - utterance.start)
        shifted = tuple(segment.shifted(utterance.start) for segment in heard)
        return Decoding(end=end, segments=shifted, language=language)

    def _sound(self, utterance: Utterance) -> tuple[Audio, float]:
        """What there is of an utterance, and where that ends."""
        end = self.heard_to if utterance.end is None else utterance.end
        if utterance.speech_end is not None:
            end = min(end, utterance.speech_end + TAIL_S)
        return self.tape.cut(utterance.start, end), end
