"""What a provider may return, checked at the border where its results enter core.

An engine that yields not-a-number, a false sample rate or speech without end must fail its own
request with ``InvalidResult`` and nothing else. The checks cost microseconds per result. What is
wrong beyond doubt is refused; what engines are known to do and what harms nobody (peaks a little
above 1, numpy numbers for plain ones, times a window beyond the end) is repaired or let pass.
"""

from __future__ import annotations

import math
import operator
from dataclasses import replace
from numbers import Real

import numpy as np

from .._types.audio import Audio, Samples, Word
from .._types.transcription import (
    DetectedLanguage,
    Partial,
    Segment,
    TokenLogprob,
    TranscriptionEvent,
)
from ..errors import InvalidResult

MIN_RATE = 4_000
MAX_RATE = 384_000
"""Sample rates outside of these are mistakes."""
MAX_PEAK = 4.0
"""Peaks up to here (12 dB over) are clipped to 1; higher ones mean another scale, like int16's."""
TIME_SLACK_S = 30.0
"""How far beyond the end of the audio a time may lie: engines that hear windows of 30 s may
name the end of the last window."""
ORDER_SLACK_S = 1.0
"""How far a result may start before the previous one."""
MAX_STRETCH_S = 3_600.0
"""The longest single chunk of speech."""
IMPOSSIBLE_LOGPROB = -9_999.0
"""Stands for the logarithm of 0."""
MAX_TEXT_CHARS = 1_000_000
"""The longest text of one result."""


def check_audio(audio: object) -> Audio:
    """Check one chunk of speech and return it, clipped to [-1, 1] where it overshoots.

    Raises InvalidResult unless it is ``Audio`` of finite mono float32 samples at a sane rate with
    ordered words.
    """
    if not isinstance(audio, Audio):
        raise invalid(f"{_type(audio)} where Audio is due")
    rate = _check_rate(audio.sample_rate)
    samples = _check_samples(audio.samples)
    if len(samples) > MAX_STRETCH_S * rate:
        raise invalid(f"{len(samples) / rate:.0f} seconds of sound in one piece")
    words = _check_words(audio.words, len(samples) / rate)
    return replace(audio, samples=samples, sample_rate=rate, words=words)


def check_event(event: object, duration: float) -> TranscriptionEvent:
    """Check one result of a transcription of ``duration`` seconds, and return it.

    Raises InvalidResult unless it is an event with valid text and finite, ordered times.
    """
    if isinstance(event, Segment):
        return _check_segment(event, duration)
    if isinstance(event, Partial):
        _check_text(event.text, "partial text")
        return event
    if isinstance(event, DetectedLanguage):
        return _check_language(event)
    raise invalid(f"{_type(event)} where a segment, partial or language is due")


def _check_rate(rate: object) -> int:
    try:
        number = operator.index(rate)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        number = 0
    if not MIN_RATE <= number <= MAX_RATE:
        raise invalid(
            f"a sample rate of {rate!r}, not a whole number from {MIN_RATE} to {MAX_RATE}"
        )
    return number


def _check_samples(samples: object) -> Samples:
    if not isinstance(samples, np.ndarray):
        raise invalid(f"samples as {_type(samples)}, not as a numpy array")
    if samples.dtype != np.float32 or samples.ndim != 1:
        raise invalid(
            f"samples of type {samples.dtype} and shape {samples.shape}, not mono float32",
        )
    if not samples.size:
        return samples
    # Two reductions are cheaper than abs() and isfinite(), and both carry a NaN through.
    with np.errstate(invalid="ignore"):
        peak = max(float(samples.max()), -float(samples.min()))
    if not peak <= MAX_PEAK:
        what = f"a peak of {peak:.4g}" if math.isfinite(peak) else "not finite numbers"
        raise invalid(f"samples with {what}, not within -1 to 1")
    if peak > 1.0:
        return np.clip(samples, -1.0, 1.0)
    return samples


