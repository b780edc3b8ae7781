"""A provider without an engine: it speaks in tones and hears numbers. Exact and repeatable.

It is a complete example, and what tests run where any engine would do. It is installed nowhere by
itself: ``install_provider(folder, "tone", "open_speech.testing.tone")`` makes it appear.

Speech lasts ``SECONDS_PER_CHAR`` per character at speed 1, as a sine wave whose frequency the
voice decides (or a recording to imitate), in chunks of ``chunk_s`` (an option of the request or
of the provider); a seed shifts its phase, and "quiet" in the instructions halves it. Hearing yields
one segment per second of sound, which tells its number of samples and its peak; a known text
is spread evenly over what is not silent. What is louder than ``SILENCE_PEAK`` counts as speech, and
a turn is over if it is not louder than ``UNFINISHED_PEAK``. Each pitch is a speaker.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from .._plugins.backends import (
    Backend,
    DiarizationBackend,
    DiarizationModel,
    LoadContext,
    STTBackend,
    STTModel,
    TTSBackend,
    TTSModel,
    TurnBackend,
    TurnModel,
    VADBackend,
    VADModel,
)
from .._plugins.hookspecs import hookimpl
from .._types.audio import Audio, Samples, Word
from .._types.listening import (
    DetectionRequest,
    Flush,
    Flushed,
    ListeningEvent,
    SpeechActivity,
    TurnEnd,
    TurnRequest,
)
from .._types.models import Capability, Kind, ModelInfo, ModelPattern, ModelSource, Voice
from .._types.speakers import (
    DiarizationRequest,
    EmbeddingRequest,
    SpeakerEmbedding,
    SpeakerTurn,
)
from .._types.speech import Phonemes, PhonemesRequest, SpeechRequest
from .._types.transcription import (
    AlignmentRequest,
    DetectedLanguage,
    Partial,
    Segment,
    Task,
    TokenLogprob,
    TranscriptionEvent,
    TranscriptionRequest,
)
from ..errors import InvalidRequest

__all__ = [
    "EchoBackend",
    "EchoModel",
    "LevelBackend",
    "LevelModel",
    "LoudnessBackend",
    "LoudnessModel",
    "PitchBackend",
    "PitchModel",
    "ToneBackend",
    "ToneModel",
    "describe",
    "open_speech_backends",
    "spoken_seconds",
]


SECONDS_PER_CHAR = 0.05
SAMPLE_RATE = 24_000
CHUNK_S = 0.5
"""Length of a chunk, unless the option ``chunk_s`` says otherwise."""
AMPLITUDE = 0.5
FREQUENCIES = {"low": 220.0, "middle": 440.0, "high": 880.0}
"""Hertz by voice."""
GAINS_DB = {"low": -6.0, "middle": 0.0, "high": 4.0}
"""Of the voices of ``tone/chorus``."""
HEARING_RATE = 16_000
SILENCE_PEAK = 0.01
"""Seconds that stay below count as silent for ``Capability.VOICE_ACTIVITY``."""
UNFINISHED_PEAK = 0.7
"""Whoever is louder than this before a pause has not finished."""
FRAME_S = 0.02
"""Of ``tone/level``."""
PITCH_FRAME_S = 0.1
"""Of ``tone/pitch``."""
MIN_VOICE_S = 0.3
"""Sound that ``tone/pitch`` can tell a voice by."""
_PITCHES = 100.0 * 2.0 ** (np.arange(25) / 6.0)
"""Hertz: what the numbers of a voice's vector stand for."""
_VOICES = tuple(Voice(id=voice, languages=("en",)) for voice in FREQUENCIES)
_SINE = ModelInfo(
    id="tone/sine",
    kind=Kind.TTS,
    description="Speaks every text as one tone.",
    languages=("en",),
    capabilities=frozenset(
        {
            Capability.PITCH,
            Capability.WORD_TIMESTAMPS,
            Capability.SEED,
            Capability.VOICE_CLONE,
            Capability.INSTRUCTIONS,
            Capability.PHONEMIZATION,
        }
    ),
    sample_rate=SAMPLE_RATE,
    speeds=(0.1, 10.0),
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
    description="Speaks four texts at a time; its voices claim to be of different loudness.",
    languages=("en",),
    sample_rate=SAMPLE_RATE,
    voices=tuple(replace(voice, gain_db=GAINS_DB[voice.id]) for voice in _VOICES),
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

_LIVE = ModelInfo(
    id="tone/live",
    kind=Kind.STT,
    description="Tells the length and the peak of what it hears while it comes in.",
    languages=("en",),
    capabilities=frozenset({Capability.LISTENING, Capability.WORD_TIMESTAMPS}),
    sample_rate=HEARING_RATE,
    sessions=4,
    license="CC0-1.0",
)
_LEVEL = ModelInfo(
    id="tone/level",
    kind=Kind.VAD,
    description="Takes whatever is loud for speech.",
    sample_rate=HEARING_RATE,
    sessions=64,
    license="CC0-1.0",
)
_LOUDNESS = ModelInfo(
    id="tone/loudness",
    kind=Kind.TURN,
    description="Takes whoever shouts for not having finished.",
    sample_rate=HEARING_RATE,
    license="CC0-1.0",
)
_PITCH = ModelInfo(
    id="tone/pitch",
    kind=Kind.DIARIZATION,
    description="Takes each pitch for a speaker.",
    capabilities=frozenset({Capability.EMBEDDING, Capability.SPEECH_SPANS}),
    sample_rate=HEARING_RATE,
    same_voice=0.9,
    license="CC0-1.0",
)

Options = Mapping[str, str | int | float | bool]


class ToneModel(TTSModel):
    """Speaks in tones."""

    def __init__(self, info: ModelInfo, options: Options) -> None:
        self._info = info
        self._options = options

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Yield the tone in chunks, with the words that start in each."""
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

    def phonemize(self, request: PhonemesRequest) -> Iterator[Phonemes]:
        """Yield the words as they are written, in lower case."""
        yield Phonemes(text=" ".join(request.text.lower().split()))

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

    def align(self, request: AlignmentRequest) -> Iterator[TranscriptionEvent]:
        """Spread the words over what is not silence."""
        loud = np.flatnonzero(np.abs(request.audio.samples) >= SILENCE_PEAK)
        if not request.text.split() or not len(loud):
            raise InvalidRequest("There is nothing to align.", param="text")
        rate = request.audio.sample_rate
        spoken = TranscriptionRequest(audio=request.audio, word_timestamps=True)
        first, end = int(loud[0]) / rate, (int(loud[-1]) + 1) / rate
        yield _segment(spoken, request.text.strip(), first, end)

    def listen(
        self, request: TranscriptionRequest, sound: Iterator[Audio | Flush]
    ) -> Iterator[ListeningEvent]:
        """Tell how much of an utterance there is, after each chunk and as a whole.

        With the option ``endpoint_s``, so much silence behind sound ends an utterance as well.
        """
        rate = self._info.sample_rate
        endpoint = float(request.options.get("endpoint_s", 0.0))
        heard, before = np.zeros(0, np.float32), 0
        for item in sound:
            if isinstance(item, Audio):
                heard = np.concatenate([heard, item.samples])
                yield Partial(text=describe(heard))
                if not endpoint or not _has_ended(heard, round(endpoint * rate)):
                    continue
            if len(heard):
                end = (before + len(heard)) / rate
                yield _segment(request, describe(heard), before / rate, end)
            before, heard = before + len(heard), heard[:0]
            yield Flushed(unasked=isinstance(item, Audio))


class LevelModel(VADModel):
    """Hears by loudness."""

    def __init__(self, info: ModelInfo) -> None:
        self._frame = round(FRAME_S * info.sample_rate)

    def detect(self, request: DetectionRequest, sound: Iterator[Audio]) -> Iterator[SpeechActivity]:
        """Yield 1 for each loud frame, 0 for each silent one."""
        rest, judged = np.zeros(0, np.float32), 0
        for audio in sound:
            samples = np.concatenate([rest, audio.samples])
            count = len(samples) // self._frame
            rest = samples[count * self._frame :]
            frames = samples[: count * self._frame].reshape(count, self._frame)
            loud = np.abs(frames).max(axis=1) >= SILENCE_PEAK if count else []
            yield SpeechActivity(
                start=judged * FRAME_S,
                frame_s=FRAME_S,
                probabilities=tuple(float(each) for each in loud),
            )
            judged += count


class LoudnessModel(TurnModel):
    """Judges by loudness."""

    def predict_turn_end(self, request: TurnRequest) -> Iterator[TurnEnd]:
        """Yield 0 for a turn that was loud, 1 for any other."""
        peak = float(np.max(np.abs(request.audio.samples), initial=0.0))
        yield TurnEnd(probability=0.0 if peak > UNFINISHED_PEAK else 1.0)


class PitchModel(DiarizationModel):
    """Tells speakers apart by pitch."""

    def __init__(self, info: ModelInfo) -> None:
        self._rate = info.sample_rate
        self._frame = round(PITCH_FRAME_S * info.sample_rate)

    def diarize(
        self, request: DiarizationRequest, sound: Iterator[Audio]
    ) -> Iterator[SpeakerTurn | None]:
        """Yield a turn for each stretch of a pitch; two that sound at once are two speakers.

        Where ``speech`` is told, a frame of which nothing lies there is silence. Pitches beyond
        ``max_speakers`` count as that of the last speaker.
        """
        rest, speaking, numbers, judged = np.zeros(0, np.float32), dict[int, float](), [], 0
        turns: list[SpeakerTurn] = []
        most = request.max_speakers or 1_000

        def end(speaker: int, at: float) -> None:
            turns.append(SpeakerTurn(start=speaking.pop(speaker), end=at, speaker=speaker))

        for audio in sound:
            samples = np.concatenate([rest, audio.samples])
            count = len(samples) // self._frame
            rest = samples[count * self._frame :]
            for frame in samples[: count * self._frame].reshape(count, self._frame):
                at = judged * PITCH_FRAME_S
                found = _pitches(frame) if _is_spoken(at, request.speech) else []
                numbers += [pitch for pitch in found if pitch not in numbers]
                now = {min(numbers.index(pitch), most - 1) for pitch in found}
                for speaker in [each for each in speaking if each not in now]:
                    end(speaker, at)
                for speaker in now:
                    speaking.setdefault(speaker, at)
                judged += 1
            yield None
        for speaker in list(speaking):
            end(speaker, judged * PITCH_FRAME_S)
        yield from sorted(turns, key=lambda turn: (turn.start, turn.speaker))

    def embed(self, request: EmbeddingRequest) -> Iterator[SpeakerEmbedding]:
        """Yield how strong each pitch is."""
        if request.audio.seconds < MIN_VOICE_S:
            raise InvalidRequest(
                f"A recording of {request.audio.seconds:.2f} s is too short to tell a voice by.",
                param="audio",
                hint=f"Send at least {MIN_VOICE_S} s of one speaker.",
            )
        spectrum = np.abs(np.fft.rfft(request.audio.samples))
        hertz = np.fft.rfftfreq(len(request.audio.samples), 1.0 / request.audio.sample_rate)
        edges = np.searchsorted(hertz, _PITCHES)
        strength = np.add.reduceat(spectrum, np.minimum(edges, len(spectrum) - 1)) + 1e-6
        vector = strength / np.linalg.norm(strength)
        yield SpeakerEmbedding(vector=tuple(float(each) for each in vector))


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
        """Three models: one that can do everything, one that can do nothing, one that streams."""
        return [_ECHO, _COUNT, _LIVE]

    def load(self, model: ModelInfo, context: LoadContext) -> EchoModel:
        """Make the model; there is nothing to read."""
        return EchoModel(model)


class LevelBackend(VADBackend):
    """Detects voice activity."""

    name = "tone-level"

    def list_available(self) -> list[ModelInfo]:
        """The one model."""
        return [_LEVEL]

    def load(self, model: ModelInfo, context: LoadContext) -> LevelModel:
        """Make the model; there is nothing to read."""
        return LevelModel(model)


class LoudnessBackend(TurnBackend):
    """Judges the ends of turns."""

    name = "tone-loudness"

    def list_available(self) -> list[ModelInfo]:
        """The one model."""
        return [_LOUDNESS]

    def load(self, model: ModelInfo, context: LoadContext) -> LoudnessModel:
        """Make the model; there is nothing to read."""
        return LoudnessModel(model, context)


class PitchBackend(DiarizationBackend):
    """Tells who speaks."""

    name = "tone-pitch"

    def list_available(self) -> list[ModelInfo]:
        """The one model."""
        return [_PITCH]

    def load(self, model: ModelInfo, context: LoadContext) -> PitchModel:
        """Make the model; there is nothing to read."""
        return PitchModel(model)


@hookimpl
def open_speech_backends() -> list[Backend]:
    """One backend of each kind."""
    return [ToneBackend(), EchoBackend(), LevelBackend(), LoudnessBackend(), PitchBackend()]


def spoken_seconds(text: str, speed: float = 1.0) -> float:
    """How long ``tone/sine`` speaks a text."""
    return round(len(text) * SECONDS_PER_CHAR / speed * SAMPLE_RATE) / SAMPLE_RATE


def describe(samples: Samples) -> str:
    """What ``tone/echo`` says of up to one second of sound."""
    peak = float(np.max(np.abs(samples))) if len(samples) else 0.0
    return f"{len(samples)} samples peaking at {peak:.2f}"


def _pitches(frame: Samples) -> list[int]:
    """The pitches of a frame that are half as strong as its strongest, as numbers of bins."""
    if np.max(np.abs(frame)) < SILENCE_PEAK:
        return []
    spectrum = np.abs(np.fft.rfft(frame * np.hanning(len(frame))))
    inner = spectrum[1:-1]
    peaks = (inner > spectrum[:-2]) & (inner >= spectrum[2:]) & (inner >= spectrum.max() / 2)
    return [int(each) + 1 for each in np.flatnonzero(peaks)]


def _is_spoken(at: float, speech: tuple[tuple[float, float], ...] | None) -> bool:
    if speech is None:
        return True
    return any(start < at + PITCH_FRAME_S and end > at for start, end in speech)


def _has_ended(samples: Samples, silent: int) -> bool:
    """Whether there is so much silence behind sound."""
    loud = np.flatnonzero(np.abs(samples) >= SILENCE_PEAK)
    return len(loud) > 0 and len(samples) - int(loud[-1]) > silent


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
