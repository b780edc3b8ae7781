"""Voice activity: when somebody speaks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from .._types.audio import Audio
from .._types.listening import DetectionRequest, SpeechActivity
from .operation import Fed, Operation
from .validation import check_number, invalid

MAX_FRAME_S = 1.0
"""The longest frame."""
GAP_S = 0.005
"""How far a frame may begin from where the last one ended."""


class Detect(Operation[DetectionRequest, SpeechActivity]):
    """Tell speech from the rest while the sound comes in."""

    name = "detect"
    request = DetectionRequest
    events = (SpeechActivity,)
    feeds = (Audio,)

    def checked(
        self, request: DetectionRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[SpeechActivity]:
        """Check that frames follow one another and do not lie beyond what was fed."""
        reached = 0.0
        for event in results:
            if not isinstance(event, SpeechActivity):
                raise invalid(f"{type(event).__name__} where SpeechActivity is due")
            activity = _checked(event)
            if abs(activity.start - reached) > GAP_S:
                raise invalid(f"a frame at {activity.start:.3f} s after one to {reached:.3f} s")
            if activity.end > fed.seconds + MAX_FRAME_S:
                raise invalid(f"frames to {activity.end:.2f} s of {fed.seconds:.2f} seconds")
            reached = activity.end
            yield activity


def _checked(activity: SpeechActivity) -> SpeechActivity:
    frame_s = check_number(activity.frame_s, "the length of a frame")
    if not 0.0 < frame_s <= MAX_FRAME_S:
        raise invalid(f"frames of {frame_s} s")
    if not isinstance(activity.probabilities, (tuple, list)):
        raise invalid(f"probabilities as {type(activity.probabilities).__name__}")
    values = tuple(check_probability(each, "of speech") for each in activity.probabilities)
    start = check_number(activity.start, "the start of a frame")
    return replace(activity, start=start, frame_s=frame_s, probabilities=values)


def check_probability(value: object, what: str) -> float:
    """Return a number in [0, 1]; InvalidResult for what is none, beyond rounding."""
    number = check_number(value, f"a probability {what}")
    if not -1e-3 <= number <= 1.0 + 1e-3 or math.isnan(number):
        raise invalid(f"a probability {what} of {number:g}")
    return min(max(number, 0.0), 1.0)


DETECT = Detect()
