"""The text of turns, put together from their utterances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .._types.transcription import Segment, gap
from ..errors import OpenSpeechError
from .events import TurnText
from .utterance import Utterance


@dataclass(eq=False, kw_only=True)
class _Turn:
    start: float
    end: float | None = None
    """None while it goes on."""
    due: int = 0
    """Utterances whose text is not there yet."""
    text: str = ""
    segments: list[Segment] = field(default_factory=list)
    language: str | None = None
    sure: list[tuple[float, float]] = field(default_factory=list)
    """Confidence and length of each utterance."""
    error: OpenSpeechError | None = None


class TurnTexts:
    """Gathers what becomes of each turn, and puts it out once it is complete."""

    def __init__(self, put: Callable[[TurnText], None]) -> None:
        self._put = put
        self._turns: dict[int, _Turn] = {}

    def __contains__(self, turn: int) -> bool:
        """Whether the text of a turn is still to come."""
        return turn in self._turns

    def begin(self, turn: int, start: float) -> None:
        """Note a new turn."""
        self._turns[turn] = _Turn(start=start)

    def expect(self, utterance: Utterance) -> None:
        """Note that the turn has one more utterance."""
        self._turns[utterance.turn].due += 1

    def add(self, utterance: Utterance, delta: str) -> str:
        """Add to the text of a turn; returns what was added, with the space before it."""
        if (turn := self._turns.get(utterance.turn)) is None or not delta:
            return ""
        added = gap(turn.text, delta) + delta if turn.text else delta.lstrip()
        turn.text += added
        return added

    def understood(self, utterance: Utterance) -> None:
        """Note that an utterance has its text."""
        turn, decoding = self._turns.get(utterance.turn), utterance.decoding
        if turn is None or decoding is None:
            return
        turn.segments += decoding.segments
        turn.language = turn.language or decoding.language
        if (confidence := decoding.confidence) is not None:
            turn.sure.append((confidence, max(decoding.end - utterance.start, 1e-3)))
        self._settle(utterance.turn)

    def failed(self, utterance: Utterance, error: OpenSpeechError) -> None:
        """Note that an utterance will have no text."""
        if turn := self._turns.get(utterance.turn):
            turn.error = error
            self._settle(utterance.turn)

    def end(self, turn: int, end: float) -> None:
        """Note that a turn has no further utterances."""
        self._turns[turn].end = end
        self._give(turn)

    def drop(self, turn: int) -> None:
        """Forget a turn."""
        self._turns.pop(turn, None)

    def _settle(self, turn: int) -> None:
        self._turns[turn].due -= 1
        self._give(turn)

    def _give(self, number: int) -> None:
        turn = self._turns[number]
        if turn.end is None or turn.due:
            return
        del self._turns[number]
        length = sum(seconds for _, seconds in turn.sure)
        self._put(
            TurnText(
                turn=number,
                start=turn.start,
                end=turn.end,
                text=turn.text,
                segments=tuple(turn.segments),
                language=turn.language,
                confidence=sum(c * s for c, s in turn.sure) / length if length else None,
                error=turn.error,
            )
        )
