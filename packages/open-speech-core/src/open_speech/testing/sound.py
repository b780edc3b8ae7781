"""Sound for tests: made from numbers, written to and read from WAV, compared."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .._types.audio import Audio

__all__ = [
    "assert_similar",
    "join",
    "noise",
    "read_wav",
    "silence",
    "sine",
    "wav_bytes",
]


_FULL_SCALE = 32767.0


def sine(
    seconds: float = 1.0,
    *,
    frequency: float = 440.0,
    sample_rate: int = 16_000,
    amplitude: float = 0.5,
) -> Audio:
    """Make a pure tone of ``round(seconds * sample_rate)`` samples."""
    count = np.arange(round(seconds * sample_rate), dtype=np.float64)
    samples = amplitude * np.sin(2.0 * np.pi * frequency * count / sample_rate)
    return Audio(samples=samples.astype(np.float32), sample_rate=sample_rate)


def silence(seconds: float = 1.0, *, sample_rate: int = 16_000) -> Audio:
    """Make digital silence."""
    samples = np.zeros(round(seconds * sample_rate), dtype=np.float32)
    return Audio(samples=samples, sample_rate=sample_rate)


def noise(
    seconds: float = 1.0, *, sample_rate: int = 16_000, amplitude: float = 0.1, seed: int = 0
) -> Audio:
    """Make white noise, the same for the same seed."""
    count = round(seconds * sample_rate)
    samples = np.random.default_rng(seed).uniform(-amplitude, amplitude, count)
    return Audio(samples=samples.astype(np.float32), sample_rate=sample_rate)


def join(*parts: Audio) -> Audio:
    """Put chunks of one sample rate one after another; ValueError for several rates or none."""
    rates = {part.sample_rate for part in parts}
    if len(rates) != 1:
        raise ValueError(f"cannot join chunks of {sorted(rates)} Hz")
    return Audio(samples=np.concatenate([part.samples for part in parts]), sample_rate=rates.pop())


def wav_bytes(audio: Audio) -> bytes:
    """Write a WAV file of 16-bit integers in memory."""
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.sample_rate)
        scaled = np.clip(audio.samples, -1.0, 1.0) * _FULL_SCALE
        file.writeframes(np.rint(scaled).astype("<i2").tobytes())
    return memory.getvalue()


def read_wav(source: bytes | Path | BinaryIO) -> Audio:
    """Read a WAV file of 16-bit integers; several channels are averaged to one.

    Raises ValueError for other sample widths and wave.Error for what is no WAV file.
    """
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    with wave.open(str(source) if isinstance(source, Path) else source, "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"expected 16-bit samples, got {8 * file.getsampwidth()}-bit ones")
        frames = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        channels, rate = file.getnchannels(), file.getframerate()
    mono = frames.reshape(-1, channels).mean(axis=1) / _FULL_SCALE
    return Audio(samples=mono.astype(np.float32), sample_rate=rate)


def assert_similar(actual: Audio, expected: Audio, *, tolerance: float = 1e-3) -> None:
    """Fail unless both sound alike: one rate, one length, no sample further off than that."""
    assert actual.sample_rate == expected.sample_rate, (
        f"{actual.sample_rate} Hz instead of {expected.sample_rate} Hz"
    )
    assert actual.samples.shape == expected.samples.shape, (
        f"shape {actual.samples.shape} instead of {expected.samples.shape}"
    )
    if actual.samples.size:
        worst = float(np.max(np.abs(actual.samples - expected.samples)))
        assert worst <= tolerance, f"samples differ by up to {worst:.4g}, allowed is {tolerance:g}"
