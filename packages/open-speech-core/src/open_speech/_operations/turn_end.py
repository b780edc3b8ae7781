"""The end of a turn: whether somebody who pauses has finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._types.listening import TurnEnd, TurnRequest
from .detect import check_probability
from .operation import Fed, Operation
from .validation import invalid


class PredictTurnEnd(Operation[TurnRequest, TurnEnd]):
    """Judge a pause: one probability."""

    name = "predict_turn_end"
    request = TurnRequest
    events = (TurnEnd,)

    def checked(
        self, request: TurnRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[TurnEnd]:
        """Check that there is exactly one, in [0, 1]."""
        count = 0
        for event in results:
            count += 1
            if not isinstance(event, TurnEnd):
                raise invalid(f"{type(event).__name__} where a TurnEnd is due")
            if count > 1:
                raise invalid("more than one answer to whether the turn is over")
            yield TurnEnd(probability=check_probability(event.probability, "of a turn's end"))
        if not count:
            raise invalid("no answer to whether the turn is over")


PREDICT_TURN_END = PredictTurnEnd()
