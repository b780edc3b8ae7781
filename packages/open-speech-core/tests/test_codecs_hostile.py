"""Files that lie, break, explode or call home: never anything but an error that says so."""

from __future__ import annotations

import io
import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from open_speech.codecs.decode import DecodeLimits, decode, decode_chunks
from open_speech.errors import AudioTooLong, InvalidAudio, OpenSpeechError
from sound_files import (
    KINDS,
    hostile_files,
    mp3_with_cover,
    mp4_with_index,
    pcm_bytes,
    playlists,
    png,
    sound_file,
    speech_like,
    wav_file,
    write,
)

RATE = 16_000
TEN_HOURS = 36_000
MOST_MB = 64
"""Bytes of memory that a bomb may take."""

NOT_AT_ONCE_S = 5.0
"""Far more than it takes: only against hanging."""

# The most memory that a process has had, in MB. Not ru_maxrss: a child inherits its parent's.
PEAK = """
from pathlib import Path

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
"""

# Decodes each file with a limit of ten minutes; prints each outcome and the growth of its memory.
CHILD = f"""{PEAK}
import json, sys
from open_speech.codecs.decode import DecodeLimits, decode
from open_speech.errors import OpenSpeechError

def outcome(path):
    try:
        return round(decode(Path(path), sample_rate=16_000, limits=limits).seconds, 1)
    except OpenSpeechError as error:
        return type(error).__name__

limits = DecodeLimits(max_seconds=600.0)
outcome(sys.argv[1])
before = peak()
outcomes = dict((path, outcome(path)) for path in sys.argv[2:])
print(json.dumps(dict(outcomes=outcomes, mb=peak() - before)))
"""


def decode_in_a_child(files: dict[str, bytes], folder: Path) -> tuple[dict[str, object], int]:
    """What becomes of each file, and how many MB the process grew by."""
    for name, data in {"warm-up": sound_file("webm"), **files}.items():
        (folder / name).write_bytes(data)
    paths = [str(folder / name) for name in ("warm-up", *files)]
    child = subprocess.run(
        [sys.executable, "-c", CHILD, *paths], capture_output=True, check=True, timeout=100
    )
    said = json.loads(child.stdout)
    return {Path(path).name: what for path, what in said["outcomes"].items()}, said["mb"]


def silence(seconds: int, rate: int) -> np.ndarray:
    return np.broadcast_to(np.float32(0), (1, seconds * rate))


