"""Which models a live session is made of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from .._lifecycle.lease import Lease
from .._types.models import Capability, Kind, ModelInfo
from .._types.transcription import TranscriptionRequest
from .events import TurnDetection
from .recognizer import Outlet, Recognizer
from .repeated import RepeatedRecognizer
from .session import Parts
from .streaming import StreamingRecognizer
from .tape import Tape


def listening_parts(
    hold: Callable[[str], AbstractAsyncContextManager[Lease]],
    model: ModelInfo,
    name: str,
    found: Callable[[Kind], ModelInfo | None],
    turns: TurnDetection | None,
) -> Parts:
    """Put together what a session on a model needs; ``found`` says which models there are."""
    how = TranscriptionRequest()
    silence_s = (turns or TurnDetection()).silence_s

    def recognizer(tape: Tape, outlet: Outlet) -> Recognizer:
        if Capability.LISTENING in model.capabilities:
            return StreamingRecognizer(partial(hold, name), tape, how, outlet)
        return RepeatedRecognizer(partial(hold, name), tape, how, outlet, silence_s)

    detector, judge = found(Kind.VAD), found(Kind.TURN)
    return Parts(
        recognizer=recognizer,
        sample_rate=model.sample_rate,
        detect=partial(hold, detector.id) if detector else None,
        detect_rate=detector.sample_rate if detector else model.sample_rate,
        judge=partial(hold, judge.id) if judge else None,
        judge_rate=judge.sample_rate if judge else model.sample_rate,
    )
