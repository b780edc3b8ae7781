"""Where somebody speaks in a whole recording, from the probabilities of its frames.

The rules and their names are those of Silero's own ``get_speech_timestamps``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .._types.listening import SpeechActivity

_HYSTERESIS = 0.15
"""So much below the threshold speech that is under way goes on, where nothing else is asked for."""
_CUT_SILENCE_S = 0.098
"""A silence at which speech that is too long may be cut."""


@dataclass(frozen=True, kw_only=True)
class SpanOptions:
    """What counts as speech, and as one piece of it. Times in seconds."""

    threshold: float = 0.5
    """Probability from which a frame is speech."""
    release: float | None = None
    """Below it a frame is silence; None is a little below ``threshold``."""
    min_speech_s: float = 0.25
    """Shorter pieces are left out."""
    max_speech_s: float = math.inf
    """Longer pieces are cut at their last silence, else where they are too long."""
    min_silence_s: float = 0.1
    """Silence that ends a piece."""
    padding_s: float = 0.03
    """Added on both sides, as far as the neighbours leave room."""


@dataclass(frozen=True, kw_only=True)
class SpeechSpan:
    """A piece of a recording in which somebody speaks, in seconds."""

    start: float
    end: float


@dataclass
class _Finder:
    options: SpanOptions
    found: list[tuple[float, float]] = field(default_factory=list)
    start: float | None = None
    silent_since: float | None = None
    cut: tuple[float, float] | None = None
    """The last silence of the piece that is long enough to be cut at."""

    def hear(self, start: float, end: float, probability: float) -> None:
        options = self.options
        release = max(options.threshold - _HYSTERESIS, 0.01)
        if options.release is not None:
            release = options.release
        if self.start is None:
            if probability >= options.threshold:
                self.start = start
            return
        if probability >= options.threshold:
            if self.silent_since is not None and start - self.silent_since > _CUT_SILENCE_S:
                self.cut = (self.silent_since, start)
            self.silent_since = None
        elif probability < release and self.silent_since is None:
            self.silent_since = start
        silent_since = self.silent_since
        if silent_since is not None and end - silent_since >= options.min_silence_s - 1e-6:
            self._close(silent_since)
        elif end - self.start > options.max_speech_s:
            self._split(end)

    def _split(self, end: float) -> None:
        if self.cut is None:
            self._close(end)
            self.start = end
        else:
            silence_start, resumed = self.cut
            since = self.silent_since
            self._close(silence_start)
            self.start, self.silent_since = resumed, since

    def _close(self, end: float) -> None:
        assert self.start is not None
        if end - self.start >= self.options.min_speech_s and end > self.start:
            self.found.append((self.start, end))
        self.start = self.silent_since = self.cut = None

    def finish(self, seconds: float) -> list[tuple[float, float]]:
        if self.start is not None:
            self._close(seconds)
        return self.found


def speech_spans(
    activity: Iterable[SpeechActivity], seconds: float, options: SpanOptions
) -> Iterator[SpeechSpan]:
    """Yield the pieces of a recording of so many seconds in which somebody speaks, in order."""
    finder = _Finder(options)
    for event in activity:
        for start, end, probability in event.frames():
            if start < seconds:
                finder.hear(start, min(end, seconds), probability)
    found = finder.finish(seconds)
    for number, (start, end) in enumerate(found):
        before = found[number - 1][1] if number else 0.0
        after = found[number + 1][0] if number + 1 < len(found) else seconds
        room_before = (start - before) / (2 if number else 1)
        room_after = (after - end) / (2 if number + 1 < len(found) else 1)
        yield SpeechSpan(
            start=start - min(options.padding_s, room_before),
            end=end + min(options.padding_s, room_after),
        )
