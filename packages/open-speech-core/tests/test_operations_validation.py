"""The border: what an engine may return, and what fails its request."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._operations import SYNTHESIZE, TRANSCRIBE, Operation
from open_speech._operations.operation import NOTHING, Fed
from open_speech._operations.synthesize import MAX_EMPTY, longest_speech
from open_speech._operations.validation import (
    IMPOSSIBLE_LOGPROB,
    MAX_PEAK,
    check_audio,
    check_event,
)
from open_speech._types.audio import Audio, Word
from open_speech._types.speech import SpeechRequest
from open_speech._types.transcription import (
    DetectedLanguage,
    Partial,
    Segment,
    TokenLogprob,
    TranscriptionEvent,
    TranscriptionRequest,
)
from open_speech.errors import InvalidResult
from open_speech.testing import silence, sine
from open_speech.testing._faults import HEARING, SPEECH

WRONG_SPEECH = (
    "number", "nan", "infinite", "loud", "int16", "float64", "two-dimensional", "three-dimensional",
    "list", "bytes", "rate-zero", "rate-negative", "rate-text", "rate-changes", "negative-times",
    "endless", "endless-empty",
)  # fmt: skip
WRONG_HEARING = (
    "number", "audio", "negative-times", "reversed-times", "nan-times", "late-times", "disordered",
    "no-text", "two-languages", "endless",
)  # fmt: skip


def segment(**fields: Any) -> Segment:
    return Segment(**{"text": "one", "start": 0.0, "end": 1.0, **fields})


def speech(chunks: Any, seconds: float = 60.0) -> list[Audio]:
    """Checked as the speech of a text that is surely no longer than that."""
    request = SpeechRequest(text="a" * int((seconds - 30) / 3), voice="")
    return list(SYNTHESIZE.checked(request, chunks, Fed(NOTHING)))


def text(events: Any, seconds: float = 1.0) -> list[TranscriptionEvent]:
    """Checked as what was heard in so many seconds of sound."""
    return list(TRANSCRIBE.checked(recording(seconds), events, Fed(NOTHING)))


def recording(seconds: float) -> TranscriptionRequest:
    return TranscriptionRequest(audio=silence(seconds))


class Engine:
    """A model that returns what it is given."""

    def __init__(self, returned: Any) -> None:
        self.synthesize = self.transcribe = lambda _: returned


@pytest.mark.parametrize("fault", WRONG_SPEECH)
def test_wrong_speech_is_refused(fault: str) -> None:
    with pytest.raises(InvalidResult):
        speech(SPEECH[fault]({}))


@pytest.mark.parametrize("fault", WRONG_HEARING)
def test_wrong_text_is_refused(fault: str) -> None:
    with pytest.raises(InvalidResult):
        text(HEARING[fault]({}), 10.0)


@pytest.mark.parametrize("answer", [None, 42, "text", b"RIFF", np.zeros(5, np.float32), sine(0.1)])
def test_what_is_no_iterator_is_refused(answer: object) -> None:
    with pytest.raises(InvalidResult, match="synthesize"):
        list(SYNTHESIZE.carry_out(Engine(answer), SpeechRequest(text="a", voice="")))
    with pytest.raises(InvalidResult, match="transcribe"):
        list(TRANSCRIBE.carry_out(Engine(answer), recording(1.0)))


def test_good_speech_passes_unchanged() -> None:
    given_audio = [sine(0.1), silence(0.0), sine(0.2)]
    got = speech(iter(given_audio))
    assert all(a.samples is b.samples for a, b in zip(got, given_audio, strict=True))


def test_small_overshoot_is_clipped() -> None:
    samples = np.array([0.0, 1.2, -MAX_PEAK], np.float32)
    checked = check_audio(Audio(samples=samples, sample_rate=16_000))
    assert checked.samples.tolist() == [0.0, 1.0, -1.0]
    assert samples[1] == np.float32(1.2), "the engine's own array is left alone"


def test_a_peak_just_beyond_the_bound_is_refused() -> None:
    samples = np.array([-MAX_PEAK * 1.001], np.float32)
    with pytest.raises(InvalidResult, match="peak"):
        check_audio(Audio(samples=samples, sample_rate=16_000))


def test_empty_stretches_do_not_end_speech_unless_there_are_too_many() -> None:
    few = [silence(0.0)] * MAX_EMPTY + [sine(0.1)]
    assert len(speech(few * 2)) == 2 * len(few)
    with pytest.raises(InvalidResult, match="endless speech"):
        speech([silence(0.0)] * (MAX_EMPTY + 1))


def test_numpy_numbers_become_plain_ones() -> None:
    one = np.float32(1.0)
    word = Word(text="a", start=np.float32(0), end=one, probability=one)  # type: ignore[arg-type]
    checked = check_event(
        segment(start=np.float64(0), end=one, words=(word,), avg_logprob=one), 2.0
    )
    assert isinstance(checked, Segment)
    json.dumps(asdict(checked), allow_nan=False)
    rate: Any = np.int64(16_000)
    assert type(check_audio(replace(sine(0.1), sample_rate=rate)).sample_rate) is int


def test_impossible_tokens_stay_tellable() -> None:
    certain = TokenLogprob(token="a", logprob=-math.inf)
    checked = check_event(segment(logprobs=(certain,)), 1.0)
    assert isinstance(checked, Segment)
    assert checked.logprobs[0].logprob == IMPOSSIBLE_LOGPROB


@pytest.mark.parametrize(
    "event",
    [
        segment(text="\ud800"),
        segment(avg_logprob=math.nan),
        segment(start=True),
        segment(start="0"),
        segment(words=[Word(text="a", start=0.0, end=0.1)]),
        segment(words=("a",)),
        segment(words=(Word(text="a", start=5.0, end=5.1), Word(text="b", start=0.0, end=0.1))),
        segment(logprobs=(-0.5,)),
        segment(logprobs=(TokenLogprob(token="a", logprob=math.nan),)),
        segment(text="x" * 1_000_001),
        DetectedLanguage(language=""),
        DetectedLanguage(language="en", probability=math.nan),
        Partial(text=None),  # type: ignore[arg-type]
    ],
)
def test_wrong_events_are_refused(event: object) -> None:
    with pytest.raises(InvalidResult):
        check_event(event, 10.0)


def test_a_language_after_text_is_refused() -> None:
    events = [Partial(text="a"), DetectedLanguage(language="en")]
    with pytest.raises(InvalidResult, match="language"):
        text(events)


def test_times_of_the_last_window_pass() -> None:
    """Engines that hear windows of 30 s name its end for short audio."""
    assert text([segment(end=29.98)], 1.5) == [segment(end=29.98)]


@pytest.mark.parametrize("operation", [SYNTHESIZE, TRANSCRIBE])
@pytest.mark.parametrize("ending", ["closed", "broken", "done"])
def test_the_engine_is_closed_however_it_ends(operation: Operation[Any, Any], ending: str) -> None:
    closed: list[bool] = []
    speaks = operation is SYNTHESIZE

    def engine() -> Iterator[Any]:
        try:
            yield sine(0.1) if speaks else segment()
            yield "wrong" if ending == "broken" else sine(0.1) if speaks else Partial(text="x")
        finally:
            closed.append(True)

    request: Any = SpeechRequest(text="a", voice="") if speaks else recording(1.0)
    results: Any = operation.carry_out(Engine(engine()), request)
    next(results)
    if ending == "closed":
        results.close()
    elif ending == "broken":
        with pytest.raises(InvalidResult):
            list(results)
    else:
        list(results)
    assert closed


def test_the_bound_of_speech_leaves_room() -> None:
    request = SpeechRequest(text="a" * 100, voice="any")
    assert longest_speech(request) > 100
    assert longest_speech(replace(request, speed=0.5)) > 1.5 * longest_speech(request)
    assert math.isfinite(longest_speech(replace(request, speed=0.0)))


@given(st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), max_size=50))
def test_what_passes_is_finite_and_in_range(values: list[float]) -> None:
    audio = Audio(samples=np.array(values, np.float32), sample_rate=16_000)
    try:
        checked = check_audio(audio)
    except InvalidResult:
        assert not all(abs(value) <= MAX_PEAK for value in values)
    else:
        assert all(abs(value) <= 1.0 for value in checked.samples.tolist())


_number = st.floats(-100, 100) | st.just(math.nan) | st.just(math.inf)


@given(st.lists(st.tuples(_number, _number), max_size=8), st.floats(0, 50))
def test_times_that_pass_are_usable(times: list[tuple[float, float]], duration: float) -> None:
    events = [segment(start=start, end=end) for start, end in times]
    try:
        passed = text(events, duration)
    except InvalidResult:
        return
    assert len(passed) == len(events)
    for event in passed:
        assert isinstance(event, Segment)
        assert 0.0 <= event.start <= event.end < 100.0
