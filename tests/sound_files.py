"""Sound files for tests, made on the spot: ordinary, long, and hostile."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

KINDS = {
    "wav": ("wav", "pcm_s16le", 16_000),
    "mp3": ("mp3", "libmp3lame", 24_000),
    "flac": ("flac", "flac", 16_000),
    "ogg": ("ogg", "libopus", 48_000),
    "opus": ("opus", "libopus", 24_000),
    "vorbis": ("ogg", "vorbis", 44_100),
    "webm": ("webm", "libopus", 48_000),
    "m4a": ("ipod", "aac", 44_100),
    "mp4": ("mp4", "aac", 22_050),
    "aac": ("adts", "aac", 24_000),
    "3gp": ("3gp", "libopencore_amrnb", 8_000),
    "aiff": ("aiff", "pcm_s16be", 44_100),
    "caf": ("caf", "alac", 48_000),
    "au": ("au", "pcm_mulaw", 8_000),
    "wma": ("asf", "wmav2", 44_100),
    "ts": ("mpegts", "aac", 48_000),
    "w64": ("w64", "pcm_s16le", 16_000),
    "amr": ("amr", "libopencore_amrnb", 8_000),
}
"""Muxer, encoder and rate of each kind of file that clients send."""
WAV_KINDS = {
    "u8": (1, 8),
    "s16": (1, 16),
    "s24": (1, 24),
    "s32": (1, 32),
    "f32": (3, 32),
    "f64": (3, 64),
}


def speech_like(seconds: float, sample_rate: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Noisy syllables with pauses, shape ``(n,)``, within [-1, 1]."""
    count = round(seconds * sample_rate)
    at = np.arange(count) / sample_rate
    loud = np.clip(np.sin(2 * np.pi * 2.5 * at), 0, 1) ** 0.5
    hum = sum(np.sin(2 * np.pi * 140 * n * at) / n for n in range(1, 12))
    noise = np.random.default_rng(seed).normal(size=count)
    return np.clip(loud * (0.2 * hum + 0.05 * noise), -1, 1).astype(np.float32)


def sound_file(kind: str, seconds: float = 1.0, *, layout: str = "mono") -> bytes:
    """A file of one of ``KINDS`` with something like speech in it."""
    muxer, codec, rate = KINDS[kind]
    channels = 2 if layout == "stereo" else 1
    parts = [speech_like(seconds, rate, seed=seed) for seed in range(channels)]
    return write(muxer, codec, np.stack(parts), rate, layout=layout)


def write(
    muxer: str,
    codec: str,
    samples: NDArray[np.float32],
    rate: int,
    *,
    layout: str = "mono",
    video: bool = False,
    seekable: bool = True,
) -> bytes:
    """Encode with libav; ``samples`` has shape ``(channels, n)``."""
    target = io.BytesIO()
    sink: Any = target if seekable else _Pipe(target)
    with av.open(sink, mode="w", format=muxer) as container:
        picture = _add_video(container) if video else None
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        stream = container.add_stream(codec, rate=rate, options=options)
        assert isinstance(stream, AudioStream)
        if codec.startswith("wma"):
            stream.bit_rate = 96_000  # it has no default
        stream.layout = "stereo" if codec == "vorbis" else layout
        if picture is not None:
            container.mux(picture)
        resampler = av.AudioResampler(stream.format, stream.layout, rate)
        step = 1 << 20
        for start in range(0, samples.shape[1], step):
            piece = np.ascontiguousarray(samples[:, start : start + step])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return target.getvalue()


