"""One request for speech, carried out piece by piece on a loaded model.

What an engine cannot do is done here for it: another pace, word times, loudness, pauses.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import numpy as np

from .._lifecycle.lease import Lease
from .._operations import SYNTHESIZE
from .._types.audio import Audio, Samples, Word
from .._types.models import Capability, ModelInfo
from .._types.speech import SpeechRequest
from ..errors import InvalidRequest
from ..voices.cloning import with_voice
from ..voices.library import VoiceLibrary
from ..voices.resolve import voice_language
from .alignment import align, check_aligner
from .gaps import Gaps
from .loudness import Limiter, voice_gain
from .utterances import Passage, Pause, SentenceStarted, Utterance, original_words

NOTHING_S = 0.3
"""Silence for a text with nothing to say in it."""
MIN_SPEED, MAX_SPEED = 0.1, 10.0
"""What can be asked for."""
PACES = (0.25, 4.0)
"""What a request's speed and that of markup in its text come to together, at the least and most."""
_GOES_ON = re.compile(r"[,;:\u2013\u2014\u3001\uff0c\uff1b\uff1a-][\"'\u201d\u2019)\]]*\s*$")
"""How the text of a piece ends where a long sentence was cut."""
_WITHIN_A_SENTENCE = 0.5
"""What a silence there is of one between sentences."""
_CUT_S = 0.25
"""Sound whose pace is changed at a time: some milliseconds of work."""


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What a request comes to on one model."""

    lease: Lease
    request: SpeechRequest
    """With the voice of the model that it means."""
    passages: AsyncGenerator[Passage, None]
    """What is spoken, in order."""
    volume: float = 1.0
    """Factor on the samples."""
    even_loudness: bool = True
    """Make the voices of the model equally loud, as far as their loudness was measured."""
    configured_voice: str | None = None
    generic_voices: Sequence[str] = ()
    library: VoiceLibrary | None = None
    """Further voices that pieces may name."""
    aligner: Lease | None = None
    """Finds the word times that the model does not tell; None if it does, or nobody asked."""

    async def events(self) -> AsyncGenerator[Audio | SentenceStarted, None]:
        """Yield the sound in order, without clicks where pieces meet; never nothing.

        Each passage is announced before its sound. Raises before the first sound of a passage what
        is wrong with a voice or language named in its text.
        """
        sounded = begun = False
        async with aclosing(self._sounds()) as sounds:
            async for event in sounds:
                if isinstance(event, Audio):
                    sounded = sounded or len(event.samples) > 0
                begun = True
                yield event
        if begun and not sounded:
            rate = self.lease.model.sample_rate
            silence = np.zeros(round(NOTHING_S * rate), np.float32)
            yield Audio(samples=silence, sample_rate=rate)

    async def _sounds(self) -> AsyncGenerator[Audio | SentenceStarted, None]:
        gaps, limiter = Gaps(self.lease.model.sample_rate), Limiter()
        longest_s = 0.0
        async with aclosing(self.passages) as passages:
            async for passage in passages:
                await self._check_pieces(passage)
                yield SentenceStarted(text=passage.text, start=passage.start)
                final = _last_piece(passage)
                for index, item in enumerate(passage.script):
                    if isinstance(item, Pause):
                        gaps.pause(item.seconds)
                        continue
                    request = await self._piece_request(item)
                    level = self._level(item, request)
                    for audio in gaps.begin(longest_s, level, request.speed):
                        for limited in limiter.feed(audio):
                            yield limited
                    longest_s = self._gap_after(item) / request.speed
                    async with aclosing(self._spoken(item, request, passage)) as sounds:
                        async for sound in sounds:
                            for audio in gaps.feed(_louder(sound, level), last=index == final):
                                for limited in limiter.feed(audio):
                                    yield limited
        for audio in gaps.finish():
            for limited in limiter.feed(audio):
                yield limited
        for limited in limiter.finish():
            yield limited

    def _level(self, piece: Utterance, request: SpeechRequest) -> float:
        gain = voice_gain(request, self.lease.model) if self.even_loudness else 1.0
        return self.volume * piece.volume * gain

    def _gap_after(self, piece: Utterance) -> float:
        """The longest silence that is left after a piece, at the voice's own pace."""
        gap = self.lease.model.gap_s
        return gap * _WITHIN_A_SENTENCE if _GOES_ON.search(piece.text) else gap

    async def _check_pieces(self, passage: Passage) -> None:
        """Look at each setting that markup makes, once."""
        pieces = [item for item in passage.script if isinstance(item, Utterance)]
        named = {
            (each.voice, each.language): each for each in pieces if each.voice or each.language
        }
        for piece in named.values():
            request = await self._piece_request(piece)
            SYNTHESIZE.check(for_engine(request, self.lease.model)[0], self.lease.model)
            if self.aligner:
                check_aligner(self.aligner.model, self.lease.model, self._language(request))

    async def _spoken(
        self, piece: Utterance, request: SpeechRequest, passage: Passage
    ) -> AsyncGenerator[Audio, None]:
        """Speak one piece: with word times at once, without them as it comes."""
        asked, pace = for_engine(request, self.lease.model)
        speech = self.lease.run(SYNTHESIZE, asked)
        timed = request.word_timestamps
        sounds = (
            self._timed(speech, piece, request, pace, passage) if timed else _paced(speech, pace)
        )
        async with aclosing(sounds):
            async for sound in sounds:
                yield sound

    async def _piece_request(self, piece: Utterance) -> SpeechRequest:
        request, model = self.request, self.lease.model
        if piece.voice:
            named = replace(request, voice=piece.voice, reference=None, reference_text=None)
            request = await with_voice(
                named, model, self.library, self.configured_voice, self.generic_voices
            )
        return replace(
            request,
            text=piece.text,
            language=piece.language or request.language,
            speed=_within(request.speed, piece.speed),
        )

    def _language(self, request: SpeechRequest) -> str | None:
        return voice_language(self.lease.model, request.voice, request.language)

    async def _timed(
        self,
        sounds: AsyncGenerator[Audio, None],
        piece: Utterance,
        request: SpeechRequest,
        pace: float,
        passage: Passage,
    ) -> AsyncGenerator[Audio, None]:
        async with aclosing(sounds):
            parts = [part async for part in sounds]
        if not any(len(part.samples) for part in parts):
            return
        whole = _joined(parts)
        words = whole.words
        if self.aligner:
            words = await align(self.aligner, whole, piece.text, self._language(request))
        if pace != 1.0:
            whole = await asyncio.to_thread(_stretched, whole, pace)
            words = tuple(
                replace(word, start=word.start / pace, end=word.end / pace) for word in words
            )
        original = original_words(passage.text, piece, words, whole.seconds)
        yield replace(whole, words=tuple(_placed(word, passage.start) for word in original))


