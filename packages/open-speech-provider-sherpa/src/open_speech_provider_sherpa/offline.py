"""A model that understands a whole recording, in stretches if it is long."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from open_speech import (
    Capability,
    DetectedLanguage,
    LoadContext,
    ModelInfo,
    OptionValue,
    Samples,
    Segment,
    STTModel,
    Task,
    TokenLogprob,
    TranscriptionEvent,
    TranscriptionRequest,
)
from open_speech.errors import ModelNotReady

from . import languages
from .engine import SAMPLE_RATE, Heard, OfflineEngine, contiguous
from .families import CAPABILITIES, Family
from .layout import Layout
from .settings import OF_REQUESTS, OFFLINE, checked
from .stretches import stretches
from .words import spread, words

LONGEST_S = 25.0
"""The longest stretch. Models of this kind were trained with up to 30 seconds, some with 40."""
_LONGEST_OF = {Family.MOONSHINE_V2: 9.0}  # reported to hear nothing in windows beyond 9.4 seconds
SHORTEST_S = 0.1
"""What is shorter holds no word, and few of the engine's graphs take it."""
PADDED_S = 0.5
"""What is shorter gets silence behind it."""
SILENT = 1e-4
"""A stretch that stays below this level, 80 dB under full scale, holds nothing."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a request comes to, in the engine's terms."""

    language: str | None
    """The model's tag; None to have it found."""
    among: Sequence[str]
    target: str | None
    keywords: Sequence[str]
    options: Mapping[str, str]
    longest_s: float


class OfflineModel(STTModel):
    """A loaded model; ``info`` says what its family can do."""

    def __init__(self, info: ModelInfo, layout: Layout, context: LoadContext) -> None:
        """Load from files that were checked."""
        self._family = layout.family
        self._settings = checked(context.options, OFFLINE)
        self._engine: OfflineEngine | None = OfflineEngine(
            layout, cores(context.threads), self._settings
        )
        self._info = known(info, layout)

    @property
    def info(self) -> ModelInfo:
        """What the files can do, whatever was expected of their name."""
        return self._info

    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent | None]:
        """Yield a segment for each stretch; can be stopped between two of them."""
        engine, asked = self._ready(), self._asked(request)
        samples = contiguous(request.audio.samples)
        told = False
        for first, end in stretches(samples, SAMPLE_RATE, asked.longest_s):
            piece = samples[first:end]
            if len(piece) < SHORTEST_S * SAMPLE_RATE or float(np.abs(piece).max()) < SILENT:
                yield None
                continue
            heard, language = self._hear(engine, piece, asked)
            if not told and language:
                told = True
                asked = replace(asked, language=language)  # one language in a recording
                yield DetectedLanguage(language=language)
            if heard.text:
                yield self._segment(heard, request, first / SAMPLE_RATE, end / SAMPLE_RATE)
            else:
                yield None
        if not told and self._family is Family.SENSE_VOICE and asked.language:
            yield DetectedLanguage(language=asked.language)

    def close(self) -> None:
        """Free the weights."""
        self._engine = None

    def _ready(self) -> OfflineEngine:
        if self._engine is None:
            raise ModelNotReady(f"The model {self._info.id} was closed.", model=self._info.id)
        return self._engine

    def _asked(self, request: TranscriptionRequest) -> _Asked:
        options = {**self._settings, **checked(request.options, OF_REQUESTS["offline"])}
        language = languages.chosen(self._info, request.language)
        among = [
            found
            for tag in request.languages
            if (found := languages.chosen(self._info, tag, "languages"))
        ]
        target = None
        if self._family is Family.CANARY:
            language = language or (among[0] if among else "en")
            target = "en" if request.task is Task.TRANSLATE else language
        elif len(among) == 1 and language is None:
            language = among[0]
        return _Asked(
            language=language,
            among=among,
            target=target,
            keywords=request.keywords,
            options=self._stream_options(options),
            longest_s=float(
                options.get("longest_stretch", _LONGEST_OF.get(self._family, LONGEST_S))
            ),
        )

    def _stream_options(self, options: Mapping[str, OptionValue]) -> dict[str, str]:
        if self._family is not Family.SENSE_VOICE or "use_itn" not in options:
            return {}
        return {"use_itn": str(int(bool(options["use_itn"])))}

    def _hear(
        self, engine: OfflineEngine, piece: Samples, asked: _Asked
    ) -> tuple[Heard, str | None]:
        """What is understood, and the language where the model tells it."""
        padding = round(PADDED_S * SAMPLE_RATE) - len(piece)
        if padding > 0:
            piece = np.concatenate([piece, np.zeros(padding, np.float32)])

        def hear(language: str | None) -> Heard:
            tells = self._family in {Family.SENSE_VOICE, Family.CANARY}
            return engine.hear(
                piece,
                source=language if tells else None,
                target=asked.target,
                keywords=asked.keywords,
                options=asked.options,
            )

        heard = hear(asked.language)
        if self._family is not Family.SENSE_VOICE:
            return heard, None
        language = asked.language or languages.told(heard.language)
        if language and asked.among and language not in asked.among:
            language = asked.among[0]
            heard = hear(language)
        return heard, language

    def _segment(
        self, heard: Heard, request: TranscriptionRequest, start: float, end: float
    ) -> Segment:
        """The segment of a stretch, with times of the whole recording."""
        length = end - start
        first = heard.tokens[0].start if heard.tokens else 0.0
        found = words(heard.text, heard.tokens, length)
        if not found and Capability.WORD_TIMESTAMPS in self._info.capabilities:
            found = spread(heard.text, 0.0, length)
        begin = min(first, length)
        segment = Segment(
            text=heard.text,
            start=begin,
            end=max(found[-1].end, begin) if found else length,
            words=found if request.word_timestamps else (),
        )
        return with_logprobs(segment, heard, wanted=request.logprobs).shifted(start)


def known(info: ModelInfo, layout: Layout) -> ModelInfo:
    """What is known of a model once its files were seen."""
    capabilities = CAPABILITIES[layout.family]
    if layout.family is Family.PARAFORMER:  # some tell times, which only their names say
        capabilities |= info.capabilities & {Capability.WORD_TIMESTAMPS}
    found = info.languages or languages.of_files(layout.family, layout.metadata)
    return replace(info, capabilities=capabilities, languages=found)


def with_logprobs(segment: Segment, heard: Heard, *, wanted: bool) -> Segment:
    """The segment with how sure the engine was, where it tells."""
    entries = tuple(
        TokenLogprob(token=token.text, logprob=min(token.logprob, 0.0))
        for token in heard.tokens
        if token.logprob is not None
    )
    if not entries:
        return segment
    average = sum(entry.logprob for entry in entries) / len(entries)
    return replace(segment, avg_logprob=average, logprobs=entries if wanted else ())


def cores(threads: int) -> int:
    """How many threads to give the engine: those asked for, or up to four."""
    return threads or min(4, os.cpu_count() or 1)