def _add_video(container: OutputContainer) -> list[Packet[Any]]:
    """Add a track of one second of pictures; returns the packets to write later."""
    stream = container.add_stream("mpeg4", rate=25)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = 64, 48
    packets: list[Packet[Any]] = []
    for number in range(25):
        frame = av.VideoFrame(64, 48, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


class _Pipe:
    """Can only be written to, as a pipe."""

    def __init__(self, target: io.BytesIO) -> None:
        self.write = target.write


def bare_decode(data: bytes, rate: int) -> NDArray[np.float32]:
    """What a recognition library built on PyAV hears: libav's conversion to 16 bits and mono."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    pieces = []
    with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
        for frame in container.decode(audio=0):
            frame.pts = None
            pieces += [ready.to_ndarray() for ready in resampler.resample(frame)]
        pieces += [ready.to_ndarray() for ready in resampler.resample(None)]
    samples: NDArray[np.float32] = np.concatenate(pieces, axis=1)[0].astype(np.float32)
    return samples / np.float32(32768.0)


def pcm_bytes(kind: str, samples: NDArray[np.float32]) -> bytes:
    """Samples as the little-endian PCM that ``kind`` names, interleaved by the caller."""
    if kind == "u8":
        return np.clip(samples * 128 + 128, 0, 255).astype(np.uint8).tobytes()
    if kind.startswith("f"):
        return samples.astype("<f4" if kind == "f32" else "<f8").tobytes()
    whole = np.clip(samples.astype(np.float64) * 2**31, -(2**31), 2**31 - 1).astype("<i4")
    octets = whole.view(np.uint8).reshape(-1, 4)
    return octets[:, 4 - int(kind[1:]) // 8 :].tobytes()


def wav_file(
    kind: str,
    data: bytes,
    rate: int = 16_000,
    *,
    channels: int = 1,
    extensible: bool = False,
    data_size: int | None = None,
    before: bytes = b"",
) -> bytes:
    """A WAV file with any header, true or false; ``before`` are chunks ahead of the sound."""
    tag, bits = WAV_KINDS[kind]
    align = channels * bits // 8 & 0xFFFF
    each = 0xFFFE if extensible else tag
    fmt = struct.pack("<HHIIHH", each, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
    if extensible:
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        fmt += struct.pack("<HHI", 22, bits, 4 if channels == 1 else 0) + guid
    size = len(data) if data_size is None else data_size
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + before
    body += struct.pack("<4sI", b"data", size) + data
    riff = size if size >= 0xFFFFFF00 else len(body)
    return b"RIFF" + struct.pack("<I", riff & 0xFFFFFFFF) + body


def png(width: int, height: int) -> bytes:
    """A black picture that is small as a file and large in memory."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes((width * 3 + 1) * height))
    magic = b"\x89PNG\r\n\x1a\n"
    return magic + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def mp3_with_cover(mp3: bytes, picture: bytes) -> bytes:
    """Put an ID3 tag with an attached picture in front of ``mp3``."""
    frame = b"\0image/png\0\x03\0" + picture
    tag = b"APIC" + struct.pack(">I", len(frame)) + b"\0\0" + frame
    size = bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + tag + mp3


def mp4_with_index(samples: int, *, edits: int = 0, fragment: bool = False) -> bytes:
    """An MP4 file of a kilobyte whose index claims ``samples`` packets."""

    def box(name: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return struct.pack(">I4s", 8 + len(body), name) + body

    def full(name: bytes, *parts: bytes) -> bytes:
        return box(name, bytes(4), *parts)

    def table(name: bytes, *numbers: int) -> bytes:
        return full(name, struct.pack(f">{len(numbers)}I", *numbers))

    esds = bytes.fromhex("031900000004114015000000000000000000000005021210060102")
    entry = bytes(6) + b"\0\1" + bytes(8) + struct.pack(">HHHHI", 1, 16, 0, 0, 44_100 << 16)
    stsd = full(b"stsd", struct.pack(">I", 1), box(b"mp4a", entry, full(b"esds", esds)))
    count = 0 if fragment else samples
    stbl = box(
        b"stbl",
        stsd,
        table(b"stts", 1, count, 1024),
        table(b"stsc", 1, 1, count, 1),
        table(b"stsz", 1, count),
        table(b"stco", 1, 40),
    )
    mdhd = full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 44_100, 1_000, 0, 0))
    hdlr = full(b"hdlr", bytes(4), b"soun", bytes(13))
    tkhd = full(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, 1_000), bytes(60))
    elst = full(b"elst", struct.pack(">I", edits), struct.pack(">III", 1_000, 0, 1 << 16) * edits)
    edts = box(b"edts", elst) if edits else b""
    mdia = box(b"mdia", mdhd, hdlr, box(b"minf", full(b"smhd", bytes(4)), stbl))
    mvhd = full(b"mvhd", struct.pack(">IIII", 0, 0, 1_000, 1_000), bytes(80))
    mvex = box(b"mvex", table(b"trex", 1, 1, 1024, 1, 0)) if fragment else b""
    moov = box(b"moov", mvhd, box(b"trak", tkhd, edts, mdia), mvex)
    run = table(b"trun", samples) if fragment else b""
    traf = box(b"traf", box(b"tfhd", struct.pack(">II", 0x20000, 1)), run)
    moof = box(b"moof", table(b"mfhd", 1), traf) if fragment else b""
    return box(b"ftyp", b"isom\0\0\2\0isom") + moov + moof + box(b"mdat", bytes(1_000))


