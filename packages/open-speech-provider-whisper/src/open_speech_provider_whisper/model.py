"""A Whisper model at work: one recording, segment by segment."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from open_speech import (
    AlignmentRequest,
    DetectedLanguage,
    LoadContext,
    ModelInfo,
    Samples,
    Segment,
    STTModel,
    TokenLogprob,
    TranscriptionEvent,
    TranscriptionRequest,
    Word,
)
from open_speech.errors import InvalidRequest, ModelNotReady

from . import languages
from ._cores import physical_cores, split
from ._engine import MIN_SAMPLES, Engine, Heard, check_device, plain
from ._settings import WORKERS, checked
from ._windows import Placed
from .catalogue import english_only

_ENGLISH = ("en",)


class WhisperModel(STTModel):
    """A loaded model.

    Several requests run at once: ``info.concurrency`` of them, each on a decoder of its own, which
    share the weights. The library's batched pipeline is left out: its windows do not know what
    was said before, so its text is not that of plain decoding, and it gains nothing on a CPU (two
    minutes at the size of "tiny" on two cores: 0.9 to 1.1 times the CPU time of plain decoding).
    """

    def __init__(self, info: ModelInfo, folder: Path, context: LoadContext) -> None:
        """Load from a folder that was checked; see ``WhisperBackend.load`` for what it raises."""
        self._settings = checked(context.options)
        check_device(context.device, context.compute_type)
        on_gpu = context.device.startswith("cuda")
        workers, threads = (1, 0) if on_gpu else split(context.threads or physical_cores())
        workers = _number(context, WORKERS) or workers
        self._engine: Engine | None = Engine(
            folder,
            device=context.device,
            # Without a word about it, eight bits on a CPU, where they are fastest and take a
            # quarter of the memory; on a GPU the format that the weights were published in.
            compute_type=context.compute_type or ("default" if on_gpu else "int8"),
            threads=threads,
            workers=workers,
        )
        self._device_bytes = (folder / "model.bin").stat().st_size if on_gpu else 0
        known = info if self._engine.multilingual else english_only(info)
        self._info = replace(known, concurrency=max(workers, 2) if on_gpu else workers)

    @property
    def info(self) -> ModelInfo:
        """Whether it knows English alone, and how many requests it takes at once."""
        return self._info

    def device_memory_bytes(self) -> int:
        """The size of the weights as they are on disk: the engine keeps no count."""
        return self._device_bytes if self._engine else 0

    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent]:
        """Yield the language, then each segment when its window of 30 seconds is decoded.

        With voice activity, silence gives no text and takes no decoding. Can be stopped between
        two windows.
        """
        engine = self._ready()
        language = self._code(request.language)
        among = [] if language else [self._known(tag, "languages") for tag in request.languages]
        settings = {**self._settings, **checked(request.options)}
        samples = np.ascontiguousarray(request.audio.samples, np.float32)
        regions = None
        if len(samples) < MIN_SAMPLES:
            regions = []
        elif request.voice_activity:
            regions = engine.speech(samples, request.voice_activity)
        if regions == []:
            if language:
                yield DetectedLanguage(language=languages.tag(language))
            return
        heard = engine.hear(
            samples,
            regions,
            logprobs=request.logprobs,
            language=language,
            among=among,
            **settings,
            **_asked(request, engine),
        )
        yield from _events(heard)

    def align(self, request: AlignmentRequest) -> Iterator[TranscriptionEvent]:
        """Yield the language, then the words window by window, in a segment for each."""
        engine, language = self._ready(), self._code(request.language)
        samples = np.ascontiguousarray(request.audio.samples, np.float32)
        yield from _aligned(engine, samples, request.text, language)

    def close(self) -> None:
        """Free the weights."""
        engine, self._engine = self._engine, None
        if engine:
            engine.close()

    def _ready(self) -> Engine:
        if self._engine is None:
            raise ModelNotReady(f"The model {self._info.id} was closed.", model=self._info.id)
        return self._engine

    def _code(self, tag: str | None) -> str | None:
        """The model's code for the language of a request; None to have it detected."""
        if tag is None:
            return "en" if self._info.languages == _ENGLISH else None
        return self._known(tag, "language")

    def _known(self, tag: str, param: str) -> str:
        """The model's code for a language; raises InvalidRequest where it knows none."""
        english = self._info.languages == _ENGLISH
        code = languages.code(tag)
        if code and (code == "en" or not english) and self._has(code):
            return code
        raise InvalidRequest(
            f"The model {self._info.id} does not understand {tag[:32]!r}.",
            model=self._info.id,
            param=param,
            hint="It understands English alone."
            if english
            else "It takes BCP-47 tags, such as 'en', 'de' or 'pt-BR'.",
        )

    def _has(self, code: str) -> bool:
        return not self._info.languages or languages.tag(code) in self._info.languages


