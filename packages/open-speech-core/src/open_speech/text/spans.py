"""What markup divides a text into: spans that are spoken one way, and pauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .._synthesis.utterances import Pause
from .._types.models import Capability, ModelInfo
from ..errors import InvalidRequest, UnsupportedCapability
from ._tracked import Recorder, Tracked

MAX_PAUSE_S = 30.0
"""The longest single pause."""
MAX_PAUSES_S = 300.0
"""The longest that all pauses of a text are together."""
MIN_RATE, MAX_RATE = 0.25, 4.0
"""What rates are brought to that lie beyond."""
MAX_IPA = 200
"""Characters of one pronunciation; a longer one is left out and its word spoken as usual."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a span is spoken; None and 1 leave the request's as it is."""

    voice: str | None = None
    language: str | None = None
    speed: float = 1.0
    volume: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Span:
    """Text under one setting."""

    tracked: Tracked
    setting: Setting = field(default_factory=Setting)


@dataclass
class Collector:
    """Collects spans and pauses in the order of the text."""

    model: ModelInfo
    setting: Setting = field(default_factory=Setting)
    text: Recorder = field(default_factory=Recorder)
    paused: float = 0.0
    _done: list[Span | Pause] = field(default_factory=list)

    def end(self) -> None:
        """Let a new span begin: no sentence goes on from here."""
        tracked = self.text.finish()
        if tracked.text and not tracked.text.isspace():
            self._done.append(Span(tracked=tracked, setting=self.setting))

    def change(self, setting: Setting) -> None:
        """Speak what follows in another way."""
        if setting != self.setting:
            self.end()
            self.setting = setting

    def pause(self, seconds: float) -> None:
        """Add silence.

        Raises:
            InvalidRequest: too much of it.
        """
        self.paused += seconds
        if seconds > MAX_PAUSE_S or self.paused > MAX_PAUSES_S:
            raise InvalidRequest(
                f"The text pauses for {seconds:g} s, {self.paused:g} s in all so far.",
                param="input",
                hint=f"A pause lasts at most {MAX_PAUSE_S:g} s, all of them {MAX_PAUSES_S:g} s.",
            )
        if seconds > 0:
            self.end()
            self._done.append(Pause(seconds=seconds))

    def pronounce(self, word: str, ipa: str, source: int, end: int, shown: str | None) -> None:
        """Speak a span of the original by its phonemes.

        Raises:
            UnsupportedCapability: the model takes none.
        """
        self.need_phonemes()
        self.text.other(f"[{word}](/{ipa}/)", source, end, fixed=True, shown=shown)

    def need_phonemes(self) -> None:
        """Raise UnsupportedCapability if the model takes no phonemes."""
        if Capability.PHONEMES not in self.model.capabilities:
            raise UnsupportedCapability(
                f"The model {self.model.id!r} does not do 'phonemes', which a pronunciation in "
                "the text needs.",
                model=self.model.id,
                param="input",
                hint="Leave [word](/.../) and <phoneme> out, or spell the word as it sounds.",
            )

    def finish(self) -> Iterator[Span | Pause]:
        """Return everything."""
        self.end()
        yield from self._done


def clamped_rate(rate: float) -> float:
    """Bring a pace into its bounds."""
    return min(max(rate, MIN_RATE), MAX_RATE)
