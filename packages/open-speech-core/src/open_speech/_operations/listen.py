"""Speech to text while the sound comes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._types.audio import Audio
from .._types.listening import Flush, Flushed, ListeningEvent
from .._types.models import Capability, ModelInfo
from .._types.transcription import DetectedLanguage, Partial, Segment, TranscriptionRequest
from .operation import Fed, Needs, Operation
from .transcribe import MAX_EVENTS_PER_S, TRANSCRIBE
from .validation import ORDER_SLACK_S, check_event, invalid

_ALWAYS = 1_000
"""Results that may come whatever was fed."""
_PARTIALS = frozenset({Capability.PARTIALS})


class Listen(Operation[TranscriptionRequest, ListeningEvent]):
    """Understand sound while it comes in, utterance by utterance."""

    name = "listen"
    request = TranscriptionRequest
    events = (DetectedLanguage, Partial, Segment, Flushed)
    feeds = (Audio, Flush)
    capability = Capability.LISTENING

    def needs(self, request: TranscriptionRequest, model: ModelInfo) -> Needs:
        """What a transcription would need; partial text is what listening is for."""
        needs = TRANSCRIBE.needs(request, model)
        return {each: need for each, need in needs.items() if each not in _PARTIALS}

    def checked(
        self, request: TranscriptionRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[ListeningEvent]:
        """Check each event, that segments are in order and not too many for what was fed."""
        latest, count = 0.0, 0
        for item in results:
            count += 1
            if count > _ALWAYS + MAX_EVENTS_PER_S * fed.seconds:
                raise invalid(f"more than {count} results for {fed.seconds:.1f} seconds")
            if isinstance(item, Flushed):
                yield item
                continue
            event = check_event(item, fed.seconds)
            if isinstance(event, Segment):
                if event.start < latest - ORDER_SLACK_S:
                    raise invalid(f"a segment at {event.start:.2f} s after {latest:.2f} s")
                latest = max(latest, event.start)
            yield event


LISTEN = Listen()
