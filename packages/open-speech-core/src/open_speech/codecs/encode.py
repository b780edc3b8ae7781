"""From an engine's sound to bytes in a format that players know, while it is being made.

A WAV header states lengths that nobody knows yet while speech is being made. Then both are
0xFFFFFFFF, the sign for "to the end" that ffmpeg and sox write into pipes: libav, libsndfile,
browsers and our own decoder read on to the end, and the standard library's ``wave`` reads every
frame although its ``getnframes`` is of no use. The header of a FLAC file says 0 for "unknown" then.
``encode`` has all of the sound first and writes the true lengths.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from open_speech._types.audio import Audio, Samples

from .formats import FORMATS, Format, find_format
from .resample import Resampler

if TYPE_CHECKING:
    from ._muxer import Muxer

__all__ = ["FORMATS", "Encoder", "Format", "encode", "to_pcm16", "wav_header", "with_length"]

FALLBACK_SAMPLE_RATE = 24_000
"""The rate of a file without any sound in it."""
_UNKNOWN_SIZE = 0xFFFFFFFF
_WAV_HEADER_BYTES = 44
_FULL_SCALE = 32768.0


class Encoder:
    """Turns chunks of mono speech into one file, whose bytes come as soon as they exist.

    The chunks may differ in rate; they are resampled where needed, without seams. How the
    sound is cut into chunks does not change what a decoder hears. Holds a few frames, never
    the file. Not for several threads at once; blocks for about 10 ms per second of mp3.
    """

    def __init__(self, format: str, *, sample_rate: int | None = None) -> None:  # noqa: A002
        """Prepare for ``format``, a key of ``FORMATS``.

        Without ``sample_rate`` it is the format's default or the first chunk's; if the format
        cannot be written at that rate, the next higher one that it can.

        Raises:
            InvalidRequest: there is no such format.
        """
        self.format: Format = find_format(format)
        self._asked_rate = sample_rate or self.format.default_sample_rate
        self._resampler: Resampler | None = None
        self._muxer: Muxer | None = None
        self.samples = 0
        """Samples that the file has so far."""

    @property
    def sample_rate(self) -> int | None:
        """Samples per second of the file; None before the first chunk."""
        return None if self._resampler is None else self._resampler.sample_rate

    def feed(self, audio: Audio) -> bytes:
        """Take the next chunk and return the bytes that are ready, possibly none."""
        head, resampler = self._start(audio.sample_rate)
        return head + self._write(resampler.feed(audio))

    def finish(self) -> bytes:
        """Return the rest of the bytes. The encoder is of no use afterwards."""
        empty = self._resampler is None
        head, resampler = self._start(FALLBACK_SAMPLE_RATE)
        if empty and self.format.name == "wav":
            return wav_header(resampler.sample_rate, samples=0)
        rest = head + self._write(resampler.finish())
        return rest if self._muxer is None else rest + self._muxer.close()

    def _start(self, sample_rate: int) -> tuple[bytes, Resampler]:
        """Fix the file's rate at the first chunk; the header, then nothing."""
        if self._resampler is not None:
            return b"", self._resampler
        rate = self.format.sample_rate_for(self._asked_rate or sample_rate)
        self._resampler = Resampler(rate)
        if self.format.muxer:
            from ._muxer import Muxer  # PyAV takes a while to import

            self._muxer = Muxer(self.format, rate)
        return (wav_header(rate) if self.format.name == "wav" else b""), self._resampler

    def _write(self, samples: Samples) -> bytes:
        self.samples += len(samples)
        safe = np.clip(np.nan_to_num(samples, posinf=1.0, neginf=-1.0), -1.0, 1.0)
        return to_pcm16(safe) if self._muxer is None else self._muxer.write(safe)


def encode(
    chunks: Iterable[Audio],
    format: str,  # noqa: A002
    *,
    sample_rate: int | None = None,
) -> bytes:
    """Write a whole file, as ``Encoder`` does, but with its true length in the header."""
    encoder = Encoder(format, sample_rate=sample_rate)
    data = b"".join([*map(encoder.feed, chunks), encoder.finish()])
    return with_length(data, encoder.samples)


def with_length(data: bytes, samples: int) -> bytes:
    """A whole file of ``Encoder`` whose header says how many samples it has, if it can.

    Of FLAC, the last 36 of the 64 bits from byte 18 on (RFC 9639, section 8.2) are that number.
    """
    if data[:4] == b"RIFF":
        rate = int.from_bytes(data[24:28], "little")
        return wav_header(rate, samples) + data[_WAV_HEADER_BYTES:]
    if data[:4] == b"fLaC" and samples < 1 << 36:
        field = int.from_bytes(data[18:26]) >> 36 << 36 | samples
        return data[:18] + field.to_bytes(8) + data[26:]
    return data


def to_pcm16(samples: Samples) -> bytes:
    """16-bit little-endian integers, clipped; the inverse of what the decoder does."""
    scaled = np.rint(samples * np.float32(_FULL_SCALE))
    return bytes(np.clip(scaled, -32768, 32767).astype("<i2").data)


def wav_header(sample_rate: int, samples: int | None = None) -> bytes:
    """The 44 bytes before 16-bit mono samples; None if their number is not known."""
    size = _UNKNOWN_SIZE if samples is None else min(samples * 2, _UNKNOWN_SIZE)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        min(size + _WAV_HEADER_BYTES - 8, _UNKNOWN_SIZE),
        b"WAVE",
        b"fmt ",
        16,  # bytes of this chunk
        1,  # integers
        1,  # channel
        sample_rate,
        sample_rate * 2,  # bytes per second
        2,  # bytes per sample
        16,  # bits per sample
        b"data",
        size,
    )
