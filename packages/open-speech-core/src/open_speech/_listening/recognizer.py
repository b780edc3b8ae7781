"""Who makes text of utterances: the same for engines that stream and for those that do not."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from .. import errors
from .._types.transcription import TranscriptionRequest
from .tape import Tape
from .utterance import Decoding, Utterance


@dataclass(frozen=True, kw_only=True)
class Outlet:
    """Where a recognizer leaves what it finds. Called on the event loop; must not block."""

    interim: Callable[[Utterance, str], None]
    """An utterance has a new decoding; with what has become stable of its text."""
    final: Callable[[Utterance, str], None]
    """The same for the last time."""
    failed: Callable[[Utterance, errors.OpenSpeechError], None]
    """An utterance could not be understood; the session goes on."""
    ended: Callable[[Utterance, float], None]
    """The engine itself found where an utterance ends."""


class Recognizer(ABC):
    """Understands the utterances of one session. One event loop only.

    Told of each utterance: ``begin``, any number of ``heard``, then ``end`` or
    ``drop``. ``run`` works until ``finish``.
    """

    def __init__(self, tape: Tape, how: TranscriptionRequest, outlet: Outlet) -> None:
        self.tape = tape
        self.how = how
        """May be changed; counts for utterances that begin from then on."""
        self.interim_s: float | None = 1.0
        """Sound between two interim results; None for none."""
        self.outlet = outlet
        self.judged_to = math.inf
        """How far the sound is known to belong to the utterance that goes on."""

    @property
    def heard_to(self) -> float:
        """How much of the sound may be understood now."""
        return min(self.tape.end, self.judged_to)

    @property
    def cut_from(self) -> float:
        """The earliest place at which an utterance can still be cut."""
        return 0.0

    @property
    def pause_s(self) -> float:
        """How long a pause has to be for it to be worth being told of."""
        return 0.1

    @property
    @abstractmethod
    def pending(self) -> int:
        """Utterances that have ended and have no text yet."""

    @property
    @abstractmethod
    def oldest(self) -> float | None:
        """Where the sound begins that is still needed; None if none is."""

    @abstractmethod
    def begin(self, utterance: Utterance) -> None:
        """Take a new utterance; its sound is on the tape from its start."""

    @abstractmethod
    def heard(self) -> None:
        """Note that there is more on the tape, or that somebody speaks again or has paused."""

    @abstractmethod
    def end(self, utterance: Utterance) -> None:
        """Note that an utterance has its ``end``; its text is due."""

    @abstractmethod
    def drop(self, utterance: Utterance) -> None:
        """Forget an utterance."""

    @abstractmethod
    def finish(self) -> None:
        """Say that no utterance comes any more."""

    @abstractmethod
    async def run(self) -> None:
        """Work until all is done after ``finish``. Raises what makes the session impossible."""

    def take(self, utterance: Utterance, decoding: Decoding, *, last: bool) -> None:
        """Give out what a decoding says."""
        utterance.decoding = decoding
        if utterance.dropped:
            return
        if last:
            self.outlet.final(utterance, utterance.text.finish(decoding.text))
            return
        settle = decoding.end <= utterance.settles_until
        delta = utterance.text.update(decoding.text, settle=settle)
        self.outlet.interim(utterance, delta)
