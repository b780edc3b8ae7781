"""G.711, by the properties that ITU-T gives it and by FFmpeg's codec."""

from __future__ import annotations

import av
import numpy as np
import pytest

from open_speech_server.api.realtime.audio import A_LAW, MU_LAW, PCM, AudioFormat

LAWS = [(MU_LAW, "pcm_mulaw"), (A_LAW, "pcm_alaw")]
EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int16)


def decoded_by_ffmpeg(codec: str, data: bytes) -> np.ndarray:
    context = av.CodecContext.create(codec, "r")
    context.sample_rate, context.layout = 8_000, "mono"
    frames = context.decode(av.Packet(data))
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


@pytest.mark.parametrize(("kind", "codec"), LAWS)
def test_every_byte_means_what_ffmpeg_makes_of_it(kind, codec):
    data = bytes(range(256))
    expected = decoded_by_ffmpeg(codec, data)
    samples = AudioFormat(kind, 8_000).read(data).samples
    assert np.array_equal(np.rint(samples * 32768).astype(np.int16), expected)


@pytest.mark.parametrize(("kind", "codec"), LAWS)
def test_every_sample_becomes_the_nearest_byte_or_its_neighbour(kind, codec):
    sound = AudioFormat(kind, 8_000)
    written = sound.write(EVERY_SAMPLE.astype(np.float32) / 32768)
    back = decoded_by_ffmpeg(codec, written).astype(np.int32)
    levels = np.unique(decoded_by_ffmpeg(codec, bytes(range(256))).astype(np.int32))
    gaps = np.diff(levels)
    error = np.abs(back - EVERY_SAMPLE)
    place = np.clip(np.searchsorted(levels, EVERY_SAMPLE), 1, len(gaps)) - 1
    inside = np.abs(EVERY_SAMPLE.astype(np.int32)) < levels.max()
    assert (error[inside] <= gaps[place][inside] + 1).all()


@pytest.mark.parametrize("kind", [MU_LAW, A_LAW])
def test_what_is_written_is_read_the_same(kind):
    sound = AudioFormat(kind, 8_000)
    data = bytes(range(256))
    again = sound.write(sound.read(data).samples)
    assert np.array_equal(sound.read(again).samples, sound.read(data).samples)


def test_pcm_drops_an_odd_byte():
    sound = AudioFormat(PCM, 24_000).read(b"\x00\x40\x01")
    assert sound.samples.tolist() == [0.5]
    assert AudioFormat(PCM, 24_000).write(sound.samples) == b"\x00\x40"
