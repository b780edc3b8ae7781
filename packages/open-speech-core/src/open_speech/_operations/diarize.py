"""Diarization: who speaks when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from .._types.audio import Audio
from .._types.speakers import DiarizationRequest, SpeakerTurn
from .operation import Fed, Operation
from .validation import ORDER_SLACK_S, check_number, check_whole, invalid

END_SLACK_S = 0.5
"""How far beyond the end of the recording a turn may go: the last frame of an engine."""
MAX_SPEAKERS = 1_000
MAX_TURNS_PER_S = 50
_ALWAYS = 1_000
"""Turns that may come whatever was fed."""


class Diarize(Operation[DiarizationRequest, SpeakerTurn]):
    """Tell the speakers of a recording apart, which is fed chunk by chunk."""

    name = "diarize"
    request = DiarizationRequest
    events = (SpeakerTurn,)
    feeds = (Audio,)

    def checked(
        self, request: DiarizationRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[SpeakerTurn]:
        """Check that turns are in order, within what was fed, and of no more speakers than asked.

        An end a little beyond that of the recording is brought back to it.
        """
        latest, speakers = 0.0, set[int]()
        for count, event in enumerate(results, 1):
            turn = _checked(event)
            if turn.start < latest - ORDER_SLACK_S:
                raise invalid(f"a turn at {turn.start:.2f} s after one at {latest:.2f} s")
            if turn.end > fed.seconds + END_SLACK_S or turn.start > fed.seconds:
                raise invalid(
                    f"a turn from {turn.start:.2f} s to {turn.end:.2f} s "
                    f"of {fed.seconds:.2f} seconds"
                )
            latest = max(latest, turn.start)
            if count > _ALWAYS + MAX_TURNS_PER_S * fed.seconds:
                raise invalid(f"more than {count - 1} turns in {fed.seconds:.1f} seconds")
            speakers.add(turn.speaker)
            if request.max_speakers is not None and len(speakers) > request.max_speakers:
                raise invalid(f"{len(speakers)} speakers where at most {request.max_speakers} are")
            yield replace(turn, end=max(turn.start, min(turn.end, fed.seconds)))


def _checked(turn: object) -> SpeakerTurn:
    if not isinstance(turn, SpeakerTurn):
        raise invalid(f"{type(turn).__name__} where a SpeakerTurn is due")
    start = check_number(turn.start, "the start of a turn")
    end = check_number(turn.end, "the end of a turn")
    if not 0.0 <= start < end:
        raise invalid(f"a turn from {start:.2f} s to {end:.2f} s")
    speaker = check_whole(turn.speaker, "a speaker")
    if not 0 <= speaker < MAX_SPEAKERS:
        raise invalid(f"a speaker {speaker}, not one from 0 to {MAX_SPEAKERS - 1}")
    return SpeakerTurn(start=start, end=end, speaker=speaker)


DIARIZE = Diarize()
