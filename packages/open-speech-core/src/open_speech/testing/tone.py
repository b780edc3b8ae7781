"""A provider without an engine: it speaks in tones and hears numbers. Exact and repeatable.

It is a complete example, and what tests run where any engine would do. It is installed nowhere by
itself: ``install_provider(folder, "tone", "open_speech.testing.tone")`` makes it appear.

Speech lasts ``SECONDS_PER_CHAR`` per character at speed 1, as a sine wave whose frequency the
voice decides (or a recording to imitate), in stretches of ``chunk_s`` (an option of the request or
of the provider); a seed shifts its phase, and "quiet" in the instructions halves it. Hearing yields
one segment per second of sound, which tells its number of samples and its peak; a known text
is spread evenly over what is not silent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..audio import Audio, Samples, Word
from ..backends import Backend, LoadContext, STTBackend, STTModel, TTSBackend, TTSModel
from ..errors import InvalidRequest
from ..hookspecs import hookimpl
from ..models import Capability, Kind, ModelInfo, ModelPattern, ModelSource, Voice
from ..speech import SpeechRequest
from ..transcription import (
    DetectedLanguage,
    Partial,
    Segment,
    Task,
    TokenLogprob,
    TranscriptionEvent,
    TranscriptionRequest,
)

SECONDS_PER_CHAR = 0.05
SAMPLE_RATE = 24_000
CHUNK_S = 0.5
"""Length of a stretch, unless the option ``chunk_s`` says otherwise."""
AMPLITUDE = 0.5
FREQUENCIES = {"low": 220.0, "middle": 440.0, "high": 880.0}
"""Hertz by voice."""
HEARING_RATE = 16_000
SILENCE_PEAK = 0.01
"""Seconds that stay below count as silent for ``Capability.VOICE_ACTIVITY``."""

_VOICES = tuple(Voice(id=voice, languages=("en",)) for voice in FREQUENCIES)
_SINE = ModelInfo(
    id="tone/sine",
    kind=Kind.TTS,
    description="Speaks every text as one tone.",
    languages=("en",),
    capabilities=frozenset(
        {
            Capability.SPEED,
            Capability.PITCH,
            Capability.WORD_TIMESTAMPS,
            Capability.SEED,
            Capability.VOICE_CLONE,
            Capability.INSTRUCTIONS,
        }
    ),
    sample_rate=SAMPLE_RATE,
    voices=_VOICES,
    default_voice="middle",
    voice_aliases={"alloy": "middle", "onyx": "low", "nova": "high"},
    license="CC0-1.0",
)
_PLAIN = ModelInfo(
    id="tone/plain",
    kind=Kind.TTS,
    description="Speaks every text as one tone and knows nothing else.",
    languages=("en",),
    sample_rate=SAMPLE_RATE,
    voices=_VOICES[:1],
    license="CC0-1.0",
)
_CHORUS = ModelInfo(
    id="tone/chorus",
    kind=Kind.TTS,
    description="Speaks four texts at a time.",
    languages=("en",),
    sample_rate=SAMPLE_RATE,
    voices=_VOICES,
    concurrency=4,
    license="CC0-1.0",
)
_ECHO = ModelInfo(
    id="tone/echo",
    kind=Kind.STT,
    description="Tells the length and the peak of what it hears, second by second.",
    languages=("en", "de"),
    capabilities=frozenset(
        {
            Capability.ALIGNMENT,
            Capability.TRANSLATION,
            Capability.WORD_TIMESTAMPS,
            Capability.LANGUAGE_DETECTION,
            Capability.PROMPT,
            Capability.KEYWORDS,
            Capability.TEMPERATURE,
            Capability.LOGPROBS,
            Capability.VOICE_ACTIVITY,
            Capability.PARTIALS,
        }
    ),
    sample_rate=HEARING_RATE,
    license="CC0-1.0",
)
_COUNT = ModelInfo(
    id="tone/count",
    kind=Kind.STT,
    description="Tells the length and the peak of what it hears and knows nothing else.",
    languages=("en",),
    sample_rate=HEARING_RATE,
    license="CC0-1.0",
)

Options = Mapping[str, str | int | float | bool]


class ToneModel(TTSModel):
    """Speaks in tones."""

    def __init__(self, info: ModelInfo, options: Options) -> None:
        self._info = info
        self._options = options

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Yield the tone in stretches, with the words that start in each."""
        seconds = len(request.text) * SECONDS_PER_CHAR / request.speed
        total = round(seconds * self._info.sample_rate)
        step = self._stretch(request)
        words = _words(request) if request.word_timestamps else []
        for first in range(0, total, step):
            last = min(first + step, total)
            start, end = first / self._info.sample_rate, last / self._info.sample_rate
            yield Audio(
                samples=self._samples(request, first, last),
                sample_rate=self._info.sample_rate,
                words=tuple(word.shifted(-start) for word in words if start <= word.start < end),
            )

    def _stretch(self, request: SpeechRequest) -> int:
        seconds = float(request.options.get("chunk_s", self._options.get("chunk_s", CHUNK_S)))
        return max(1, round(seconds * self._info.sample_rate))

    def _samples(self, request: SpeechRequest, first: int, last: int) -> Samples:
        time = np.arange(first, last) / self._info.sample_rate
        phase = math.radians((request.seed or 0) % 360)
        quiet = "quiet" in (request.instructions or "")
        amplitude = AMPLITUDE / 2 if quiet else AMPLITUDE
        wave = amplitude * np.sin(2.0 * math.pi * _frequency(request) * time + phase)
        return wave.astype(np.float32)


