"""From a sound file of any kind to mono samples at the rate a model wants.

Samples are 16-bit integers divided by 32768, mixed and resampled by libav: the same, bit by bit,
as those of recognition libraries that decode files with PyAV. See ``_libav`` and ``_pcm``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from open_speech._types.audio import Audio
from open_speech.errors import InvalidAudio

from ._libav import read_frames, to_frames, to_mono
from ._pcm import Pcm16, PcmLayout, is_wav, read_pcm, read_wav
from .limits import DecodeLimits, LimitCounter, check_shape

__all__ = ["DecodeLimits", "decode", "decode_chunks"]

STRETCH_SECONDS = 1_800.0
"""Up to here audio stays in one piece, and equals what the bare library would hear."""
RAW_MEDIA_TYPES = frozenset({"audio/pcm", "audio/raw", "audio/x-raw"})
"""Headerless 16-bit little-endian mono sound."""
RAW_SAMPLE_RATE = 16_000
"""Its rate, unless the media type has a ``rate`` parameter."""
FULL_SCALE = np.float32(32768.0)

_SEARCH_SECONDS = 60.0
"""How far before the end of a chunk a quiet point is looked for."""
_FRAME_SECONDS = 0.02
_QUIET_FRAMES = 15
"""Frames over which loudness is averaged: 0.3 seconds, a pause between words."""


def decode(
    source: bytes | Path | BinaryIO,
    *,
    sample_rate: int,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008 - frozen
    media_type: str | None = None,
) -> Audio:
    """Decode a whole recording to mono at ``sample_rate``.

    What the file is, is found out from its bytes; ``media_type`` matters only for sound without a
    header (``audio/pcm``, ``audio/raw``). Of several audio tracks the first is taken; pictures and
    video are passed over. A file object must be seekable and is left open. Blocks; call it from a
    thread. Memory: six bytes per sample of the result.

    Raises:
        InvalidAudio: no sound that can be decoded, or samples that are not numbers.
        AudioTooLong: more than ``limits`` allow; noticed while decoding, whatever a header says.
    """
    with _opened(source) as stream:
        chunks = list(_read(stream, sample_rate, limits, media_type))
    return _audio(np.concatenate(chunks), sample_rate)


def decode_chunks(
    source: bytes | Path | BinaryIO,
    *,
    sample_rate: int,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008 - frozen
    media_type: str | None = None,
    max_seconds: float = STRETCH_SECONDS,
) -> Generator[Audio, None, None]:
    """Decode a recording of any length piece by piece, in order and without gaps.

    Up to ``max_seconds`` there is one piece, the same as ``decode`` gives. Beyond that each piece
    ends at the quietest point of its last minute. Memory is bounded by ``max_seconds``, not by
    the recording. Arguments and errors are those of ``decode``; an error may come after the first
    pieces.
    """
    most = max(1, int(max_seconds * sample_rate))
    held: list[Pcm16] = []
    held_samples = 0
    try:
        with _opened(source) as stream:
            for chunk in _read(stream, sample_rate, limits, media_type):
                held.append(chunk)
                held_samples += len(chunk)
                while held_samples > most:
                    whole = np.concatenate(held)
                    cut = _quietest(whole[:most], sample_rate)
                    yield _audio(whole[:cut], sample_rate)
                    held, held_samples = [whole[cut:].copy()], held_samples - cut
                    del whole
        yield _audio(np.concatenate(held), sample_rate)
    finally:
        held.clear()  # an error has this frame in its traceback, and may live for a while


@contextmanager
def _opened(source: bytes | Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(source, Path):
        try:
            stream = source.open("rb")
        except OSError as error:
            raise InvalidAudio(
                f"The file {source.name!r} cannot be read: {error.strerror}.",
                hint="Check its path and its permissions.",
            ) from error
        with stream:
            yield stream
    elif isinstance(source, bytes):
        yield BytesIO(source)
    else:
        yield source


def _read(
    stream: BinaryIO, sample_rate: int, limits: DecodeLimits, media_type: str | None
) -> Iterator[Pcm16]:
    """Yield non-empty pieces, at least one."""
    empty = True
    for chunk in _convert(stream, sample_rate, limits, media_type):
        if len(chunk):
            empty = False
            yield chunk
    if empty:
        raise InvalidAudio("The file holds no sound.", hint="Record it again.")


def _convert(
    stream: BinaryIO, sample_rate: int, limits: DecodeLimits, media_type: str | None
) -> Iterator[Pcm16]:
    counter = LimitCounter(limits)
    raw = _raw_layout(stream, media_type)
    layout = raw or read_wav(stream)
    if layout is not None and layout.sample_rate == sample_rate:
        yield from read_pcm(stream, layout, counter)
    elif raw is not None:
        frames = to_frames(read_pcm(stream, raw, counter), raw.sample_rate)
        yield from to_mono(frames, sample_rate, counter)
    else:
        yield from to_mono(read_frames(stream, limits, counter), sample_rate, counter)


def _raw_layout(stream: BinaryIO, media_type: str | None) -> PcmLayout | None:
    """The layout of headerless sound, if that is what it is said to be and looks like."""
    name, _, parameters = (media_type or "").partition(";")
    if name.strip().lower() not in RAW_MEDIA_TYPES:
        return None
    stream.seek(0)
    if _has_header(stream.read(12)):
        return None
    rate = RAW_SAMPLE_RATE
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "rate":
            rate = _parse_rate(value.strip())
    check_shape(sample_rate=rate, channels=1)
    return PcmLayout(sample_rate=rate, kind="s16")


def _parse_rate(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise InvalidAudio(
            "The rate of the media type is not a number.", hint="Write it as audio/pcm;rate=24000."
        )
    return int(value)


_MAGIC = (
    b"OggS", b"fLaC", b"\x1aE\xdf\xa3", b"#!AMR", b"FORM", b"caff", b".snd", b"\x30\x26\xb2\x75",
)  # fmt: skip


def _has_header(head: bytes) -> bool:
    """Whether sound that is said to be headerless has one after all."""
    return is_wav(head) or head.startswith(_MAGIC) or head[4:8] == b"ftyp"


def _audio(samples: Pcm16, sample_rate: int) -> Audio:
    scaled = samples.astype(np.float32)
    scaled /= FULL_SCALE
    return Audio(samples=scaled, sample_rate=sample_rate)


def _quietest(samples: Pcm16, sample_rate: int) -> int:
    """The index in the last minute (or half) of ``samples`` around which least is heard."""
    frame = max(1, int(_FRAME_SECONDS * sample_rate))
    start = len(samples) - min(int(_SEARCH_SECONDS * sample_rate), len(samples) // 2)
    frames = (len(samples) - start) // frame
    if frames < _QUIET_FRAMES:
        return len(samples)
    tail = samples[start : start + frames * frame].astype(np.float32).reshape(frames, frame)
    energy = np.convolve((tail * tail).sum(axis=1), np.ones(_QUIET_FRAMES), mode="valid")
    last = len(energy) - 1 - int(np.argmin(energy[::-1]))
    return start + last * frame + _QUIET_FRAMES * frame // 2
