"""WAV files that are still being written: their header does not know how long they will be."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Iterable, Iterator

import numpy as np

from open_speech import Audio, Samples
from open_speech.errors import InvalidResult

_PCM = 1
_MAX_HEADER = 65_536


def read_stream(blocks: Iterable[bytes]) -> Iterator[Audio]:
    """From the bytes of a WAV file of 16 bits, as they arrive, to chunks of mono sound.

    Whatever follows the header of the ``data`` chunk is sound. Raises InvalidResult for what is no
    such file, or ends within its header.
    """
    rate, channels, rest = 0, 1, b""
    for block in blocks:
        rest += block
        if not rate:
            header = _header(rest)
            if header is None:
                continue
            rate, channels, start = header
            rest = rest[start:]
        whole = len(rest) - len(rest) % (2 * channels)
        if whole:
            yield Audio(samples=_samples(rest[:whole], channels), sample_rate=rate)
            rest = rest[whole:]
    if not rate:
        raise _wrong("ended before its sound began")


def write(audio: Audio) -> bytes:
    """A WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(audio.sample_rate)
        scaled = np.clip(audio.samples, -1.0, 1.0) * 32767
        writer.writeframes(scaled.astype("<i2").tobytes())
    return file.getvalue()


def _header(data: bytes) -> tuple[int, int, int] | None:
    """Rate, channels and where sound starts; None if more bytes are needed."""
    if len(data) >= 12 and (data[:4] != b"RIFF" or data[8:12] != b"WAVE"):
        raise _wrong("is no WAV file")
    place, form = 12, None
    while len(data) >= place + 8:
        name, size = struct.unpack_from("<4sI", data, place)
        place += 8
        if name == b"data":
            if form is None:
                raise _wrong("does not say what its samples are")
            kind, channels, rate, bits = form
            if kind != _PCM or bits != 16 or not 1 <= channels <= 2 or not rate:
                raise _wrong(f"has samples of another kind ({kind}, {bits} bits)")
            return rate, channels, place
        if name == b"fmt ":
            if size < 16 or len(data) < place + 16:
                break
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, place)
            form = (kind, channels, rate, bits)
        place += size + size % 2
    if len(data) > _MAX_HEADER:
        raise _wrong("has no sound")
    return None


def _samples(data: bytes, channels: int) -> Samples:
    found: Samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
    if channels > 1:
        found = found.reshape(-1, channels).mean(axis=1, dtype=np.float32)
    return found


def _wrong(what: str) -> InvalidResult:
    return InvalidResult(
        f"The sound that the Fish Speech server sent {what}.", hint="Look into that server's log."
    )
