"""Speech to text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._types.languages import main_language
from .._types.models import Capability, ModelInfo
from .._types.transcription import (
    DetectedLanguage,
    Partial,
    Segment,
    Task,
    TranscriptionEvent,
    TranscriptionRequest,
)
from .operation import Fed, Needs, Operation
from .validation import ORDER_SLACK_S, check_event, invalid

MAX_EVENTS = 10_000
MAX_EVENTS_PER_S = 200.0
"""Results of one transcription: ``MAX_EVENTS`` plus so many per second of audio."""


class Transcribe(Operation[TranscriptionRequest, TranscriptionEvent]):
    """Understand a recording: the language, then segments in order."""

    name = "transcribe"
    request = TranscriptionRequest
    events = (DetectedLanguage, Partial, Segment)

    def needs(self, request: TranscriptionRequest, model: ModelInfo) -> Needs:
        """What a request asks for beyond plain text."""
        return {
            Capability.TRANSLATION: ("task", request.task is Task.TRANSLATE),
            Capability.LANGUAGE_DETECTION: ("languages", _has_to_choose(request, model)),
            Capability.PROMPT: ("prompt", request.prompt is not None),
            Capability.KEYWORDS: ("keywords", bool(request.keywords)),
            Capability.TEMPERATURE: ("temperature", request.temperature is not None),
            Capability.WORD_TIMESTAMPS: ("timestamp_granularities", request.word_timestamps),
            Capability.LOGPROBS: ("include", request.logprobs),
            Capability.PARTIALS: ("partials", request.partials),
            Capability.VOICE_ACTIVITY: ("chunking_strategy", request.voice_activity is not None),
            Capability.GRAMMAR: ("grammar", request.grammar is not None),
        }

    def checked(
        self, request: TranscriptionRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[TranscriptionEvent]:
        """Check each event, that the language is first, segments in order and not too many."""
        return in_order(results, request.audio.seconds)


TRANSCRIBE = Transcribe()


def in_order(results: Iterable[object], duration: float) -> Iterator[TranscriptionEvent]:
    """Pass on the events of ``duration`` seconds of sound, each one checked.

    Raises InvalidResult for one that breaks the contract, for a language that is not first, for
    segments out of order, and for more events than the sound can hold.
    """
    latest, limit = 0.0, MAX_EVENTS + MAX_EVENTS_PER_S * duration
    language_due = True
    for count, item in enumerate(results):
        event = check_event(item, duration)
        if count >= limit:
            raise invalid(f"more than {count} results for {duration:.1f} seconds")
        if isinstance(event, DetectedLanguage):
            if not language_due:
                raise invalid("a language twice or after text")
        elif isinstance(event, Segment):
            if event.start < latest - ORDER_SLACK_S:
                raise invalid(f"a segment at {event.start:.2f} s after one at {latest:.2f} s")
            latest = max(latest, event.start)
        language_due = False
        yield event


def _has_to_choose(request: TranscriptionRequest, model: ModelInfo) -> bool:
    """Whether a language has to be found among those expected; one is all that some models know."""
    expected = {main_language(tag) for tag in request.languages}
    only = {main_language(tag) for tag in model.languages}
    return bool(expected) and request.language is None and not (len(only) == 1 and only <= expected)
