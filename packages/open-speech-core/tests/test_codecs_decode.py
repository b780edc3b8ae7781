"""What comes out of the decoder, against libav's own conversion."""

from __future__ import annotations

import io
import traceback
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from open_speech.codecs.decode import DecodeLimits, decode, decode_chunks
from open_speech.errors import AudioTooLong, InvalidAudio
from open_speech.testing import sine
from sound_files import (
    KINDS,
    WAV_KINDS,
    bare_decode,
    pcm_bytes,
    sound_file,
    speech_like,
    wav_file,
    write,
)

RATE = 16_000
SPEECH = speech_like(1.0, RATE)


def as_heard(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.frombuffer(pcm_bytes("s16", samples), "<i2").astype(np.float32) / 32768.0


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_decodes_to_the_samples_of_the_bare_library(
    kind: str, layout: str
) -> None:
    if layout == "stereo" and KINDS[kind][1] == "libopencore_amrnb":
        pytest.skip("AMR has one channel")
    data = sound_file(kind, layout=layout)
    for rate in (16_000, 24_000):
        audio = decode(data, sample_rate=rate)
        assert audio.sample_rate == rate
        assert audio.samples.dtype == np.float32
        assert audio.seconds == pytest.approx(1.0, abs=0.15)
        assert np.array_equal(audio.samples, bare_decode(data, rate))


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("rate", [16_000, 8_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("kind", WAV_KINDS)
def test_every_wav_decodes_to_the_samples_of_the_bare_library(
    kind: str, channels: int, rate: int, extensible: bool
) -> None:
    pcm = pcm_bytes(kind, np.repeat(speech_like(0.2, rate) * 1.2, channels))
    data = wav_file(kind, pcm, rate, channels=channels, extensible=extensible)
    samples = decode(data, sample_rate=RATE).samples
    assert np.array_equal(samples, bare_decode(data, RATE))
    assert len(samples) == pytest.approx(0.2 * RATE, abs=2)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_that_does_not_know_its_length_is_read_to_its_end(size: int) -> None:
    data = wav_file("s16", pcm_bytes("s16", SPEECH), data_size=size)
    assert np.array_equal(decode(data, sample_rate=RATE).samples, as_heard(SPEECH))


def test_what_follows_the_sound_of_a_wav_is_not_heard() -> None:
    pcm = pcm_bytes("s16", SPEECH)
    data = wav_file("s16", pcm + b"LIST\x04\0\0\0noise", data_size=len(pcm))
    assert np.array_equal(decode(data, sample_rate=RATE).samples, as_heard(SPEECH))


def test_a_16_khz_wav_is_its_integers_over_32768() -> None:
    heard = decode(wav_file("s16", pcm_bytes("s16", SPEECH)), sample_rate=RATE).samples
    assert np.array_equal(heard, as_heard(SPEECH))


def test_samples_beyond_full_scale_are_clipped() -> None:
    loud = np.array([2.0, -2.0, 0.5] * 100, np.float32)
    heard = decode(wav_file("f32", pcm_bytes("f32", loud)), sample_rate=RATE).samples
    assert heard.max() == pytest.approx(32767 / 32768)
    assert heard.min() == -1.0


@pytest.mark.parametrize("source", ["bytes", "path", "file", "misnamed"])
def test_a_source_may_be_bytes_a_path_or_an_open_file(source: str, tmp_path: Path) -> None:
    data = sound_file("mp3")
    path = tmp_path / ("speech.wav" if source == "misnamed" else "speech.mp3")
    path.write_bytes(data)
    expected = bare_decode(data, RATE)
    if source == "bytes":
        assert np.array_equal(decode(data, sample_rate=RATE).samples, expected)
    elif source in {"path", "misnamed"}:
        assert np.array_equal(decode(path, sample_rate=RATE).samples, expected)
    else:
        with path.open("rb") as stream:
            stream.seek(100)  # wherever somebody left it
            assert np.array_equal(decode(stream, sample_rate=RATE).samples, expected)
            assert not stream.closed


def test_a_path_that_cannot_be_read_is_the_callers_mistake() -> None:
    with pytest.raises(InvalidAudio, match=r"'nowhere\.wav' cannot be read"):
        decode(Path("nowhere.wav"), sample_rate=RATE)


@pytest.mark.parametrize("media_type", ["audio/pcm", "audio/raw", "Audio/PCM; charset=x"])
def test_headerless_sound_is_16_bit_mono_at_16_khz(media_type: str) -> None:
    data = pcm_bytes("s16", SPEECH) + b"\x01"  # an odd byte is dropped
    heard = decode(data, sample_rate=RATE, media_type=media_type)
    assert np.array_equal(heard.samples, as_heard(SPEECH))


def test_headerless_sound_may_state_its_rate() -> None:
    pcm = pcm_bytes("s16", speech_like(0.5, 24_000))
    heard = decode(pcm, sample_rate=RATE, media_type="audio/pcm;rate=24000")
    assert np.array_equal(heard.samples, bare_decode(wav_file("s16", pcm, 24_000), RATE))


@pytest.mark.parametrize("rate", ["0", "-1", "x", "", "9" * 30, "\u0661"])
def test_headerless_sound_at_an_impossible_rate_is_refused(rate: str) -> None:
    with pytest.raises(InvalidAudio):
        decode(bytes(100), sample_rate=RATE, media_type=f"audio/pcm;rate={rate}")


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "webm", "m4a", "amr"])
def test_a_file_with_a_header_is_believed_more_than_its_media_type(kind: str) -> None:
    data = sound_file(kind)
    heard = decode(data, sample_rate=RATE, media_type="audio/pcm")
    assert np.array_equal(heard.samples, bare_decode(data, RATE))


def test_a_video_is_heard_and_not_seen() -> None:
    data = write("mp4", "aac", speech_like(1.0, 44_100)[np.newaxis], 44_100, video=True)
    assert np.array_equal(decode(data, sample_rate=RATE).samples, bare_decode(data, RATE))


def test_sound_that_changes_its_rate_on_the_way_is_decoded_to_its_end() -> None:
    chained = write("adts", "aac", speech_like(1.0, 24_000)[np.newaxis], 24_000)
    chained += write("adts", "aac", speech_like(1.0, 16_000)[np.newaxis], 16_000)
    assert decode(chained, sample_rate=RATE).seconds == pytest.approx(2.0, abs=0.3)


def test_a_file_that_is_cut_off_counts_up_to_there() -> None:
    data = sound_file("mp3", 4.0)
    assert decode(data[: len(data) // 2], sample_rate=RATE).seconds == pytest.approx(2, abs=0.2)


def test_limits_of_seconds_and_of_bytes_are_exact() -> None:
    data = wav_file("s16", bytes(2 * RATE))
    exact = DecodeLimits(max_seconds=1.0, max_pcm_bytes=2 * RATE)
    assert decode(data, sample_rate=RATE, limits=exact).seconds == 1.0
    with pytest.raises(AudioTooLong, match=r"limit of 0\.999 seconds"):
        decode(data, sample_rate=RATE, limits=DecodeLimits(max_seconds=0.999))
    with pytest.raises(AudioTooLong, match="31999 bytes"):
        decode(data, sample_rate=RATE, limits=DecodeLimits(max_pcm_bytes=2 * RATE - 1))


def test_bytes_are_counted_before_mixing_and_resampling() -> None:
    data = wav_file("f32", bytes(4 * 8 * 48_000), 48_000, channels=8)
    with pytest.raises(AudioTooLong):
        decode(data, sample_rate=RATE, limits=DecodeLimits(max_pcm_bytes=4 * 8 * 48_000 - 1))


def test_an_error_that_is_kept_keeps_no_sound() -> None:
    data = wav_file("s16", bytes(2 * 60 * RATE))
    with pytest.raises(AudioTooLong) as caught:
        list(decode_chunks(data, sample_rate=RATE, limits=DecodeLimits(max_seconds=50)))
    frames = [frame for frame, _ in traceback.walk_tb(caught.tb)]
    assert "decode_chunks" in [frame.f_code.co_name for frame in frames]
    held = [item for frame in frames for item in frame.f_locals.values()]
    held += [item for value in held if isinstance(value, list) for item in value]
    kept = sum(item.nbytes for item in held if isinstance(item, np.ndarray))
    assert kept < 20 * 2 * RATE


def test_short_audio_is_one_stretch_equal_to_decode() -> None:
    for kind in ("wav", "webm"):
        data = sound_file(kind)
        (chunk,) = decode_chunks(data, sample_rate=RATE)
        assert np.array_equal(chunk.samples, decode(data, sample_rate=RATE).samples)


def test_long_audio_is_cut_where_it_is_quiet() -> None:
    loud = np.full(9 * RATE, 0.5, np.float32)
    for pause in (1.6, 3.1, 5.2, 6.9):
        loud[int(pause * RATE) : int((pause + 0.4) * RATE)] = 0.0
    data = wav_file("s16", pcm_bytes("s16", loud))
    chunks = list(decode_chunks(data, sample_rate=RATE, max_seconds=2.5))
    ends = np.cumsum([chunk.seconds for chunk in chunks])
    assert list(ends) == [pytest.approx(end, abs=0.1) for end in (1.8, 3.3, 5.4, 7.1, 9.0)]


@given(seconds=st.floats(0.01, 3.0), most=st.floats(0.05, 1.0), seed=st.integers(0, 9))
def test_stretches_join_to_the_whole(seconds: float, most: float, seed: int) -> None:
    rate = 4_000
    pcm = pcm_bytes("s16", speech_like(seconds, rate, seed=seed))
    data = wav_file("s16", pcm, rate)
    chunks = list(decode_chunks(data, sample_rate=rate, max_seconds=most))
    joined = np.concatenate([chunk.samples for chunk in chunks])
    assert np.array_equal(joined, decode(data, sample_rate=rate).samples)
    assert all(0 < chunk.seconds <= most for chunk in chunks)


def test_a_reader_that_stops_early_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(wav_file("s16", pcm_bytes("s16", SPEECH)))
    chunks = decode_chunks(path, sample_rate=RATE, max_seconds=0.3)
    next(chunks)
    chunks.close()  # an unclosed file would be a ResourceWarning, hence an error


def test_an_open_file_that_fails_is_no_fault_of_the_audio() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "disk on fire")

    with pytest.raises(OSError, match="disk on fire"):
        decode(Broken(b""), sample_rate=RATE)


@pytest.mark.parametrize(
    ("muxer", "codec", "options"),
    [
        ("adts", "aac", {}),
        ("mp4", "aac", {}),
        ("mpegts", "aac", {}),
        ("ogg", "libopus", {}),
        ("ogg", "libopus", {"mapping_family": "255"}),
        ("matroska", "pcm_f32le", {}),
        ("flac", "flac", {}),
    ],
)
@pytest.mark.parametrize("layout", ["5.1", "6.1", "7.1", "hexadecagonal"])
def test_many_channels_are_mixed(muxer: str, codec: str, options: dict[str, str], layout: str):
    """Planes beyond the seventh used to end the process."""
    rate = 48_000
    target = io.BytesIO()
    try:
        with av.open(target, "w", format=muxer) as container:
            stream = container.add_stream(codec, rate=rate, layout=layout, options=options)
            count = stream.layout.nb_channels
            tone = np.repeat(sine(1.0, sample_rate=rate).samples, count).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(tone, format="flt", layout=layout)
            frame.sample_rate = rate
            size = stream.codec_context.frame_size or 0
            resampler = av.AudioResampler(stream.format, layout, rate, frame_size=size)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError):
        assert layout in {"6.1", "hexadecagonal"}, "the encoder has it"
        return
    heard = decode(target.getvalue(), sample_rate=16_000).samples[1_000:15_000]
    turns = np.count_nonzero(np.diff(np.signbit(heard)))
    assert np.abs(heard).max() > 0.1
    assert turns == pytest.approx(2 * 440 * len(heard) / 16_000, rel=0.02)
