"""Sound for tests is what it says it is."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from open_speech.testing import assert_similar, join, noise, read_wav, silence, sine, wav_bytes


def test_a_sine_has_its_frequency_length_and_loudness() -> None:
    audio = sine(0.5, frequency=1000.0, sample_rate=8_000, amplitude=0.25)
    assert audio.samples.dtype == np.float32
    assert (len(audio.samples), audio.seconds) == (4_000, 0.5)
    assert np.argmax(np.abs(np.fft.rfft(audio.samples))) == 500
    assert float(np.max(audio.samples)) == pytest.approx(0.25, abs=1e-3)


def test_noise_repeats_for_its_seed() -> None:
    assert np.array_equal(noise(0.1, seed=1).samples, noise(0.1, seed=1).samples)
    assert not np.array_equal(noise(0.1, seed=1).samples, noise(0.1, seed=2).samples)


def test_wav_round_trip(tmp_path: Path) -> None:
    audio = noise(0.1, sample_rate=24_000)
    data = wav_bytes(audio)
    path = tmp_path / "noise.wav"
    path.write_bytes(data)
    for source in (data, path, io.BytesIO(data)):
        assert_similar(read_wav(source), audio, tolerance=1e-4)


def test_channels_are_averaged() -> None:
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(np.array([[32767, 0], [0, 0]], "<i2").tobytes())
    assert read_wav(memory.getvalue()).samples.tolist() == [0.5, 0.0]


def test_other_widths_are_refused() -> None:
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
    with pytest.raises(ValueError, match="8-bit"):
        read_wav(memory.getvalue())


def test_joining_keeps_order_and_refuses_two_rates() -> None:
    joined = join(silence(0.1), sine(0.1))
    assert_similar(joined, join(silence(0.1), sine(0.1)))
    assert joined.seconds == pytest.approx(0.2)
    with pytest.raises(ValueError, match="Hz"):
        join(silence(0.1), silence(0.1, sample_rate=8_000))


@pytest.mark.parametrize(
    "other", [sine(0.1, sample_rate=8_000), sine(0.2), sine(0.1, amplitude=0.4)]
)
def test_different_sound_is_not_similar(other: object) -> None:
    with pytest.raises(AssertionError):
        assert_similar(other, sine(0.1))  # type: ignore[arg-type]