def _asked(request: TranscriptionRequest, engine: Engine) -> dict[str, Any]:
    """A request in the library's words; what is left open is left to the library."""
    asked: dict[str, Any] = {
        "task": request.task.value,
        "word_timestamps": request.word_timestamps,
        "initial_prompt": plain(request.prompt) if request.prompt else None,
        "hotwords": engine.hotwords(request.keywords),
    }
    if request.temperature is not None:
        asked["temperature"] = float(request.temperature)
    return asked


def _aligned(
    engine: Engine, samples: Samples, text: str, language: str | None
) -> Iterator[TranscriptionEvent]:
    """The words of a text that is known, with their times, in one or more segments."""
    places = [found.span() for found in re.finditer(r"\S+", text)]
    if not places:
        raise InvalidRequest(
            "There is no word in the text to align.",
            param="text",
            hint="Give the words that are said in the recording.",
        )
    done = 0
    for aligned in engine.align(samples, [text[slice(*place)] for place in places], language):
        if not done:
            tag = languages.tag(aligned.language)
            yield DetectedLanguage(language=tag, probability=aligned.probability)
        first, done = done, done + len(aligned.placed)
        yield _placed(text[places[first][0] : places[done - 1][1]], aligned.placed)


def _placed(text: str, placed: Sequence[Placed]) -> Segment:
    certain = [math.log(max(p, 1e-10)) for each in placed for p in each.token_probabilities]
    return Segment(
        text=text,
        start=placed[0].word.start,
        end=max(each.word.end for each in placed),
        words=tuple(each.word for each in placed),
        avg_logprob=sum(certain) / len(certain),
    )


def _events(heard: Heard) -> Iterator[TranscriptionEvent]:
    yield DetectedLanguage(language=languages.tag(heard.language), probability=heard.probability)
    with closing(heard.segments):
        for segment, logprobs in heard.segments:
            yield _segment(segment, logprobs)


def _segment(heard: Any, logprobs: tuple[TokenLogprob, ...]) -> Segment:
    """A segment of the library as plain numbers; nothing is rounded or moved."""
    return Segment(
        text=heard.text,
        start=float(heard.start),
        end=float(heard.end),
        words=tuple(_word(word) for word in heard.words or ()),
        tokens=tuple(int(token) for token in heard.tokens),
        seek=int(heard.seek),
        temperature=float(heard.temperature),
        avg_logprob=float(heard.avg_logprob),
        compression_ratio=float(heard.compression_ratio),
        no_speech_prob=float(heard.no_speech_prob),
        logprobs=logprobs,
    )


def _word(heard: Any) -> Word:
    return Word(
        text=heard.word.strip(),
        start=float(heard.start),
        end=float(heard.end),
        probability=min(float(heard.probability), 1.0),
    )


def _number(context: LoadContext, name: str) -> int:
    value = context.options.get(name, 0)
    if type(value) is int and 0 <= value <= 16:
        return value
    raise InvalidRequest(
        f"The setting {name!r} cannot be {str(value)[:64]!r}.",
        param="options",
        hint="It is a whole number up to 16; 0 leaves it to the provider.",
    )