def wav_with_tag(size: int) -> bytes:
    """A format that libav has to read, and a tag with so many bytes, of which none are there."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 0xFFFF, 1, RATE, 2 * RATE, 2, 16)
    tags = struct.pack("<4sI4s4sI", b"LIST", size + 12, b"INFO", b"ISFT", size)
    body = b"WAVE" + form + tags + bytes(4_000)
    return struct.pack("<4sI", b"RIFF", size) + body


@pytest.mark.parametrize("cut", [0, 1, 30, 900])
def test_a_wav_that_was_cut_off_in_its_tags_is_heard(cut: int) -> None:
    sound = wav_file("s16", pcm_bytes("s16", speech_like(1.0, 8_000)), 8_000)
    tags = struct.pack("<4sI4s4sI", b"LIST", 1_012, b"INFO", b"ISFT", 1_000) + bytes(1_000)
    whole = decode(sound + tags, sample_rate=RATE)
    cut_off = decode((sound + tags)[: len(sound + tags) - cut], sample_rate=RATE)
    assert np.array_equal(cut_off.samples, whole.samples)


def test_hours_of_silence_are_refused_in_little_memory(tmp_path: Path) -> None:
    mp3 = write("mp3", "libmp3lame", silence(60, RATE), RATE, seekable=False)
    flac = write("flac", "flac", silence(60, RATE), RATE, seekable=False)
    first = flac.index(b"\xff\xf8", flac.index(b"fLaC"))  # the first frame, after the header
    flac = flac[:first] + flac[first:] * (TEN_HOURS // 60)
    stated = bytearray(flac)
    stated[21:26] = (stated[21] >> 4 << 36 | TEN_HOURS * RATE).to_bytes(5, "big")
    bombs = {
        "ten-hours.flac": flac,
        "ten-hours-stated.flac": bytes(stated),
        "eleven-minutes.webm": write("webm", "libopus", silence(660, 8_000), 8_000, seekable=False),
        "ten-hours.mp3": mp3 * (TEN_HOURS // 60),
        "ten-hours.wav": wav_file("u8", bytes(TEN_HOURS * 1_000), 1_000),
        "wide.wav": wav_file("f64", bytes(30_000_000), 768_000, channels=8),
        "index.mp4": mp4_with_index(60_000_000),
        "tag.wav": wav_with_tag(1_800_000_000),
    }
    outcomes, megabytes = decode_in_a_child(bombs, tmp_path)
    expected: dict[str, object] = dict.fromkeys(bombs, "AudioTooLong")
    expected |= {"wide.wav": 0.6, "index.mp4": "InvalidAudio", "tag.wav": "InvalidAudio"}
    assert outcomes == expected
    assert megabytes <= MOST_MB


def test_a_header_that_states_too_much_is_refused_before_decoding() -> None:
    flac = bytearray(sound_file("flac"))
    assert decode(bytes(flac), sample_rate=RATE).seconds == 1.0
    flac[21:26] = (flac[21] >> 4 << 36 | 50_000 * RATE).to_bytes(5, "big")
    with pytest.raises(AudioTooLong):
        decode(bytes(flac), sample_rate=RATE)


def test_a_header_that_states_too_little_does_not_help() -> None:
    flac = bytearray(write("flac", "flac", silence(100, RATE), RATE))
    flac[21:26] = (flac[21] >> 4 << 36 | 5 * RATE).to_bytes(5, "big")
    with pytest.raises(AudioTooLong):
        decode(bytes(flac), sample_rate=RATE, limits=DecodeLimits(max_seconds=10.0))


@pytest.mark.parametrize(
    ("container", "codec"),
    [("adts", "aac"), ("mp3", "libmp3lame"), ("matroska", "aac"), ("webm", "libopus")],
)
def test_a_file_that_hides_its_length_is_refused_before_any_of_it_is_given_out(
    container: str, codec: str
) -> None:
    """Otherwise an engine works for minutes on what is refused in the end."""
    sound = speech_like(90.0, 48_000)[np.newaxis]
    data = write(container, codec, sound, 48_000, seekable=container == "adts")
    limits = DecodeLimits(max_seconds=60.0)
    chunks = decode_chunks(data, sample_rate=RATE, limits=limits, max_seconds=10.0)
    with pytest.raises(AudioTooLong):
        next(chunks)
    enough = DecodeLimits(max_seconds=100.0)
    assert decode(data, sample_rate=RATE, limits=enough).seconds == pytest.approx(90.0, abs=0.2)


@pytest.mark.parametrize("rate", [0, 1, 999, 768_001, 4_000_000_000, 0xFFFFFFFF])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_forged_sample_rate_is_refused(rate: int, channels: int) -> None:
    with pytest.raises(InvalidAudio):
        decode(wav_file("s16", bytes(4_000), rate, channels=channels), sample_rate=RATE)


def test_playlists_and_descriptions_are_refused_and_open_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.wav"
        began = time.monotonic()
        for name, data in playlists(url).items():
            with pytest.raises(InvalidAudio):
                decode(data, sample_rate=RATE)
            with pytest.raises(InvalidAudio):
                decode(data, sample_rate=RATE, media_type=f"application/{name}")
        # A session description that is obeyed waits for packets for tens of seconds.
        assert time.monotonic() - began < NOT_AT_ONCE_S
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(
    "name", ["data:audio/wav;base64,AA", "concat:/etc/hostname", "a.sdp", "\0"]
)
def test_the_name_of_a_file_is_not_looked_at(name: str) -> None:
    data = sound_file("mp3")
    stream = io.BytesIO(data)
    stream.name = name
    assert np.array_equal(
        decode(stream, sample_rate=RATE).samples, decode(data, sample_rate=RATE).samples
    )
    nothing = io.BytesIO(b"nothing")
    nothing.name = name
    with pytest.raises(InvalidAudio):
        decode(nothing, sample_rate=RATE)


def test_pictures_are_not_decoded(tmp_path: Path) -> None:
    mp3 = sound_file("mp3")
    covered = mp3_with_cover(mp3, png(8_000, 8_000))
    assert np.array_equal(
        decode(covered, sample_rate=RATE).samples, decode(mp3, sample_rate=RATE).samples
    )
    outcomes, megabytes = decode_in_a_child({"cover.mp3": covered}, tmp_path)
    assert outcomes["cover.mp3"] == pytest.approx(1.0, abs=0.15)
    assert megabytes <= MOST_MB  # the picture would take 192


def test_a_video_without_sound_is_refused() -> None:
    gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
    for picture in (gif, png(8, 8)):
        with pytest.raises(InvalidAudio):
            decode(picture, sample_rate=RATE)


def test_a_corpus_of_broken_files_gives_nothing_but_our_errors() -> None:
    corpus = dict(hostile_files())
    assert len(corpus) >= 40
    refused: dict[str, str | None] = {}
    for name, data in corpus.items():
        try:
            audio = decode(data, sample_rate=RATE)
        except OpenSpeechError as error:
            refused[name] = error.hint
        else:
            assert len(audio.samples)
            assert np.isfinite(audio.samples).all()
    assert {"empty", "four-bytes", "png", "zip", "pdf", "wav-65535-channels"} <= refused.keys()
    assert {name for name in corpus if name.endswith(("nan", "inf"))} <= refused.keys()
    assert {"mp4-index", "mp4-edits", "mp4-fragment"} <= refused.keys()
    assert all(refused.values())  # each with a hint


SEEDS = {
    kind: sound_file(kind, 0.2) for kind in ("wav", "mp3", "flac", "ogg", "webm", "m4a", "aac")
}


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A good file with a few bytes changed (mostly in its header), cut out or doubled."""
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(1, 6))):
        near = draw(st.sampled_from([64, 400, len(data)]))
        at = draw(st.integers(0, max(0, min(near, len(data)) - 1)))
        new = draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"\xff" * 4, bytes(4)])))
        old = draw(st.sampled_from([0, len(new), len(new), 40]))
        data[at : at + old] = new
    return bytes(data)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(data=mutations(), media_type=st.sampled_from([None, "audio/wav", "audio/pcm", "image/png"]))
