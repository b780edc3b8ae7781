"""The times of words that are known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._types.models import Capability
from .._types.transcription import AlignmentRequest, DetectedLanguage, Segment, TranscriptionEvent
from .operation import Fed, Operation
from .transcribe import in_order
from .validation import invalid


class Align(Operation[AlignmentRequest, TranscriptionEvent]):
    """Find when each word of a text is said: segments with all of its words, in order."""

    name = "align"
    request = AlignmentRequest
    events = (DetectedLanguage, Segment)
    capability = Capability.ALIGNMENT

    def checked(
        self, request: AlignmentRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[TranscriptionEvent]:
        """Check each event as those of a transcription, and that every word has its times."""
        words, found = len(request.text.split()), 0
        for event in in_order(results, request.audio.seconds):
            if isinstance(event, Segment):
                found += len(event.words)
            yield event
        if found != words:
            raise invalid(f"the times of {found} words of {words}")


ALIGN = Align()
