"""Compressed sound through libav (PyAV), with hostile files in mind.

What a file may make libav do is narrowed before the first byte is read: an allow-list of demuxers
(so playlists, session descriptions and concatenation scripts are never parsed), an empty list of
protocols, an ``io_open`` that refuses, an allow-list of decoders, no file name (libav guesses
from names, and names lie), and a look at how much memory an index (``_mp4``) or a tag (``_riff``)
would take. Pictures and video are thrown away unread.

libav itself mixes and resamples, to 16 bits. That is what recognition libraries built on PyAV do
with a file of their own, so a transcript is the same as the bare library's; soxr would be as good
a resampler, but would not give the same samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import SEEK_END
from typing import Any, BinaryIO, NoReturn

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard

from open_speech.errors import InvalidAudio

from ._cancelling import Rescue
from ._mp4 import check_index
from ._pcm import Pcm16
from ._riff import check_chunks
from .limits import DecodeLimits, LimitCounter, check_shape, not_finite, too_long

_DEMUXERS = (
    "aac,aiff,amr,amrnb,amrwb,asf,au,caf,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mp3,mpegts,ogg,"
    "w64,wav"
)
_DECODERS = (
    "aac,aac_fixed,aac_latm,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,alac,amrnb,amrwb,eac3,flac,"
    "g722,gsm,gsm_ms,libgsm,libgsm_ms,libopencore_amrnb,libopencore_amrwb,libopus,libspeex,"
    "libvorbis,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,"
    "pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,"
    "pcm_u8,speex,vorbis,wmav1,wmav2,wmapro,wmavoice"
)
_CONTAINER_OPTIONS = {
    "codec_whitelist": _DECODERS,
    "format_whitelist": _DEMUXERS,
    "protocol_whitelist": "",
}
_LEAST_BYTES_PER_SECOND = 400
"""No codec makes speech smaller: a shorter file needs no look at its packets."""
_EXACT_DURATION = frozenset(
    {"aiff", "au", "caf", "flac", "mov,mp4,m4a,3gp,3g2,mj2", "ogg", "w64", "wav"}
)
"""Formats whose header states a length. libav guesses that of the others from the bit rate."""
_MAX_BARREN = 2_000
"""Packets in a row that yield no sound, after which the rest is taken for garbage. An index can
name the same bytes millions of times, so the size of the file bounds nothing."""
_MAX_BLOCK_BYTES = 1 << 21
"""What is converted at a time is a second of sound, or less where that would be larger."""
_REFUSALS = (FFmpegError, ValueError, LookupError, NotImplementedError, OverflowError)
"""What PyAV raises over bytes that it cannot make sense of."""


class _Source:
    """The file without its name, and without a way to close it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.read = stream.read
        self.seek = stream.seek
        self.tell = stream.tell


def read_frames(
    stream: BinaryIO, limits: DecodeLimits, counter: LimitCounter
) -> Iterator[AudioFrame]:
    """Yield the decoded frames of the first audio stream, whatever their format.

    Damaged packets are passed over, and a file that is cut off ends where it is cut off.

    Raises:
        InvalidAudio: not a format known here, no audio in it, or an impossible shape.
        AudioTooLong: ``counter`` had enough, or the header states more than ``limits`` allow.
    """
    if stream.seek(0, SEEK_END) > limits.max_seconds * _LEAST_BYTES_PER_SECOND:
        _refuse_by_packets(stream, limits)
    with _readable(stream) as container:
        audio = _audio_stream(container)
        _refuse_early(container, limits)
        barren = 0
        for packet in _packets(container, audio):
            frames = _decode(packet)
            barren = 0 if frames else barren + 1
            if barren > _MAX_BARREN:
                return
            for frame in frames:
                _count(frame, counter)
                yield frame


def unreadable() -> InvalidAudio:
    """The error for what is no sound file."""
    return InvalidAudio(
        "The file is not in a supported audio format, or it is damaged.",
        hint="Send wav, mp3, flac, ogg, opus, webm, m4a, mp4, aac, 3gp, amr, aiff, caf, au or wma.",
    )


def _readable(stream: BinaryIO) -> InputContainer:
    try:
        return _open(stream)
    except _REFUSALS as error:
        raise unreadable() from error


def _open(stream: BinaryIO) -> InputContainer:
    check_index(stream)
    check_chunks(stream)
    stream.seek(0)
    return av.open(
        _Source(stream),
        mode="r",
        container_options=_CONTAINER_OPTIONS,
        metadata_errors="replace",
        io_open=_refuse_to_open,
    )


def _refuse_to_open(*args: Any) -> NoReturn:
    raise PermissionError("A sound file may not have other files opened.")