def _check_segment(segment: Segment, duration: float) -> Segment:
    _check_text(segment.text, "a segment's text")
    start = check_number(segment.start, "a segment's start")
    end = check_number(segment.end, "a segment's end")
    _check_span(start, end, duration, "a segment")
    return replace(
        segment,
        start=start,
        end=end,
        words=_check_words(segment.words, duration),
        temperature=check_number(segment.temperature, "a temperature"),
        avg_logprob=check_number(segment.avg_logprob, "an average log-probability"),
        compression_ratio=check_number(segment.compression_ratio, "a compression ratio"),
        no_speech_prob=check_number(segment.no_speech_prob, "a probability of no speech"),
        logprobs=tuple(_check_logprob(entry) for entry in segment.logprobs),
    )


def _check_language(event: DetectedLanguage) -> DetectedLanguage:
    _check_text(event.language, "a language")
    if not event.language:
        raise invalid("a language without a name")
    if event.probability is None:
        return event
    return replace(event, probability=check_number(event.probability, "a probability"))


def _check_logprob(entry: object) -> TokenLogprob:
    if not isinstance(entry, TokenLogprob):
        raise invalid(f"{_type(entry)} where a TokenLogprob is due")
    _check_text(entry.token, "a token")
    if entry.logprob == -math.inf:  # impossible by the engine's count, and nothing JSON can tell
        return replace(entry, logprob=IMPOSSIBLE_LOGPROB)
    return replace(entry, logprob=check_number(entry.logprob, "a log-probability"))


def _check_words(words: object, duration: float) -> tuple[Word, ...]:
    if not isinstance(words, tuple):
        raise invalid(f"words as {_type(words)}, not as a tuple")
    checked, latest = [], 0.0
    for word in words:
        checked.append(_check_word(word, duration))
        start = checked[-1].start
        if start < latest - ORDER_SLACK_S:
            raise invalid(f"a word at {start:.2f} s after one at {latest:.2f} s")
        latest = max(latest, start)
    return tuple(checked)


def _check_word(word: object, duration: float) -> Word:
    if not isinstance(word, Word):
        raise invalid(f"{_type(word)} where a Word is due")
    _check_text(word.text, "a word")
    start = check_number(word.start, "a word's start")
    end = check_number(word.end, "a word's end")
    _check_span(start, end, duration, "a word")
    probability = word.probability
    if probability is not None:
        probability = check_number(probability, "a word's probability")
    if type(word.start) is type(word.end) is float and type(probability) is type(word.probability):
        return word  # the usual case: there are thousands of words, and copying is slow
    return replace(word, start=start, end=end, probability=probability)


def _check_span(start: float, end: float, duration: float, what: str) -> None:
    if not 0.0 <= start <= end <= duration + TIME_SLACK_S:
        raise invalid(
            f"{what} from {start:.2f} s to {end:.2f} s in {duration:.2f} seconds of audio"
        )


def _check_text(text: object, what: str) -> None:
    if not isinstance(text, str):
        raise invalid(f"{what} as {_type(text)}, not as text")
    if len(text) > MAX_TEXT_CHARS:
        raise invalid(f"{what} of {len(text)} characters")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise invalid(f"{what} that is no valid Unicode")


def check_number(value: object, what: str) -> float:
    """Return a finite number as a float; InvalidResult for anything else."""
    if type(value) is float:
        number = value
    # numpy's numbers are Real, and bool is an int: only the latter is a mistake.
    elif isinstance(value, bool) or not isinstance(value, Real):
        raise invalid(f"{what} as {_type(value)}, not as a number")
    else:
        number = float(value)
    if not math.isfinite(number):
        raise invalid(f"{what} of {number}")
    return number


def check_whole(value: object, what: str) -> int:
    """Return a whole number; InvalidResult for anything else, a truth value among it."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        pass
    raise invalid(f"{what} as {_type(value)}, not as a whole number")


def _type(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def invalid(what: str) -> InvalidResult:
    """The error for results that break the contract; ``what`` was returned."""
    return InvalidResult(
        f"The model returned {what}.",
        hint="This is a fault of its provider: please report it there.",
    )
