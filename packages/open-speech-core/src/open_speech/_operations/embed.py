"""Speaker embeddings: a voice as a vector."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from .._types.models import Capability
from .._types.speakers import EmbeddingRequest, SpeakerEmbedding
from .operation import Fed, Operation
from .validation import check_number, invalid

MIN_SIZE = 2
MAX_SIZE = 8_192
"""Numbers of a vector."""
NORM_SLACK = 0.01
"""How far the length of a vector may be from 1."""


class Embed(Operation[EmbeddingRequest, SpeakerEmbedding]):
    """Describe a voice: one vector."""

    name = "embed"
    request = EmbeddingRequest
    events = (SpeakerEmbedding,)
    capability = Capability.EMBEDDING

    def checked(
        self, request: EmbeddingRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[SpeakerEmbedding]:
        """Check that there is exactly one, of finite numbers and length 1 beyond rounding."""
        count = 0
        for event in results:
            count += 1
            if not isinstance(event, SpeakerEmbedding):
                raise invalid(f"{type(event).__name__} where a SpeakerEmbedding is due")
            if count > 1:
                raise invalid("more than one vector for a voice")
            yield SpeakerEmbedding(vector=_checked(event.vector))
        if not count:
            raise invalid("no vector for a voice")


def _checked(vector: object) -> tuple[float, ...]:
    if not isinstance(vector, (tuple, list, np.ndarray)):
        raise invalid(f"a vector as {type(vector).__name__}")
    if not MIN_SIZE <= len(vector) <= MAX_SIZE:
        raise invalid(f"a vector of {len(vector)} numbers")
    values = [check_number(each, "a number of a vector") for each in vector]
    norm = math.sqrt(math.fsum(value * value for value in values))
    if abs(norm - 1.0) > NORM_SLACK:
        raise invalid(f"a vector of length {norm:.3g}, not 1")
    return tuple(value / norm for value in values)


EMBED = Embed()
