"""The suite that every provider runs."""

from __future__ import annotations

from pathlib import Path

from open_speech import Audio
from open_speech.testing import DiarizationConformance, read_wav
from open_speech_provider_campplus import CampplusBackend

DATA = Path(__file__).parent / "data"
SOUND = read_wav(DATA / "two-speakers.wav")


def part(start: float, end: float) -> Audio:
    samples = SOUND.samples[int(start * SOUND.sample_rate) : int(end * SOUND.sample_rate)]
    return Audio(samples=samples, sample_rate=SOUND.sample_rate)


class TestCampplus(DiarizationConformance):
    """The embedded model."""

    backend = CampplusBackend
    audio = SOUND
    speakers = 2
    voices = (
        (part(0.4, 3.55), part(7.1, 9.99)),
        (part(3.9, 6.75), part(10.34, 13.24)),
    )
