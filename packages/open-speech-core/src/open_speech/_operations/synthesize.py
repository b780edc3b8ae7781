"""Text to speech."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from .._types.audio import Audio
from .._types.models import Capability, ModelInfo
from .._types.speech import SpeechRequest
from ..errors import UnsupportedCapability
from .operation import Fed, Needs, Operation
from .validation import check_audio, invalid

MAX_EMPTY = 1_000
"""Empty chunks in a row before speech counts as endless."""


class Synthesize(Operation[SpeechRequest, Audio]):
    """Speak a text: chunks of sound in order."""

    name = "synthesize"
    request = SpeechRequest
    events = (Audio,)

    def needs(self, request: SpeechRequest, model: ModelInfo) -> Needs:
        """What a request asks for beyond the voice's own way to speak."""
        return {
            Capability.PITCH: ("pitch", request.pitch != 1.0),
            Capability.INSTRUCTIONS: ("instructions", request.instructions is not None),
            Capability.VOICE_CLONE: ("reference", request.reference is not None),
            Capability.SEED: ("seed", request.seed is not None),
            Capability.WORD_TIMESTAMPS: ("word_timestamps", request.word_timestamps),
        }

    def check(self, request: SpeechRequest, model: ModelInfo) -> None:
        """Raise UnsupportedCapability for what the model does not declare, speeds included."""
        slowest, fastest = model.speeds
        if not slowest <= request.speed <= fastest:
            raise UnsupportedCapability(
                f"The model {model.id!r} does not speak at a speed of {request.speed:g}.",
                model=model.id,
                param="speed",
                hint=f"It declares speeds from {slowest:g} to {fastest:g}.",
            )
        super().check(request, model)

    def checked(
        self, request: SpeechRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[Audio]:
        """Check each chunk, that the rate stays, and that it ends (``longest_speech``)."""
        limit = longest_speech(request)
        rate, seconds, empty = 0, 0.0, 0
        for chunk in results:
            audio = check_audio(chunk)
            rate = rate or audio.sample_rate
            if audio.sample_rate != rate:
                raise invalid(f"sound at {audio.sample_rate} Hz after sound at {rate} Hz")
            seconds += audio.seconds
            empty = 0 if len(audio.samples) else empty + 1
            if seconds > limit or empty > MAX_EMPTY:
                raise invalid(f"endless speech (stopped after {seconds:.0f} seconds)")
            yield audio


SYNTHESIZE = Synthesize()


def longest_speech(request: SpeechRequest) -> float:
    """Seconds of sound that are surely too many for this request: a bound against endless speech.

    Three seconds per character leave room for numbers, symbols and emoji that are read out.
    """
    speed = request.speed if math.isfinite(request.speed) else 1.0
    return 30.0 + 3.0 * len(request.text) / min(1.0, max(speed, 0.1))