class EchoModel(STTModel):
    """Describes what it hears."""

    def __init__(self, info: ModelInfo) -> None:
        self._info = info

    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent]:
        """Yield the language, then for each second of sound its partial text and its segment."""
        if Capability.LANGUAGE_DETECTION in self._info.capabilities:
            (expected, *_) = request.languages or ("en",)
            yield DetectedLanguage(language=request.language or expected, probability=1.0)
        if request.known_text is not None:
            yield _aligned(request, request.known_text)
            return
        samples, rate = request.audio.samples, request.audio.sample_rate
        prompt = f"after {request.prompt} " if request.prompt else ""
        for first in range(0, len(samples), rate):
            piece = samples[first : first + rate]
            peak = float(np.max(np.abs(piece)))
            if request.voice_activity is not None and peak < SILENCE_PEAK:
                continue
            text = f"{prompt}{describe(piece)}"
            if request.task is Task.TRANSLATE:
                text = f"translated {text}"
            if request.keywords:
                text = f"{text} {' '.join(request.keywords)}"
            if request.partials:
                yield Partial(text=text.split()[0])
            yield _segment(request, text, first / rate, (first + len(piece)) / rate)
            prompt = ""


class ToneBackend(TTSBackend):
    """The speaking half of the provider."""

    name = "tone"
    patterns = (
        ModelPattern(
            glob="tone/voices-*",
            template=ModelInfo(
                id="tone/voices",
                kind=Kind.TTS,
                sample_rate=SAMPLE_RATE,
                voices=_VOICES,
                sources=(ModelSource(repo_id="{name}"),),
            ),
        ),
        ModelPattern(
            glob="tone/licensed-*",
            template=ModelInfo(
                id="tone/licensed",
                kind=Kind.TTS,
                sample_rate=SAMPLE_RATE,
                voices=_VOICES,
                sources=(ModelSource(repo_id="{name}"),),
                license="LicenseRef-Tone",
                license_url="https://tone.example/license",
                must_accept_license=True,
            ),
        ),
    )

    def list_available(self) -> list[ModelInfo]:
        """Three models: one that can do everything, one that can do nothing, one for many."""
        return [_SINE, _PLAIN, _CHORUS]

    def load(self, model: ModelInfo, context: LoadContext) -> ToneModel:
        """Make the model; there is nothing to read."""
        return ToneModel(model, context.options)


class EchoBackend(STTBackend):
    """The hearing half of the provider."""

    name = "tone-echo"

    def list_available(self) -> list[ModelInfo]:
        """Two models: one that can do everything, one that can do nothing."""
        return [_ECHO, _COUNT]

    def load(self, model: ModelInfo, context: LoadContext) -> EchoModel:
        """Make the model; there is nothing to read."""
        return EchoModel(model)


@hookimpl
def open_speech_backends() -> list[Backend]:
    """Both halves."""
    return [ToneBackend(), EchoBackend()]


def spoken_seconds(text: str, speed: float = 1.0) -> float:
    """How long ``tone/sine`` speaks a text."""
    return round(len(text) * SECONDS_PER_CHAR / speed * SAMPLE_RATE) / SAMPLE_RATE


def describe(samples: Samples) -> str:
    """What ``tone/echo`` says of up to one second of sound."""
    peak = float(np.max(np.abs(samples))) if len(samples) else 0.0
    return f"{len(samples)} samples peaking at {peak:.2f}"


def _frequency(request: SpeechRequest) -> float:
    """The voice's frequency, or the strongest one of the recording to imitate."""
    frequency = FREQUENCIES[request.voice]
    if request.reference is not None and len(request.reference.samples):
        spectrum = np.abs(np.fft.rfft(request.reference.samples))
        frequency = float(np.argmax(spectrum)) / request.reference.seconds
    return frequency * request.pitch


def _words(request: SpeechRequest) -> list[Word]:
    pace = SECONDS_PER_CHAR / request.speed
    return [
        Word(text=match.group(), start=match.start() * pace, end=match.end() * pace)
        for match in re.finditer(r"\S+", request.text)
    ]


def _aligned(request: TranscriptionRequest, text: str) -> Segment:
    loud = np.flatnonzero(np.abs(request.audio.samples) >= SILENCE_PEAK)
    if not text.split() or not len(loud):
        raise InvalidRequest("There is nothing to align.", param="known_text")
    rate = request.audio.sample_rate
    spoken = replace(request, word_timestamps=True)
    return _segment(spoken, text.strip(), int(loud[0]) / rate, (int(loud[-1]) + 1) / rate)


def _segment(request: TranscriptionRequest, text: str, start: float, end: float) -> Segment:
    texts = text.split()
    pace = (end - start) / len(texts)
    words = tuple(
        Word(text=word, start=start + i * pace, end=start + (i + 1) * pace, probability=1.0)
        for i, word in enumerate(texts)
    )
    logprobs = tuple(TokenLogprob(token=word, logprob=0.0) for word in texts)
    return Segment(
        text=text,
        start=start,
        end=end,
        words=words if request.word_timestamps else (),
        logprobs=logprobs if request.logprobs else (),
        seek=round(start * 100),
        temperature=request.temperature or 0.0,
    )
