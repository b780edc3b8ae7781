"""What a provider may return, checked at the border where its results enter core.

An engine that yields not-a-number, a false sample rate or speech without end must fail its own
request with ``InvalidResult`` and nothing else. The checks cost microseconds per result. What is
wrong beyond doubt is refused; what engines are known to do and what harms nobody (peaks a little
above 1, numpy numbers for plain ones, times a window beyond the end) is repaired or let pass.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator
from dataclasses import replace
from numbers import Real

import numpy as np

from .audio import Audio, Samples, Word
from .errors import InvalidResult
from .speech import SpeechRequest
from .transcription import (
    DetectedLanguage,
    Partial,
    Segment,
    TokenLogprob,
    TranscriptionEvent,
)

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
"""The longest single stretch of speech."""
MAX_EMPTY = 1_000
"""Empty stretches in a row before speech counts as endless."""
MAX_EVENTS = 10_000
MAX_EVENTS_PER_S = 200.0
"""Results of one transcription: ``MAX_EVENTS`` plus so many per second of audio."""
IMPOSSIBLE_LOGPROB = -9_999.0
"""Stands for the logarithm of 0."""
MAX_TEXT_CHARS = 1_000_000
"""The longest text of one result."""


def longest_speech(request: SpeechRequest) -> float:
    """Seconds of sound that are surely too many for this request: a bound against endless speech.

    Three seconds per character leave room for numbers, symbols and emoji that are read out.
    """
    return 30.0 + 3.0 * len(request.text) / min(1.0, max(request.speed, 0.1))


def check_audio(audio: object, model: str | None = None) -> Audio:
    """Check one stretch of speech and return it, clipped to [-1, 1] where it overshoots.

    Raises InvalidResult unless it is ``Audio`` of finite mono float32 samples at a sane rate with
    ordered words.
    """
    if not isinstance(audio, Audio):
        raise _invalid(model, f"{_type(audio)} where Audio is due")
    rate = _check_rate(audio.sample_rate, model)
    samples = _check_samples(audio.samples, model)
    if len(samples) > MAX_STRETCH_S * rate:
        raise _invalid(model, f"{len(samples) / rate:.0f} seconds of sound in one piece")
    words = _check_words(audio.words, len(samples) / rate, model)
    return replace(audio, samples=samples, sample_rate=rate, words=words)


def check_event(event: object, duration: float, model: str | None = None) -> TranscriptionEvent:
    """Check one result of a transcription of ``duration`` seconds, and return it.

    Raises InvalidResult unless it is an event with valid text and finite, ordered times.
    """
    if isinstance(event, Segment):
        return _check_segment(event, duration, model)
    if isinstance(event, Partial):
        _check_text(event.text, "partial text", model)
        return event
    if isinstance(event, DetectedLanguage):
        return _check_language(event, model)
    raise _invalid(model, f"{_type(event)} where a segment, partial or language is due")


def checked_speech(
    stretches: object, *, max_seconds: float, model: str | None = None
) -> Iterator[Audio]:
    """Pass on what ``synthesize`` returned, each stretch checked; closes it at the end.

    Raises InvalidResult for a stretch that breaks the contract, for a rate that changes, and after
    ``max_seconds`` of sound or ``MAX_EMPTY`` empty stretches in a row.
    """
    source = _iterator(stretches, "synthesize", model)
    rate, seconds, empty = 0, 0.0, 0
    try:
        for stretch in source:
            audio = check_audio(stretch, model)
            rate = rate or audio.sample_rate
            if audio.sample_rate != rate:
                raise _invalid(model, f"sound at {audio.sample_rate} Hz after sound at {rate} Hz")
            seconds += audio.seconds
            empty = 0 if len(audio.samples) else empty + 1
            if seconds > max_seconds or empty > MAX_EMPTY:
                raise _invalid(model, f"speech without end (stopped after {seconds:.0f} seconds)")
            yield audio
    finally:
        _close(source)


def checked_transcription(
    events: object, duration: float, *, model: str | None = None
) -> Iterator[TranscriptionEvent]:
    """Pass on what ``transcribe`` returned, each event checked; closes it at the end.

    Raises InvalidResult for an event that breaks the contract, for a language that is not first,
    for segments out of order, and for more events than ``duration`` seconds can hold.
    """
    source = _iterator(events, "transcribe", model)
    latest, count, limit = 0.0, 0, MAX_EVENTS + MAX_EVENTS_PER_S * duration
    language_due = True
    try:
        for item in source:
            event = check_event(item, duration, model)
            count += 1
            if count > limit:
                raise _invalid(model, f"more than {count - 1} results for {duration:.1f} seconds")
            if isinstance(event, DetectedLanguage):
                if not language_due:
                    raise _invalid(model, "a language twice or after text")
            elif isinstance(event, Segment):
                if event.start < latest - ORDER_SLACK_S:
                    raise _invalid(
                        model, f"a segment at {event.start:.2f} s after one at {latest:.2f} s"
                    )
                latest = max(latest, event.start)
            language_due = False
            yield event
    finally:
        _close(source)


def _check_rate(rate: object, model: str | None) -> int:
    try:
        number = operator.index(rate)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        number = 0
    if not MIN_RATE <= number <= MAX_RATE:
        raise _invalid(
            model, f"a sample rate of {rate!r}, not a whole number from {MIN_RATE} to {MAX_RATE}"
        )
    return number


def _check_samples(samples: object, model: str | None) -> Samples:
    if not isinstance(samples, np.ndarray):
        raise _invalid(model, f"samples as {_type(samples)}, not as a numpy array")
    if samples.dtype != np.float32 or samples.ndim != 1:
        raise _invalid(
            model,
            f"samples of type {samples.dtype} and shape {samples.shape}, not mono float32",
        )
    if not samples.size:
        return samples
    # Two reductions are cheaper than abs() and isfinite(), and both carry a NaN through.
    with np.errstate(invalid="ignore"):
        peak = max(float(samples.max()), -float(samples.min()))
    if not peak <= MAX_PEAK:
        what = f"a peak of {peak:.4g}" if math.isfinite(peak) else "not finite numbers"
        raise _invalid(model, f"samples with {what}, not within -1 to 1")
    if peak > 1.0:
        return np.clip(samples, -1.0, 1.0)
    return samples


def _check_segment(segment: Segment, duration: float, model: str | None) -> Segment:
    _check_text(segment.text, "a segment's text", model)
    start = _number(segment.start, "a segment's start", model)
    end = _number(segment.end, "a segment's end", model)
    _check_span(start, end, duration, "a segment", model)
    return replace(
        segment,
        start=start,
        end=end,
        words=_check_words(segment.words, duration, model),
        temperature=_number(segment.temperature, "a temperature", model),
        avg_logprob=_number(segment.avg_logprob, "an average log-probability", model),
        compression_ratio=_number(segment.compression_ratio, "a compression ratio", model),
        no_speech_prob=_number(segment.no_speech_prob, "a probability of no speech", model),
        logprobs=tuple(_check_logprob(entry, model) for entry in segment.logprobs),
    )


def _check_language(event: DetectedLanguage, model: str | None) -> DetectedLanguage:
    _check_text(event.language, "a language", model)
    if not event.language:
        raise _invalid(model, "a language without a name")
    if event.probability is None:
        return event
    return replace(event, probability=_number(event.probability, "a probability", model))


def _check_logprob(entry: object, model: str | None) -> TokenLogprob:
    if not isinstance(entry, TokenLogprob):
        raise _invalid(model, f"{_type(entry)} where a TokenLogprob is due")
    _check_text(entry.token, "a token", model)
    if entry.logprob == -math.inf:  # impossible by the engine's count, and nothing JSON can tell
        return replace(entry, logprob=IMPOSSIBLE_LOGPROB)
    return replace(entry, logprob=_number(entry.logprob, "a log-probability", model))


def _check_words(words: object, duration: float, model: str | None) -> tuple[Word, ...]:
    if not isinstance(words, tuple):
        raise _invalid(model, f"words as {_type(words)}, not as a tuple")
    checked, latest = [], 0.0
    for word in words:
        checked.append(_check_word(word, duration, model))
        start = checked[-1].start
        if start < latest - ORDER_SLACK_S:
            raise _invalid(model, f"a word at {start:.2f} s after one at {latest:.2f} s")
        latest = max(latest, start)
    return tuple(checked)


def _check_word(word: object, duration: float, model: str | None) -> Word:
    if not isinstance(word, Word):
        raise _invalid(model, f"{_type(word)} where a Word is due")
    _check_text(word.text, "a word", model)
    start = _number(word.start, "a word's start", model)
    end = _number(word.end, "a word's end", model)
    _check_span(start, end, duration, "a word", model)
    probability = word.probability
    if probability is not None:
        probability = _number(probability, "a word's probability", model)
    if type(word.start) is type(word.end) is float and type(probability) is type(word.probability):
        return word  # the usual case: there are thousands of words, and copying is slow
    return replace(word, start=start, end=end, probability=probability)


def _check_span(start: float, end: float, duration: float, what: str, model: str | None) -> None:
    if not 0.0 <= start <= end <= duration + TIME_SLACK_S:
        raise _invalid(
            model, f"{what} from {start:.2f} s to {end:.2f} s in {duration:.2f} seconds of audio"
        )


def _check_text(text: object, what: str, model: str | None) -> None:
    if not isinstance(text, str):
        raise _invalid(model, f"{what} as {_type(text)}, not as text")
    if len(text) > MAX_TEXT_CHARS:
        raise _invalid(model, f"{what} of {len(text)} characters")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise _invalid(model, f"{what} that is no valid Unicode")


def _number(value: object, what: str, model: str | None) -> float:
    if type(value) is float:
        number = value
    # numpy's numbers are Real, and bool is an int: only the latter is a mistake.
    elif isinstance(value, bool) or not isinstance(value, Real):
        raise _invalid(model, f"{what} as {_type(value)}, not as a number")
    else:
        number = float(value)
    if not math.isfinite(number):
        raise _invalid(model, f"{what} of {number}")
    return number


def _iterator(source: object, method: str, model: str | None) -> Iterator[object]:
    if not isinstance(source, Iterable) or isinstance(source, (str, bytes, np.ndarray)):
        raise _invalid(model, f"{_type(source)} from {method}(), not an iterator")
    return iter(source)


def _close(source: Iterator[object]) -> None:
    close = getattr(source, "close", None)
    if close is not None:
        close()


def _type(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _invalid(model: str | None, what: str) -> InvalidResult:
    name = f"The model {model!r}" if model else "The model"
    return InvalidResult(
        f"{name} returned {what}.",
        model=model,
        hint="This is a fault of its provider: please report it there.",
    )
