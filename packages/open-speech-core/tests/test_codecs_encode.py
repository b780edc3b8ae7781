"""Every format, decoded again."""

from __future__ import annotations

import io
import wave
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from open_speech._types.audio import Audio
from open_speech.codecs.decode import decode
from open_speech.codecs.encode import FORMATS, Encoder, encode, wav_header
from open_speech.errors import InvalidRequest
from open_speech.testing import silence, sine
from sound_files import speech_like

SECONDS = 1.3


def speech(rate: int, seconds: float = SECONDS) -> Audio:
    return Audio(samples=speech_like(seconds, rate), sample_rate=rate)


def cut(audio: Audio, *sizes: int) -> list[Audio]:
    """Pieces of the given numbers of samples, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(audio.samples):
        size = sizes[turn % len(sizes)]
        piece = audio.samples[at : at + size]
        pieces.append(Audio(samples=piece, sample_rate=audio.sample_rate))
        at, turn = at + size, turn + 1
    return pieces


def feed(encoder: Encoder, pieces: list[Audio]) -> list[bytes]:
    return [*map(encoder.feed, pieces), encoder.finish()]


def heard(data: bytes, name: str, rate: int) -> NDArray[np.float32]:
    media_type = f"audio/pcm;rate={rate}" if name == "pcm" else None
    return decode(data, sample_rate=rate, media_type=media_type).samples


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_back_the_speech(name: str, rate: int) -> None:
    encoder = Encoder(name)
    audio = speech(rate)
    data = b"".join(feed(encoder, cut(audio, rate // 10)))
    written = encoder.sample_rate
    assert written is not None
    samples = heard(data, name, written)
    form = FORMATS[name]
    # As long as it was, but for the encoder's delay and the last frame.
    more = len(samples) - SECONDS * written
    frames = form.delay + (form.frame if name != "opus" else 0)
    assert -2 <= more <= frames + 2
    # And the same sound, once the delay is off.
    ours = samples[form.delay :][: int(SECONDS * written)]
    again = encode([audio], "wav", sample_rate=written)
    original = heard(again, "wav", written)[: len(ours)]
    likeness = np.corrcoef(ours[: len(original)], original)[0, 1]
    assert likeness > (0.9 if form.bit_rate else 0.9999)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pcm"])
def test_a_file_says_what_is_in_it(name: str) -> None:
    data = encode([speech(24_000)], name)
    with av.open(io.BytesIO(data), mode="r") as container:
        assert len(container.streams) == 1
        stream = container.streams.audio[0]
        assert stream.codec_context.channels == 1
        # Opus is always 48 kHz to whoever decodes it.
        assert stream.codec_context.sample_rate == (48_000 if name == "opus" else 24_000)


@pytest.mark.parametrize("name", FORMATS)
def test_how_the_speech_is_cut_into_pieces_is_not_heard(name: str) -> None:
    rate = 22_050
    whole = Encoder(name)
    expected = b"".join(feed(whole, [speech(rate)]))
    for sizes in ((997,), (1, 5_000, 64), (2_205, 11_025)):
        pieces = Encoder(name)
        data = b"".join(feed(pieces, cut(speech(rate), *sizes)))
        written = whole.sample_rate
        assert written is not None
        assert pieces.sample_rate == written
        assert np.array_equal(heard(data, name, written), heard(expected, name, written))


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_come_while_speech_is_made(name: str) -> None:
    encoder = Encoder(name)
    pieces = cut(speech(24_000, 3.0), 2_400)
    out = feed(encoder, pieces)
    first = next(number for number, data in enumerate(out) if data)
    assert first <= 5  # half a second into the speech
    assert sum(map(len, out[:16])) > sum(map(len, out)) / 3
    assert max(map(len, out)) < sum(map(len, out)) / 3


def test_pcm_is_24_khz_whatever_the_engine() -> None:
    for rate in (8_000, 22_050, 24_000, 48_000):
        data = encode([speech(rate)], "pcm")
        assert len(data) == pytest.approx(SECONDS * 24_000 * 2, abs=4)
    assert len(encode([speech(22_050)], "pcm", sample_rate=8_000)) == pytest.approx(20_800, abs=4)


@pytest.mark.parametrize(
    ("name", "asked", "rate", "expected"),
    [
        ("mp3", None, 22_050, 22_050),
        ("mp3", None, 23_000, 24_000),
        ("mp3", None, 96_000, 48_000),
        ("opus", None, 22_050, 24_000),
        ("opus", 44_100, 22_050, 48_000),
        ("wav", 16_000, 22_050, 16_000),
        ("flac", None, 22_050, 22_050),
    ],
)
def test_a_rate_that_the_format_lacks_becomes_the_next_one_above(
    name: str, asked: int | None, rate: int, expected: int
) -> None:
    encoder = Encoder(name, sample_rate=asked)
    assert encoder.sample_rate is None
    encoder.feed(speech(rate, 0.1))
    assert encoder.sample_rate == expected


def test_speech_that_changes_its_rate_goes_on_in_one_file() -> None:
    encoder = Encoder("wav")
    data = b"".join(feed(encoder, [speech(24_000, 1.0), speech(16_000, 1.0), speech(24_000, 1.0)]))
    assert encoder.sample_rate == 24_000
    assert decode(data, sample_rate=24_000).seconds == pytest.approx(3.0, abs=0.001)


def test_a_streamed_wav_is_read_by_the_standard_library_and_by_libav() -> None:
    audio = speech(24_000)
    data = b"".join(feed(Encoder("wav"), cut(audio, 5_000)))
    assert data[:44] == wav_header(24_000)
    with wave.open(io.BytesIO(data)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth()) == (1, 2)
        assert reader.getframerate() == 24_000
        frames = reader.readframes(reader.getnframes())
    assert len(frames) == 2 * len(audio.samples)
    with av.open(io.BytesIO(data), mode="r") as container:
        assert container.duration == pytest.approx(SECONDS * 1e6, abs=100)


@pytest.mark.parametrize("seconds", [0.0, 0.3, 2.5])
def test_a_whole_flac_states_its_length(seconds: float) -> None:
    audio = sine(seconds) if seconds else silence(0.01)
    with av.open(io.BytesIO(encode([audio], "flac"))) as file:
        stream = file.streams.audio[0]
        assert stream.duration * stream.time_base == Fraction(len(audio.samples), 16_000)
        frames = sum(frame.samples for frame in file.decode(stream))
    assert frames == len(audio.samples)


def test_a_whole_wav_states_its_length() -> None:
    audio = speech(24_000)
    with wave.open(io.BytesIO(encode(cut(audio, 999), "wav"))) as reader:
        assert reader.getnframes() == len(audio.samples)


@settings(max_examples=50)
@given(
    st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), max_size=50),
    st.sampled_from(["wav", "pcm", "flac"]),
)
def test_samples_out_of_range_are_clipped_and_never_wrap(values: list[float], name: str) -> None:
    audio = Audio(samples=np.array(values or [0.0], np.float32), sample_rate=24_000)
    samples = heard(encode([audio], name), name, 24_000)
    expected = np.clip(np.nan_to_num(audio.samples, posinf=1.0, neginf=-1.0), -1, 1)
    assert np.abs(samples - expected).max() <= 1.01 / 32768


def test_16_bits_survive_wav_and_flac_exactly() -> None:
    every = np.arange(-32768, 32768).astype(np.float32) / np.float32(32768)
    for name in ("wav", "flac"):
        data = encode([Audio(samples=every, sample_rate=16_000)], name)
        assert np.array_equal(heard(data, name, 16_000), every)


@pytest.mark.parametrize("name", FORMATS)
def test_no_speech_at_all_is_an_empty_file(name: str) -> None:
    assert len(Encoder(name).finish()) < 1_000
    assert len(encode([Audio(samples=np.zeros(0, np.float32), sample_rate=16_000)], name)) < 1_000


def test_an_unknown_format_is_refused_with_the_list() -> None:
    with pytest.raises(InvalidRequest, match=r"'wma'.*mp3, opus, aac, flac, wav, pcm, m4a"):
        Encoder("wma")
