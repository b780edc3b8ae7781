"""One request for speech, carried out piece by piece on a loaded model.

What an engine cannot do is done here for it: another pace, word times, loudness, pauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import numpy as np

from .alignment import align, check_aligner
from .audio import Audio, Samples, Word
from .capabilities import check_speech
from .cloning import with_voice
from .errors import InvalidRequest
from .lease import Lease
from .models import Capability, ModelInfo
from .script import Pause, Piece, original_words
from .seams import Joiner
from .speech import SpeechRequest
from .voice_library import VoiceLibrary

MIN_SPEED, MAX_SPEED = 0.1, 10.0
"""What can be asked for."""
PACES = (0.25, 4.0)
"""What a request's speed and that of markup in its text come to together, at the least and most."""
_CUT_S = 0.25
"""Sound whose pace is changed at a time: some milliseconds of work."""


@dataclass(frozen=True, kw_only=True)
class Speaking:
    """What a request comes to on one model."""

    lease: Lease
    request: SpeechRequest
    """With the voice of the model that it means."""
    script: Sequence[Piece | Pause]
    volume: float = 1.0
    """Factor on the samples."""
    configured_voice: str | None = None
    library: VoiceLibrary | None = None
    """Further voices that pieces may name."""
    aligner: Lease | None = None
    """Finds the word times that the model does not tell; None if it does, or nobody asked."""

    async def stretches(self) -> AsyncGenerator[Audio, None]:
        """Yield the sound in order, without clicks where pieces meet.

        Raises before the first of it what is wrong with a voice or language named in the text.
        """
        await self._check_pieces()
        joiner, final = Joiner(), _last_piece(self.script)
        rate = self.lease.model.sample_rate
        for index, item in enumerate(self.script):
            joiner.begin()
            if isinstance(item, Pause):
                silence = np.zeros(round(item.seconds * rate), np.float32)
                for audio in joiner.feed(Audio(samples=silence, sample_rate=rate), last=False):
                    yield audio
                continue
            async with aclosing(self._spoken(item)) as sounds:
                async for sound in sounds:
                    rate = sound.sample_rate
                    for audio in joiner.feed(sound, last=index == final):
                        yield audio
        for audio in joiner.finish():
            yield audio

    async def _check_pieces(self) -> None:
        """Look at each setting that markup makes, once."""
        pieces = [item for item in self.script if isinstance(item, Piece)]
        named = {
            (each.voice, each.language): each for each in pieces if each.voice or each.language
        }
        for piece in named.values():
            request = await self._piece_request(piece)
            check_speech(for_engine(request, self.lease.model)[0], self.lease.model)
            if self.aligner:
                check_aligner(self.aligner.model, self.lease.model, self._language(request))

    async def _spoken(self, piece: Piece) -> AsyncGenerator[Audio, None]:
        """Speak one piece: with word times at once, without them as it comes."""
        request = await self._piece_request(piece)
        asked, pace = for_engine(request, self.lease.model)
        speech = self.lease.speak(asked)
        timed = request.word_timestamps
        sounds = self._timed(speech, piece, request, pace) if timed else _paced(speech, pace)
        async with aclosing(sounds):
            async for sound in sounds:
                yield _louder(sound, self.volume * piece.volume)

    async def _piece_request(self, piece: Piece) -> SpeechRequest:
        request, model = self.request, self.lease.model
        if piece.voice:
            named = replace(request, voice=piece.voice, reference=None, reference_text=None)
            request = await with_voice(named, model, self.library, self.configured_voice)
        return replace(
            request,
            text=piece.text,
            language=piece.language or request.language,
            speed=_within(request.speed, piece.speed),
        )

    def _language(self, request: SpeechRequest) -> str | None:
        return request.language or voice_language(self.lease.model, request.voice)

    async def _timed(
        self, sounds: AsyncGenerator[Audio, None], piece: Piece, request: SpeechRequest, pace: float
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
        yield replace(whole, words=original_words(self.request.text, piece, words))


def for_engine(request: SpeechRequest, model: ModelInfo) -> tuple[SpeechRequest, float]:
    """The part of a request that the engine does, and the pace that is left to change for it.

    Raises InvalidRequest for a speed that nothing can have.
    """
    if not MIN_SPEED <= request.speed <= MAX_SPEED:
        raise InvalidRequest(
            f"A speed of {request.speed:g} cannot be had.",
            param="speed",
            hint=f"It is from {MIN_SPEED:g} to {MAX_SPEED:g}; 1 is the voice's own.",
        )
    able = model.capabilities
    pace = 1.0 if Capability.SPEED in able else request.speed
    times = request.word_timestamps and Capability.WORD_TIMESTAMPS in able
    speed = request.speed if Capability.SPEED in able else 1.0
    return replace(request, speed=speed, word_timestamps=times), pace


def voice_language(model: ModelInfo, voice: str) -> str | None:
    """The main language of a voice, or the model's only one, or None if that is not known."""
    for each in model.voices:
        if each.id == voice and each.languages:
            return each.languages[0]
    return model.languages[0] if len(model.languages) == 1 else None


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
        from .codecs.stretch import Stretcher

        stretcher, rate = Stretcher(pace), 0
        async for sound in sounds:
            rate = sound.sample_rate
            for part in _cut(sound):
                samples = await asyncio.to_thread(stretcher.feed, part)
                yield Audio(samples=samples, sample_rate=rate)
        if rate:
            yield Audio(samples=stretcher.finish(), sample_rate=rate)


def _stretched(audio: Audio, pace: float) -> Audio:
    from .codecs.stretch import stretch

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
    return replace(audio, samples=np.clip(audio.samples * np.float32(factor), -1.0, 1.0))


def _last_piece(script: Sequence[Piece | Pause]) -> int:
    """Index of the script's last item if that is a piece of text, else -1."""
    return len(script) - 1 if script and isinstance(script[-1], Piece) else -1
