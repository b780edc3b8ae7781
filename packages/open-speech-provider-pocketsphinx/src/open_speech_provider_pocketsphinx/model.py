"""The model at work: one region of speech after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np

from open_speech import (
    AlignmentRequest,
    Audio,
    ModelInfo,
    Partial,
    Segment,
    STTModel,
    TranscriptionEvent,
    TranscriptionRequest,
    Word,
    main_language,
)
from open_speech.errors import InvalidRequest, ModelNotReady

from ._engine import SAMPLE_RATE, Engine, conditioned
from .alignment import MAX_SECONDS, placed, refusal, spoken
from .grammars import jsgf
from .regions import DEFAULT, regions


class PocketsphinxModel(STTModel):
    """Understands American English."""

    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        self._engine: Engine | None = Engine()

    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent | None]:
        """Yield one segment per region of speech, with partials between if they are wanted."""
        engine = self._ready(request.language)
        engine.expect(jsgf(request.grammar) if request.grammar else None)
        samples, seconds = request.audio.samples, request.audio.seconds
        pcm = np.clip(samples * 32_767, -32_768, 32_767).astype(np.int16)
        for start, end in regions(pcm, request.voice_activity or DEFAULT):
            shown = ""
            with closing(engine.hear(conditioned(samples[start:end]))) as progress:
                for _ in progress:
                    if request.partials and (text := engine.text()) != shown:
                        shown = text
                        yield Partial(text=text)
                    else:
                        yield None  # it may be stopped here
            words = [_moved(word, start / SAMPLE_RATE, seconds) for word in engine.words()]
            if words:
                yield _segment(words, start, timed=request.word_timestamps)

    def align(self, request: AlignmentRequest) -> Iterator[TranscriptionEvent | None]:
        """Align up to two minutes of sound, in one segment."""
        yield from _aligned(self._ready(request.language), request.audio, request.text)

    def close(self) -> None:
        """Free the decoder."""
        self._engine = None

    def _ready(self, language: str | None) -> Engine:
        if self._engine is None:
            raise ModelNotReady(f"The model {self._info.id} was closed.", model=self._info.id)
        if language and main_language(language) != "en":
            raise InvalidRequest(
                f"The model {self._info.id} understands English, not {language!r}.",
                model=self._info.id,
                param="language",
                hint="Other models understand more: pip install open-speech-provider-whisper.",
            )
        return self._engine


def _aligned(engine: Engine, audio: Audio, text: str) -> Iterator[Segment | None]:
    """The words of a text that is known, with their times, once the engine is through."""
    if audio.seconds > MAX_SECONDS:
        raise refusal(f"More than {MAX_SECONDS:.0f} seconds of sound cannot be aligned.")
    said = spoken(text, engine.knows)
    expected = [each for _, parts in said for each in parts]
    engine.expect_words(expected)
    with closing(engine.hear(conditioned(audio.samples))) as progress:
        yield from progress
    heard = [_moved(word, 0.0, audio.seconds) for word in engine.words()]
    if [word.text for word in heard] != expected:
        raise refusal("The recording does not match the text.")
    segment = _segment(heard, 0, timed=True)
    yield replace(segment, text=text.strip(), words=tuple(placed(said, heard)))


def _moved(word: Word, offset: float, seconds: float) -> Word:
    """Place a word of a region in the recording."""
    start, end = (min(max(offset + time, 0.0), seconds) for time in (word.start, word.end))
    return replace(word, start=start, end=end)


def _segment(words: list[Word], first_sample: int, *, timed: bool) -> Segment:
    confidences = [max(word.probability or 0.0, 1e-10) for word in words]
    return Segment(
        text=" ".join(word.text for word in words),
        start=words[0].start,
        end=words[-1].end,
        words=tuple(words) if timed else (),
        seek=first_sample * 100 // SAMPLE_RATE,
        avg_logprob=sum(map(math.log, confidences)) / len(confidences),
    )
