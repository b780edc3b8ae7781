"""How much sound one file may hold, counted while it is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from open_speech.errors import AudioTooLong, InvalidAudio

MIN_SAMPLE_RATE = 1_000
MAX_SAMPLE_RATE = 768_000
MAX_CHANNELS = 64
"""What libswresample can mix."""


@dataclass(frozen=True, kw_only=True)
class DecodeLimits:
    """Upper bounds for one recording. What a file's header claims counts for nothing here."""

    max_seconds: float = 14_400.0
    """Seconds of sound."""
    max_pcm_bytes: int = 8 * 2**30
    """Bytes of decoded sound before mixing and resampling: bounds the work, as memory is bounded
    by ``max_seconds`` alone. The default is four hours of 48 kHz stereo float32, and half again."""


class LimitCounter:
    """Counts what comes out of the decoder against the limits. One per recording."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._bytes = 0
        self.seconds = 0.0
        """Seconds counted so far."""

    def add(self, samples: int, *, sample_rate: int, frame_bytes: int) -> None:
        """Count ``samples`` of ``frame_bytes`` each (all channels).

        Raises:
            AudioTooLong: more seconds or bytes than the limits allow.
        """
        self.seconds += samples / sample_rate
        self._bytes += samples * frame_bytes
        if self.seconds > self._limits.max_seconds:
            raise too_long(self._limits)
        if self._bytes > self._limits.max_pcm_bytes:
            raise AudioTooLong(
                f"The audio holds more than {self._limits.max_pcm_bytes} bytes of sound.",
                hint="Send it with one channel, at a lower sample rate, or in parts.",
            )


def too_long(limits: DecodeLimits) -> AudioTooLong:
    """The error for sound of more seconds than the limit."""
    return AudioTooLong(
        f"The audio is longer than the limit of {limits.max_seconds:g} seconds.",
        hint="Send it in parts, or raise the limit.",
    )


def check_shape(*, sample_rate: int, channels: int) -> None:
    """Refuse sample rates and channel counts that no recording has.

    Raises:
        InvalidAudio: either is out of range.
    """
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise InvalidAudio(
            f"The audio has an unsupported sample rate of {sample_rate} Hz.",
            hint=f"Send sound of {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz.",
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise InvalidAudio(
            f"The audio has {channels} channels, which is not supported.",
            hint=f"Send sound of one to {MAX_CHANNELS} channels.",
        )


def not_finite(seconds: float) -> InvalidAudio:
    """The error for samples that are not numbers; ``seconds`` says roughly where."""
    return InvalidAudio(
        f"The audio holds samples that are not numbers, about {seconds:.1f} seconds in.",
        hint="Write it again with finite samples.",
    )
