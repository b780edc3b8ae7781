"""The speakers of a recording, told apart and named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from string import ascii_uppercase
from typing import Generic, TypeVar

from .._types.speakers import SpeakerTurn

__all__ = [
    "Diarization",
    "Stretch",
    "Turn",
    "in_order_of_speaking",
    "letters",
    "named",
    "stretches",
]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A stretch in which one speaker speaks; turns of different speakers may overlap."""

    start: float
    """Seconds from the start of the recording."""
    end: float
    speaker: str
    """``A``, ``B`` and so on in the order of speaking, or the name of a known speaker."""


@dataclass(frozen=True, kw_only=True)
class Diarization:
    """Who speaks when in a whole recording."""

    duration: float
    """Seconds of audio heard."""
    turns: tuple[Turn, ...] = ()
    """Ordered by where they begin."""

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everybody who speaks, in the order of speaking."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns))


T = TypeVar("T", Turn, SpeakerTurn)


@dataclass(frozen=True, kw_only=True)
class Stretch(Generic[T]):
    """What lies between two changes of who speaks: the same turns go on throughout."""

    start: float
    end: float
    turns: tuple[T, ...]
    """At least one, in the order in which they began."""


def stretches(turns: Iterable[T]) -> list[Stretch[T]]:
    """Cut a recording wherever a turn begins or ends; where nobody speaks is left out."""
    ordered = sorted(turns, key=lambda turn: turn.start)
    edges = sorted({edge for turn in ordered for edge in (turn.start, turn.end)})
    found: list[Stretch[T]] = []
    going: list[T] = []
    upcoming = 0
    for start, end in pairwise(edges):
        while upcoming < len(ordered) and ordered[upcoming].start <= start:
            going.append(ordered[upcoming])
            upcoming += 1
        going = [turn for turn in going if turn.end > start]
        if going:
            found.append(Stretch(start=start, end=end, turns=tuple(going)))
    return found


def in_order_of_speaking(turns: Iterable[SpeakerTurn]) -> list[SpeakerTurn]:
    """Sort turns by where they begin, with speakers numbered in that order."""
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end))
    numbers: dict[int, int] = {}
    return [
        SpeakerTurn(
            start=turn.start,
            end=turn.end,
            speaker=numbers.setdefault(turn.speaker, len(numbers)),
        )
        for turn in ordered
    ]


def named(
    turns: Sequence[SpeakerTurn], duration: float, names: Mapping[int, str] | None = None
) -> Diarization:
    """Name the speakers of turns that are in order: as known, else by letters."""
    known = dict(names or {})
    free = (letter for letter in letters() if letter not in known.values())
    for turn in turns:
        if turn.speaker not in known:
            known[turn.speaker] = next(free)
    return Diarization(
        duration=duration,
        turns=tuple(
            Turn(start=turn.start, end=turn.end, speaker=known[turn.speaker]) for turn in turns
        ),
    )


def letters() -> Iterator[str]:
    """``A`` to ``Z``, then ``AA``, ``AB`` and so on, as columns of a spreadsheet."""
    for number in count():
        text, left = "", number
        while left >= 0:
            left, place = divmod(left, len(ascii_uppercase))
            text, left = ascii_uppercase[place] + text, left - 1
        yield text
