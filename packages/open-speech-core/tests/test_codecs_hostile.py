"""Files that lie, break, explode or call home: never anything but an error that says so."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from open_speech.codecs.decode import DecodeLimits, decode
from open_speech.errors import AudioTooLong, InvalidAudio, OpenSpeechError
from sound_files import (
    hostile_files,
    mp3_with_cover,
    mp4_with_index,
    playlists,
    png,
    sound_file,
    wav_file,
    write,
)

RATE = 16_000
TEN_HOURS = 36_000
MOST_MB = 64
"""Memory that a bomb may take, by row U3."""

NOT_AT_ONCE_S = 5.0
"""Ten times the bound of row U4: only against hanging."""

# Decodes each file with a limit of ten minutes; prints each outcome and the growth of its memory.
CHILD = """
import json, resource, sys
from pathlib import Path
from open_speech.codecs.decode import DecodeLimits, decode
from open_speech.errors import OpenSpeechError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

def outcome(path):
    try:
        return round(decode(Path(path), sample_rate=16_000, limits=limits).seconds, 1)
    except OpenSpeechError as error:
        return type(error).__name__

limits = DecodeLimits(max_seconds=600.0)
outcome(sys.argv[1])
before = peak()
outcomes = {path: outcome(path) for path in sys.argv[2:]}
print(json.dumps({"outcomes": outcomes, "mb": peak() - before}))
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


def test_u3_hours_of_silence_are_refused_in_little_memory(tmp_path: Path) -> None:
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
    }
    outcomes, megabytes = decode_in_a_child(bombs, tmp_path)
    expected: dict[str, object] = dict.fromkeys(bombs, "AudioTooLong")
    expected |= {"wide.wav": 0.6, "index.mp4": "InvalidAudio"}
    assert outcomes == expected
    assert megabytes <= MOST_MB


def test_u3_a_header_that_states_too_much_is_refused_before_decoding() -> None:
    flac = bytearray(sound_file("flac"))
    assert decode(bytes(flac), sample_rate=RATE).seconds == 1.0
    flac[21:26] = (flac[21] >> 4 << 36 | 50_000 * RATE).to_bytes(5, "big")
    with pytest.raises(AudioTooLong):
        decode(bytes(flac), sample_rate=RATE)


def test_u3_a_header_that_states_too_little_does_not_help() -> None:
    flac = bytearray(write("flac", "flac", silence(100, RATE), RATE))
    flac[21:26] = (flac[21] >> 4 << 36 | 5 * RATE).to_bytes(5, "big")
    with pytest.raises(AudioTooLong):
        decode(bytes(flac), sample_rate=RATE, limits=DecodeLimits(max_seconds=10.0))


@pytest.mark.parametrize("rate", [0, 1, 999, 768_001, 4_000_000_000, 0xFFFFFFFF])
@pytest.mark.parametrize("channels", [1, 2])
def test_u3_a_forged_sample_rate_is_refused(rate: int, channels: int) -> None:
    with pytest.raises(InvalidAudio):
        decode(wav_file("s16", bytes(4_000), rate, channels=channels), sample_rate=RATE)


def test_u4_playlists_and_descriptions_are_refused_and_open_nothing() -> None:
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
def test_u4_the_name_of_a_file_is_not_looked_at(name: str) -> None:
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


def test_u4_pictures_are_not_decoded(tmp_path: Path) -> None:
    mp3 = sound_file("mp3")
    covered = mp3_with_cover(mp3, png(8_000, 8_000))
    assert np.array_equal(
        decode(covered, sample_rate=RATE).samples, decode(mp3, sample_rate=RATE).samples
    )
    outcomes, megabytes = decode_in_a_child({"cover.mp3": covered}, tmp_path)
    assert outcomes["cover.mp3"] == pytest.approx(1.0, abs=0.15)
    assert megabytes <= MOST_MB  # the picture would take 192


def test_u4_a_video_without_sound_is_refused() -> None:
    gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
    for picture in (gif, png(8, 8)):
        with pytest.raises(InvalidAudio):
            decode(picture, sample_rate=RATE)


def test_u5_a_corpus_of_broken_files_gives_nothing_but_our_errors() -> None:
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
def test_u5_mutated_files_give_sound_or_our_errors(data: bytes, media_type: str | None) -> None:
    try:
        limits = DecodeLimits(max_seconds=30.0)
        audio = decode(data, sample_rate=RATE, media_type=media_type, limits=limits)
    except OpenSpeechError:
        return
    assert 0 < audio.seconds <= 30.1
    assert np.isfinite(audio.samples).all()
    assert np.abs(audio.samples).max() <= 1.0