def _audio_stream(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise InvalidAudio("The file holds no audio.", hint="Send a file with an audio track.")
    chosen = container.streams.audio[0]
    for stream in container.streams:
        if stream.index != chosen.index:
            stream.discard = Discard.all
    context: AudioCodecContext | None = chosen.codec_context  # None where no decoder is built in
    if context is None or context.name not in _DECODERS.split(","):
        raise unreadable()
    return chosen


def _refuse_early(container: InputContainer, limits: DecodeLimits) -> None:
    """Spare the work on a file that says itself that it is too long, with a second to spare."""
    if container.format.name not in _EXACT_DURATION or container.duration is None:
        return
    if container.duration / av.time_base > limits.max_seconds + 1.0:
        raise too_long(limits)


def _refuse_by_packets(stream: BinaryIO, limits: DecodeLimits) -> None:
    """The same for a file that hides its length: walk through its packets without decoding them.

    Otherwise an engine would work for hours on what is refused in the end.
    """
    with _readable(stream) as container:
        audio = _audio_stream(container)
        if container.format.name in _EXACT_DURATION:
            return
        ticks, last = 0, None
        for packet in _packets(container, audio):
            if packet.pts is None:
                continue
            ticks += packet.duration or (packet.pts - last if last is not None else 0)
            last = packet.pts
            if ticks * (packet.time_base or 0) > limits.max_seconds + 1.0:
                raise too_long(limits)


def _packets(container: InputContainer, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
    try:
        yield from container.demux(stream)
    except _REFUSALS:
        return  # Cut off or damaged: what came before it still counts.


def _decode(packet: Packet[AudioStream]) -> list[AudioFrame]:
    try:
        return [frame for frame in packet.decode() if frame.samples > 0]
    except _REFUSALS:
        return []  # One damaged packet does not spoil the recording.


def _count(frame: AudioFrame, counter: LimitCounter) -> None:
    channels = frame.layout.nb_channels
    check_shape(sample_rate=frame.sample_rate, channels=channels)
    counter.add(
        frame.samples,
        sample_rate=frame.sample_rate,
        frame_bytes=channels * frame.format.bytes,
    )


def to_mono(
    frames: Iterator[AudioFrame], sample_rate: int, counter: LimitCounter
) -> Iterator[Pcm16]:
    """Mix to one channel, resample and round to 16 bits, in pieces of at most a second.

    The samples do not depend on how they are cut into frames. When the format changes on the way
    (chained Ogg does that), conversion starts afresh. Where channels cancel each other out the
    loudest is heard (``_cancelling``).

    Raises:
        InvalidAudio: a sample is not a number, or the channels cannot be mixed.
    """
    converter: _Converter | None = None
    for frame in frames:
        if converter is None or not converter.takes(frame):
            if converter is not None:
                yield from converter.finish()
            converter = _Converter(frame, sample_rate, counter)
        yield from converter.feed(frame)
    if converter is not None:
        yield from converter.finish()


class _Packer:
    """Lays channels side by side where there are so many that PyAV reads past their list.

    ``AudioFrame.planes``, and with it ``to_ndarray``, looks for a null pointer after the last
    plane. From eight planes on there is none, and the process dies of what is there instead (PyAV
    18.1). A packed frame has one plane, whatever its channels; libav makes it of itself.
    """

    MOST_PLANES = 7

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None

    def __call__(self, frame: AudioFrame) -> AudioFrame:
        if not frame.format.is_planar or frame.layout.nb_channels <= self.MOST_PLANES:
            return frame
        if self._resampler is None:
            self._resampler = AudioResampler(
                format=frame.format.packed, layout=frame.layout, rate=frame.sample_rate
            )
        (packed,) = self._resampler.resample(frame)
        return packed


class _Converter:
    """One run of frames of one format."""

    def __init__(self, first: AudioFrame, sample_rate: int, counter: LimitCounter) -> None:
        self._shape = _shape(first)
        self._is_float = first.format.name.startswith(("flt", "dbl"))
        frame_bytes = first.layout.nb_channels * first.format.bytes
        self._group = min(first.sample_rate, _MAX_BLOCK_BYTES // frame_bytes)
        self._fifo = AudioFifo()
        self._resampler = AudioResampler(format="s16", layout="mono", rate=sample_rate)
        self._meter = counter
        self._rescue: Rescue | None = None
        self._packed = _Packer()

    def takes(self, frame: AudioFrame) -> bool:
        return _shape(frame) == self._shape

    def feed(self, frame: AudioFrame) -> Iterator[Pcm16]:
        frame.pts = None  # Gaps and jumps in the time stamps are not ours to fill.
        self._fifo.write(frame)
        while self._fifo.samples >= self._group:
            yield from self._convert(self._fifo.read(self._group))

    def finish(self) -> Iterator[Pcm16]:
        if self._fifo.samples:
            yield from self._convert(self._fifo.read())
        yield from self._convert(None)

    def _convert(self, frame: AudioFrame | None) -> Iterator[Pcm16]:
        try:
            frame = None if frame is None else self._packed(frame)
            if frame is not None and self._is_float and not np.isfinite(frame.to_ndarray()).all():
                raise not_finite(self._meter.seconds)
            if frame is not None:
                self._rescue = self._rescue or Rescue(frame)
                frame = self._rescue(frame)
            converted = self._resampler.resample(frame)
        except _REFUSALS as error:
            raise InvalidAudio(
                "The channels of the audio cannot be mixed.", hint="Send it with one channel."
            ) from error
        for piece in converted:
            yield piece.to_ndarray()[0].astype(np.int16, copy=False)


def _shape(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def to_frames(blocks: Iterator[Pcm16], sample_rate: int) -> Iterator[AudioFrame]:
    """Wrap mono samples as frames, for ``to_mono``."""
    for block in blocks:
        frame = AudioFrame.from_ndarray(block[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = sample_rate
        yield frame
