"""What a speech-to-text model is asked, and what it yields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

import numpy as np

from .audio import Audio, Word


class Task(StrEnum):
    """What to make of the speech."""

    TRANSCRIBE = "transcribe"
    TRANSLATE = "translate"
    """To English (``Capability.TRANSLATION``)."""


@dataclass(frozen=True, kw_only=True)
class VoiceActivity:
    """How to tell speech from the rest."""

    threshold: float = 0.5
    """Probability in [0, 1] from which a frame counts as speech."""
    min_silence_s: float = 2.0
    """Silence shorter than this does not end a region of speech."""
    padding_s: float = 0.4
    """Kept before and after each region of speech."""


NO_SOUND = Audio(samples=np.zeros(0, np.float32), sample_rate=16_000)


@dataclass(frozen=True, kw_only=True)
class TranscriptionRequest:
    """A recording to understand, and how. Core decodes it and resamples it to the model's rate."""

    audio: Audio = NO_SOUND
    """Filled by core with what is to be understood, one chunk of a long recording at a time."""
    language: str | None = None
    """BCP-47; None means detect it, or the model's only one."""
    languages: tuple[str, ...] = ()
    """BCP-47: where no ``language`` is given, the one detected is one of these
    (``Capability.LANGUAGE_DETECTION``); empty means any."""
    task: Task = Task.TRANSCRIBE
    prompt: str | None = None
    """Text that went before (``Capability.PROMPT``)."""
    keywords: tuple[str, ...] = ()
    """Words to expect (``Capability.KEYWORDS``)."""
    temperature: float | None = None
    """In [0, 1] (``Capability.TEMPERATURE``); None leaves it to the engine."""
    word_timestamps: bool = False
    """Fill ``Segment.words`` (``Capability.WORD_TIMESTAMPS``)."""
    logprobs: bool = False
    """Fill ``Segment.logprobs`` (``Capability.LOGPROBS``)."""
    partials: bool = False
    """Yield ``Partial`` too (``Capability.PARTIALS``)."""
    voice_activity: VoiceActivity | None = None
    """Skip what is not speech (``Capability.VOICE_ACTIVITY``)."""
    grammar: str | None = None
    """Name or text of a grammar (``Capability.GRAMMAR``)."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings of this engine alone."""


@dataclass(frozen=True, kw_only=True)
class AlignmentRequest:
    """A recording and what is said in it, word for word."""

    audio: Audio
    """At the model's rate."""
    text: str
    """The words of the segments that come back, one after the other, are those of this text, split
    at white space. A text that the audio cannot be aligned with is an ``InvalidRequest``."""
    language: str | None = None
    """BCP-47; None means detect it, or the model's only one."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Settings of this engine alone."""


@dataclass(frozen=True, kw_only=True)
class TokenLogprob:
    """How sure the engine was of one token."""

    token: str
    logprob: float
    """Natural logarithm of the probability."""


@dataclass(frozen=True, kw_only=True)
class DetectedLanguage:
    """The language the engine settled on; yielded at most once, before any segment."""

    language: str
    """BCP-47."""
    probability: float | None = None


@dataclass(frozen=True, kw_only=True)
class Partial:
    """Text that may still change; replaced by the next partial or segment."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A finished piece of text with its times."""

    text: str
    start: float
    """Seconds from the start of the audio."""
    end: float
    words: tuple[Word, ...] = ()
    """Times are seconds from the start of the audio."""
    tokens: tuple[int, ...] = ()
    seek: int = 0
    """Frames of 10 ms before the window it came from."""
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 1.0
    no_speech_prob: float = 0.0
    logprobs: tuple[TokenLogprob, ...] = ()
    speaker: str | None = None
    """Who says it, filled by core where speakers are told apart."""

    def shifted(self, seconds: float) -> Self:
        """The same segment so many seconds later: of a chunk as part of a whole recording."""
        return replace(
            self,
            start=self.start + seconds,
            end=self.end + seconds,
            words=tuple(word.shifted(seconds) for word in self.words),
            seek=self.seek + round(seconds * 100),
        )

    def within(self, seconds: float) -> Self:
        """The same segment with no time beyond a recording of this length."""
        if self.end <= seconds and all(word.end <= seconds for word in self.words):
            return self
        words = tuple(
            replace(word, start=min(word.start, seconds), end=min(word.end, seconds))
            for word in self.words
        )
        start, end = min(self.start, seconds), min(self.end, seconds)
        return replace(self, start=start, end=end, words=words)


TranscriptionEvent = DetectedLanguage | Partial | Segment
"""What ``STTModel.transcribe`` yields."""


_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3000, 0x30FF),  # CJK punctuation, kana
    (0x3400, 0x9FFF),  # CJK ideographs
    (0xF900, 0xFAFF),
    (0xFF00, 0xFFEF),  # full-width forms
    (0x20000, 0x3FFFF),
)
"""Code points of scripts that put no space between words."""


def gap(before: str, after: str) -> str:
    """What belongs between two texts of one recording: a space, unless one is there or unusual."""
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return ""
    ends = (ord(before[-1]), ord(after[0]))
    unspaced = any(low <= point <= high for point in ends for low, high in _UNSPACED)
    return "" if unspaced else " "


def join_texts(texts: Iterable[str]) -> str:
    """One text of a recording's segments, whether or not they bring their own spaces."""
    whole = ""
    for text in texts:
        whole += gap(whole, text) + text
    return whole.strip()


@dataclass(frozen=True, kw_only=True)
class Transcription:
    """A whole recording, understood."""

    text: str
    language: str | None
    duration: float
    """Seconds of audio heard."""
    segments: tuple[Segment, ...] = ()
    pauses: tuple[tuple[float, float], ...] = ()
    """Seconds at which each silence begins and ends, if they were asked for."""

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word of every segment, in order."""
        return tuple(word for segment in self.segments for word in segment.words)
