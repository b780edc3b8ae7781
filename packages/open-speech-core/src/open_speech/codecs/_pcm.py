"""Uncompressed sound without libav: headerless PCM, and WAV that needs no mixing or resampling.

A recording of one channel at the rate that is asked for only has to be reinterpreted, which takes
a millisecond per minute where a demuxer takes twenty. Whatever is unusual (more channels, another
rate, a-law, RF64) is left to libav. The conversions to 16 bits are libswresample's, so that both
ways give the same samples; a test compares them.

Layout of the file: "Multimedia Programming Interface and Data Specifications 1.0" (IBM and
Microsoft, 1991), and ``WAVEFORMATEXTENSIBLE`` in the Windows documentation (``mmreg.h``).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from .limits import LimitCounter, check_shape, not_finite

Pcm16 = NDArray[np.int16]
"""Mono samples, shape ``(n,)``: the exchange format inside the decoder, 32768 is full scale."""

_INTEGER, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the format tag in the sub-format of a ``WAVEFORMATEXTENSIBLE``."""
_TO_END = (0, 0xFFFFFFFF)
"""Sizes that writers leave behind when they cannot seek back: the sound goes on to the end."""
_BLOCK = 1 << 16
"""Samples read at once."""
_MAX_CHUNKS = 1_000
"""Chunks before the sound that are skipped over; more than that is nobody's recording."""


@dataclass(frozen=True, kw_only=True)
class PcmLayout:
    """Where the samples of a mono recording lie and how they are written."""

    sample_rate: int
    kind: str
    """``u8``, ``s16``, ``s24``, ``s32``, ``f32`` or ``f64``, little-endian."""
    offset: int = 0
    """Bytes before the first sample."""
    size: int | None = None
    """Bytes of samples, or None for all there are."""

    @property
    def width(self) -> int:
        """Bytes per sample."""
        return int(self.kind[1:]) // 8


def read_wav(stream: BinaryIO) -> PcmLayout | None:
    """Parse the header of a WAV file, or None if it is not one, or one for libav.

    Leaves ``stream`` anywhere.

    Raises:
        InvalidAudio: the header claims an impossible rate or number of channels.
    """
    stream.seek(0)
    if not is_wav(stream.read(12)):
        return None
    layout: PcmLayout | None = None
    for _ in range(_MAX_CHUNKS):
        head = stream.read(8)
        if len(head) < 8:
            return None
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            return _with_data(layout, stream.tell(), size)
        body = stream.tell()
        if name == b"fmt ":
            layout = _parse_format(stream.read(min(size, 40)))
        stream.seek(body + size + size % 2)
    return None


def is_wav(head: bytes) -> bool:
    """Whether a file that begins with these 12 bytes is a little-endian WAV file."""
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def _parse_format(fmt: bytes) -> PcmLayout | None:
    if len(fmt) < 16:
        return None
    tag, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", fmt)
    check_shape(sample_rate=rate, channels=channels)
    if tag == _EXTENSIBLE and len(fmt) >= 40 and fmt[26:40] == _GUID_TAIL:
        tag = struct.unpack_from("<H", fmt, 24)[0]
    kinds = {_INTEGER: {8: "u8", 16: "s16", 24: "s24", 32: "s32"}, _FLOAT: {32: "f32", 64: "f64"}}
    kind = kinds.get(tag, {}).get(bits)
    if kind is None or channels != 1 or align * 8 != bits:
        return None
    return PcmLayout(sample_rate=rate, kind=kind)


def _with_data(layout: PcmLayout | None, offset: int, size: int) -> PcmLayout | None:
    if layout is None:
        return None
    return PcmLayout(
        sample_rate=layout.sample_rate,
        kind=layout.kind,
        offset=offset,
        size=None if size in _TO_END else size,
    )


def read_pcm(stream: BinaryIO, layout: PcmLayout, counter: LimitCounter) -> Iterator[Pcm16]:
    """Yield the samples in blocks. A last, incomplete sample is dropped.

    Raises:
        InvalidAudio: a sample is not a number.
        AudioTooLong: ``meter`` had enough.
    """
    convert, width = _CONVERTERS[layout.kind], layout.width
    stream.seek(layout.offset)
    left = layout.size
    rest = b""
    while data := stream.read(_BLOCK * width if left is None else min(_BLOCK * width, left)):
        left = None if left is None else left - len(data)
        data = rest + data
        whole = len(data) - len(data) % width
        rest = data[whole:]
        counter.add(whole // width, sample_rate=layout.sample_rate, frame_bytes=width)
        if whole:
            yield _finite(convert(data[:whole]), counter)


def _finite(samples: Pcm16 | None, counter: LimitCounter) -> Pcm16:
    if samples is None:
        raise not_finite(counter.seconds)
    return samples


def _from_u8(data: bytes) -> Pcm16:
    return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) * np.int16(256)


def _from_s16(data: bytes) -> Pcm16:
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def _from_s24(data: bytes) -> Pcm16:
    upper = np.frombuffer(data, np.uint8).reshape(-1, 3)[:, 1:]
    return _from_s16(upper.tobytes())


def _from_s32(data: bytes) -> Pcm16:
    return _from_s16(data)[1::2]


def _from_f32(data: bytes) -> Pcm16 | None:
    return from_float(np.frombuffer(data, "<f4"))


def _from_f64(data: bytes) -> Pcm16 | None:
    return from_float(np.frombuffer(data, "<f8"))


def from_float(samples: NDArray[np.floating]) -> Pcm16 | None:
    """Scale by 32768, round half to even, clip; None if a sample is not a number."""
    if not np.isfinite(samples).all():
        return None
    scaled = np.rint(samples * samples.dtype.type(32768))
    return np.clip(scaled, -32768, 32767).astype(np.int16)


_CONVERTERS: dict[str, Callable[[bytes], Pcm16 | None]] = {
    "u8": _from_u8,
    "s16": _from_s16,
    "s24": _from_s24,
    "s32": _from_s32,
    "f32": _from_f32,
    "f64": _from_f64,
}