def for_engine(request: SpeechRequest, model: ModelInfo) -> tuple[SpeechRequest, float]:
    """The part of a request that the engine does, and the pace that is left to change for it.

    Raises InvalidRequest for a speed that nothing can have.
    """
    if not MIN_SPEED <= request.speed <= MAX_SPEED:
        raise InvalidRequest(
            f"A speed of {request.speed:g} is not supported.",
            param="speed",
            hint=f"Choose a speed from {MIN_SPEED:g} to {MAX_SPEED:g}; 1 is "
            f"the voice's natural pace.",
        )
    able = model.capabilities
    times = request.word_timestamps and Capability.WORD_TIMESTAMPS in able
    slowest, fastest = model.speeds
    speed = min(max(request.speed, slowest), fastest)
    return replace(request, speed=speed, word_timestamps=times), request.speed / speed


def _within(asked: float, factor: float) -> float:
    """A speed times that of markup, which does not take it out of bounds by itself."""
    if factor == 1.0:
        return asked
    low, high = PACES
    return min(max(asked * factor, low), high)


async def _paced(sounds: AsyncGenerator[Audio, None], pace: float) -> AsyncGenerator[Audio, None]:
    async with aclosing(sounds):
        if pace == 1.0:
            async for sound in sounds:
                yield sound
            return
        from ..codecs.time_stretch import Stretcher

        stretcher, rate = Stretcher(pace), 0
        async for sound in sounds:
            rate = sound.sample_rate
            for part in _cut(sound):
                samples = await asyncio.to_thread(stretcher.feed, part)
                yield Audio(samples=samples, sample_rate=rate)
        if rate:
            yield Audio(samples=stretcher.finish(), sample_rate=rate)


def _stretched(audio: Audio, pace: float) -> Audio:
    from ..codecs.time_stretch import stretch

    return Audio(samples=stretch(audio, pace), sample_rate=audio.sample_rate)


def _cut(audio: Audio) -> list[Audio]:
    step = round(_CUT_S * audio.sample_rate)
    return [
        Audio(samples=audio.samples[first : first + step], sample_rate=audio.sample_rate)
        for first in range(0, len(audio.samples), step)
    ]


def _joined(parts: Sequence[Audio]) -> Audio:
    samples: list[Samples] = []
    words: list[Word] = []
    offset = 0.0
    for part in parts:
        words += [word.shifted(offset) for word in part.words]
        samples.append(part.samples)
        offset += part.seconds
    return Audio(
        samples=np.concatenate(samples), sample_rate=parts[0].sample_rate, words=tuple(words)
    )


def _louder(audio: Audio, factor: float) -> Audio:
    if factor == 1.0:
        return audio
    return replace(audio, samples=audio.samples * np.float32(factor))


def _placed(word: Word, start: int) -> Word:
    """A word with its place in the whole text."""
    if not start or word.span is None:
        return word
    return replace(word, span=(word.span[0] + start, word.span[1] + start))


def _last_piece(passage: Passage) -> int:
    """Index of the script's last item if nothing follows that piece of text, else -1."""
    script = passage.script
    if not passage.is_last or not script or not isinstance(script[-1], Utterance):
        return -1
    return len(script) - 1
