"""Phonemes: how a model would pronounce a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._types.models import Capability
from .._types.speech import Phonemes, PhonemesRequest
from .operation import Fed, Operation
from .validation import invalid

MAX_PER_CHARACTER = 50
"""Phonemes that one character of a text may become: a digit is read as a word."""


class Phonemize(Operation[PhonemesRequest, Phonemes]):
    """Spell a text in the phonemes that the model takes, piece by piece."""

    name = "phonemize"
    request = PhonemesRequest
    events = (Phonemes,)
    capability = Capability.PHONEMIZATION

    def checked(
        self, request: PhonemesRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[Phonemes]:
        """Check that it is text, and no more than the request can be."""
        written = 0
        for event in results:
            if not isinstance(event, Phonemes) or not isinstance(event.text, str):
                raise invalid(f"{type(event).__name__} where Phonemes are due")
            written += len(event.text)
            if written > MAX_PER_CHARACTER * (len(request.text) + 10):
                raise invalid(f"{written} phonemes for {len(request.text)} characters")
            yield event


PHONEMIZE = Phonemize()