def playlists(url: str) -> dict[str, bytes]:
    """Texts that make a careless libav fetch ``url`` or read other files."""
    port = url.rsplit(":", 1)[-1].split("/")[0]
    mpd = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S" profiles="urn:mpeg:dash:profile:isoff-main:2011">'
        '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1">'
        f"<BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    return {
        "sdp": (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n"
        ).encode(),
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n".encode(),
        "ffconcat": f"ffconcat version 1.0\nfile '{url}'\n".encode(),
        "concat-file": b"ffconcat version 1.0\nfile '/etc/hostname'\n",
        "mpd": mpd.encode(),
        "imf": b'<?xml version="1.0"?><AssetMap xmlns="http://www.smpte-ra.org/schemas/429-9/2007/AM"/>',
        "rtsp": f"[Reference]\r\nRef1={url}\r\n".encode(),
        "ffmeta": b";FFMETADATA1\ntitle=x\n",
    }


def hostile_files() -> Iterator[tuple[str, bytes]]:
    """Files that no decoder should trust, with names."""
    speech = speech_like(0.3, 16_000)
    s16 = pcm_bytes("s16", speech)
    yield from _broken_wavs(s16)
    for name in ("nan", "inf", "-inf"):
        for kind in ("f32", "f64"):
            spoilt = speech.copy()
            spoilt[1_000] = float(name)
            for rate in (16_000, 44_100):
                yield f"wav-{kind}-{rate}-{name}", wav_file(kind, pcm_bytes(kind, spoilt), rate)
    for kind in ("mp3", "flac", "ogg", "webm", "m4a", "aac", "amr", "3gp"):
        data = sound_file(kind, 0.5)
        yield f"{kind}-head", data[: min(60, len(data) // 3)]
        yield f"{kind}-half", data[: len(data) // 2]
        yield f"{kind}-tail", data[len(data) // 2 :]
        yield f"{kind}-zeroed", data[:200] + bytes(len(data) - 200)
    yield "mp4-index", mp4_with_index(30_000_000)
    yield "mp4-edits", mp4_with_index(100_000, edits=100)
    yield "mp4-fragment", mp4_with_index(30_000_000, fragment=True)
    flac = bytearray(sound_file("flac", 0.3))
    for rate in (0, 1, 999):
        flac[18:21] = (rate << 4 | flac[20] & 0x0F).to_bytes(3, "big")
        yield f"flac-rate-{rate}", bytes(flac)


def _broken_wavs(s16: bytes) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "four-bytes", b"RIFF"
    yield "riff-only", b"RIFF\xff\xff\xff\xffWAVE"
    yield "zeros", bytes(5_000)
    yield "text", b"hello, world\n" * 100
    yield "noise", np.random.default_rng(0).bytes(50_000)
    yield "png", png(64, 64)
    yield "zip", b"PK\x03\x04" + bytes(500)
    yield "pdf", b"%PDF-1.7\n" + bytes(500)
    yield "gif", b"GIF89a" + bytes(500)
    yield "elf", b"\x7fELF" + bytes(500)
    yield "html", b"<!doctype html><html></html>"
    yield "wav-no-samples", wav_file("s16", b"")
    yield "wav-half-a-sample", wav_file("s16", b"\0")
    yield "wav-no-data", wav_file("s16", b"")[:36]
    yield "wav-false-length-short", wav_file("s16", s16, data_size=7)
    yield "wav-false-length-long", wav_file("s16", s16, data_size=0x7FFFFFFF)
    yield "wav-65535-channels", wav_file("s16", s16, channels=65_535)
    yield "wav-no-channels", wav_file("s16", s16, channels=0)
    for rate in (0, 1, 4_000_000_000, 0xFFFFFFFF):
        yield f"wav-rate-{rate}", wav_file("s16", s16, rate)
    yield "wav-fmt-cut", b"RIFF\x20\0\0\0WAVEfmt \x04\0\0\0\1\0\1\0data\x04\0\0\0\0\0\0\0"
    yield (
        "wav-fmt-twice",
        wav_file("s16", s16, before=wav_file("f64", b"", 8_000, channels=9)[12:36]),
    )
    yield "wav-chunk-beyond-end", wav_file("s16", s16, before=b"LIST\xf0\xff\xff\x7f")
    yield "wav-many-chunks", wav_file("s16", s16, before=b"junk\0\0\0\0" * 5_000)
    yield "wav-unknown-codec", wav_file("s16", s16).replace(b"\1\0\1\0", b"\x34\x12\1\0", 1)
