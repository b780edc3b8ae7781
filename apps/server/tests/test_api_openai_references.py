"""Recordings inside of JSON: base64 or a data URL, and nothing is fetched."""

from __future__ import annotations

import base64
import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech.errors import AudioTooLong, InvalidAudio, InvalidRequest
from open_speech.testing import sine, wav_bytes
from open_speech_server.api.openai.references import MAX_REFERENCE_BYTES, reference_of
from sound_files import sound_file

SOUND = base64.b64encode(wav_bytes(sine(1.0, frequency=300.0))).decode()


@pytest.mark.parametrize("head", ["", "data:audio/wav;base64,", "DATA:;BASE64,", " \n"])
async def test_base64_and_data_urls_are_decoded(head):
    audio = await reference_of(head + SOUND, 24_000)
    assert (audio.sample_rate, audio.seconds) == (24_000, 1.0)
    assert np.argmax(np.abs(np.fft.rfft(audio.samples))) == 300


async def test_lines_may_be_broken():
    broken = "\r\n".join(SOUND[first : first + 76] for first in range(0, len(SOUND), 76))
    assert (await reference_of(broken, 16_000)).seconds == 1.0


async def test_headerless_sound_is_known_by_its_type():
    data = base64.b64encode(bytes(2 * 8_000)).decode()
    audio = await reference_of(f"data:audio/pcm;rate=8000;base64,{data}", 16_000)
    assert audio.seconds == pytest.approx(1.0, abs=0.01)


async def test_a_url_is_refused_and_not_fetched():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}/a.wav", "file:///etc/passwd", "ftp://x/y"):
            with pytest.raises(InvalidRequest, match="does not fetch") as caught:
                await reference_of(url)
            assert caught.value.param == "reference_audio"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(
    "text", ["", "!", "abc", "/etc/passwd", "data:audio/wav,abc", "data:audio/wav;base64",
             "\ud800", "data:;base64," + base64.b64encode(b"nothing").decode(),
             "A" * (4 * MAX_REFERENCE_BYTES // 3 + 8)],
    ids=lambda text: ascii(text[:16]),
)  # fmt: skip
async def test_what_is_no_recording_is_refused(text):
    with pytest.raises(InvalidAudio) as caught:
        await reference_of(text)
    assert caught.value.param == "reference_audio"


async def test_more_than_a_minute_is_refused():
    flac = base64.b64encode(sound_file("flac", 61.0)).decode()
    with pytest.raises(AudioTooLong):
        await reference_of(flac)


@settings(max_examples=50)
@given(
    st.text(max_size=200)
    | st.binary(max_size=200).map(lambda data: base64.b64encode(data).decode())
)
async def test_any_text_is_a_recording_or_refused(text):
    try:
        audio = await reference_of(text)
    except InvalidRequest:
        return
    assert len(audio.samples)
