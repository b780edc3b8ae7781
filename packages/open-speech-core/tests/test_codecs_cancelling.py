"""Channels that cancel each other out: what would be lost in the mix is heard."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from open_speech.codecs.decode import decode, decode_chunks
from sound_files import (
    KINDS,
    WAV_KINDS,
    bare_decode,
    pcm_bytes,
    speech_like,
    wav_file,
    write,
)

RATE = 16_000
Channels = NDArray[np.float32]


def stereo_wav(channels: Channels, rate: int = RATE, kind: str = "s16") -> bytes:
    pcm = pcm_bytes(kind, np.ascontiguousarray(channels.T).reshape(-1))
    return wav_file(kind, pcm, rate, channels=len(channels))


def loudness(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def likeness(heard: NDArray[np.float32], said: NDArray[np.float32]) -> float:
    """The correlation of two sounds, of which a codec may have delayed one."""
    size = 1 << (len(heard) + len(said)).bit_length()
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    scale = np.linalg.norm(heard) * np.linalg.norm(said)
    return float(np.abs(np.fft.irfft(product, size)).max() / max(scale, 1e-9))


@pytest.mark.parametrize("kind", [name for name in KINDS if "amr" not in KINDS[name][1]])
def test_a_recording_out_of_phase_is_heard_in_every_container(kind: str) -> None:
    muxer, codec, rate = KINDS[kind]
    said = speech_like(3.0, rate)
    data = write(muxer, codec, np.stack([said, -said]), rate, layout="stereo")
    heard = decode(data, sample_rate=RATE).samples
    one = decode(wav_file("s16", pcm_bytes("s16", said), rate), sample_rate=RATE).samples
    assert loudness(heard) == pytest.approx(loudness(one), rel=0.2)
    assert likeness(heard, one) > 0.9
    assert loudness(bare_decode(data, RATE)) < 0.2 * loudness(one)


@pytest.mark.parametrize("rate", [RATE, 44_100])
@pytest.mark.parametrize("kind", WAV_KINDS)
def test_a_wav_out_of_phase_sounds_as_its_one_channel(kind: str, rate: int) -> None:
    said = speech_like(2.5, rate)
    heard = decode(stereo_wav(np.stack([said, -said]), rate, kind), sample_rate=RATE).samples
    one = decode(wav_file(kind, pcm_bytes(kind, said), rate), sample_rate=RATE).samples
    settled = slice(RATE // 50, None)  # the change from the mix is faded in
    sign = np.sign(np.dot(heard, one))  # either channel will do
    assert np.abs(sign * heard[settled] - one[settled]).max() < 0.01


@pytest.mark.parametrize(("left", "right"), [(1.0, -0.9), (-0.6, 1.0), (0.5, -0.5)])
def test_what_cancels_out_for_the_most_part_is_heard_at_its_loudest(
    left: float, right: float
) -> None:
    said, noise = speech_like(3.0, RATE), np.random.default_rng(1).normal(size=(2, 3 * RATE))
    channels = (np.stack([left * said, right * said]) + 0.002 * noise).astype(np.float32)
    heard = decode(stereo_wav(channels), sample_rate=RATE).samples
    assert loudness(heard) == pytest.approx(max(map(loudness, channels)), rel=0.05)


def test_hum_that_cancels_out_may_do_so() -> None:
    said, at = speech_like(3.0, RATE), np.arange(3 * RATE) / RATE
    hum = 0.3 * np.sin(2 * np.pi * 50 * at)
    data = stereo_wav(np.stack([said / 2 + hum, said / 2 - hum]).astype(np.float32))
    assert np.array_equal(decode(data, sample_rate=RATE).samples, bare_decode(data, RATE))


@pytest.mark.parametrize("channels", [6, 8])
def test_of_many_channels_that_cancel_out_one_is_heard(channels: int) -> None:
    said = speech_like(2.0, RATE)
    parts = np.zeros((channels, len(said)), np.float32)
    parts[0], parts[1] = said, -said
    heard = decode(stereo_wav(parts), sample_rate=RATE).samples
    assert loudness(heard) == pytest.approx(loudness(said), rel=0.05)


def test_a_recording_may_fall_out_of_phase_on_its_way() -> None:
    said = speech_like(6.0, RATE)
    sides = np.where(np.arange(len(said)) < 3 * RATE, 1, -1).astype(np.float32)
    data = stereo_wav(np.stack([said, said * sides]))
    heard = decode(data, sample_rate=RATE).samples
    assert np.array_equal(heard[: 3 * RATE], bare_decode(data, RATE)[: 3 * RATE])
    late = slice(3 * RATE + RATE // 50, None)
    assert np.abs(heard[late] - said[late]).max() < 0.01
    back = decode(stereo_wav(np.stack([said, -said * sides])), sample_rate=RATE).samples
    assert np.abs(back[late] - said[late]).max() < 0.01


@pytest.mark.parametrize("seconds", [0.05, 0.9, 2.0, 7.3])
def test_stretches_are_rescued_as_the_whole_is(seconds: float) -> None:
    said = speech_like(8.0, 22_050)
    data = stereo_wav(np.stack([-said, said]), 22_050)
    whole = decode(data, sample_rate=RATE).samples
    parts = decode_chunks(data, sample_rate=RATE, max_seconds=seconds + 1)
    assert np.array_equal(np.concatenate([part.samples for part in parts]), whole)


def test_silence_and_what_is_nearly_silent_stay_as_they_are() -> None:
    quiet = np.tile(np.array([1, -1], np.float32) / 32768, RATE)
    for channels in (np.zeros((2, RATE), np.float32), np.stack([quiet, -quiet]) * 0.4):
        data = stereo_wav(channels)
        assert np.array_equal(decode(data, sample_rate=RATE).samples, bare_decode(data, RATE))


@pytest.mark.parametrize("kind", ["wav", "mp3", "webm"])
def test_one_side_alone_is_no_loss(kind: str) -> None:
    muxer, codec, rate = KINDS[kind]
    said = speech_like(2.0, rate)
    data = write(muxer, codec, np.stack([said, np.zeros_like(said)]), rate, layout="stereo")
    assert np.array_equal(decode(data, sample_rate=RATE).samples, bare_decode(data, RATE))