def test_mutated_files_give_sound_or_our_errors(data: bytes, media_type: str | None) -> None:
    try:
        limits = DecodeLimits(max_seconds=30.0)
        audio = decode(data, sample_rate=RATE, media_type=media_type, limits=limits)
    except OpenSpeechError:
        return
    assert 0 < audio.seconds <= 30.1
    assert np.isfinite(audio.samples).all()
    assert np.abs(audio.samples).max() <= 1.0


MUTATING = f"""{PEAK}
import random, sys
from open_speech.codecs.decode import DecodeLimits, decode
from open_speech.errors import OpenSpeechError

def mutated(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice([1, 2, 5, 20])):
        end = min(len(data), 200) if chance.random() < 0.7 else len(data)
        at, kind = chance.randrange(max(1, end)), chance.randrange(5)
        if kind == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            data[at : at + 4] = bytes([255, 255, 255, chance.choice([255, 127, 0])])
        elif kind == 2:
            del data[at : at + chance.randrange(1, 40)]
        elif kind == 3:
            data[at:at] = data[max(0, at - 64) : at]
        else:
            data = data[: max(1, chance.randrange(len(data) + 1))]
    return bytes(data)

count, last, *paths = sys.argv[1:]
files = [Path(path).read_bytes() for path in paths]
chance = random.Random(int(count))
outcomes = [0, 0]
for number in range(int(count)):
    data = mutated(files[number % len(files)], chance)
    Path(last).write_bytes(data)  # what ends the process is there to be looked at
    try:
        decode(data, sample_rate=16_000, limits=DecodeLimits(max_seconds=600))
        outcomes[0] += 1
    except OpenSpeechError:
        outcomes[1] += 1
print(*outcomes, peak())
"""


@pytest.mark.parametrize("count", [4_000, pytest.param(100_000, marks=pytest.mark.deep)])
@pytest.mark.timeout(900)
def test_no_mutated_file_ends_the_process(tmp_path: Path, count: int) -> None:
    """In one process of its own: what is left of its memory by one file, the next one meets."""
    for kind in KINDS:
        (tmp_path / kind).write_bytes(sound_file(kind))
    paths = [str(tmp_path / kind) for kind in KINDS]
    last = tmp_path / "last"
    child = subprocess.run(
        [sys.executable, "-c", MUTATING, str(count), str(last), *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, f"{last}: {last.read_bytes()[:400]!r} {child.stderr}"
    heard, refused, megabytes = map(int, child.stdout.split())
    assert min(heard, refused) > count / 10
    assert megabytes < 400
