"""The whole way: downloaded from a hub, loaded in a worker, asked through core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from open_speech import (
    Audio,
    Config,
    OpenSpeech,
    Policy,
    Task,
    TranscriptionRequest,
    VoiceActivity,
)
from open_speech.errors import OpenSpeechError, UnsupportedCapability
from open_speech.store import DownloadPolicy, Store
from open_speech.testing import noise
from open_speech.testing.hub import FakeHub, fake_hub

TINY = "Systran/faster-whisper-tiny"
Recording = Callable[[str], Audio]

hub = pytest.fixture(fake_hub, name="hub")


@pytest.fixture
async def speech(hub: FakeHub, tmp_path: Path) -> AsyncIterator[OpenSpeech]:
    """Core with this provider alone, and weights that come from the fake hub."""
    store = Store(tmp_path, endpoint=hub.url, policy=DownloadPolicy(backoff_s=0.001))
    policy = Policy(load_wait_s=120.0)
    async with OpenSpeech(Config(providers=("whisper",), weights=store, policy=policy)) as running:
        yield running


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_a_published_name_is_fetched_and_understands(
    speech: OpenSpeech, hub: FakeHub, digits: Path, recording: Recording, spoken: dict[str, str]
) -> None:
    extra = {"README.md": b"about", "pytorch_model.bin": bytes(1000)}
    hub.add(TINY, files(digits) | extra)
    clip = "digits_us_m4.wav"
    request = TranscriptionRequest(
        audio=recording(clip), word_timestamps=True, voice_activity=VoiceActivity()
    )
    both = await asyncio.gather(
        speech.transcribe(request.audio, request, model="faster-whisper-tiny"),
        speech.transcribe(request.audio, request, model=TINY),
    )
    for heard in both:
        assert heard.text == spoken[clip]
        assert heard.language == "en"
        assert [word.text for word in heard.words] == spoken[clip].split()
    fetched = {exchange.key.rpartition("/")[2] for exchange in hub.gets()}
    assert fetched == set(files(digits))
    translation = TranscriptionRequest(audio=recording(clip), task=Task.TRANSLATE)
    with pytest.raises(UnsupportedCapability, match="translation"):
        await speech.transcribe(translation.audio, translation, model=TINY)


async def test_any_repository_of_the_format_will_do(
    speech: OpenSpeech, hub: FakeHub, multilingual_folder: Path
) -> None:
    hub.add("somebody/whisper-noise-ct2", multilingual_folder)
    request = TranscriptionRequest(
        audio=noise(1), temperature=0.0, options={"beam_size": 1}, language="de"
    )
    heard = await speech.transcribe(request.audio, request, model="somebody/whisper-noise-ct2")
    assert heard.language == "de"


def _spoilt(weights: bytes, name: bytes, value: int) -> bytes:
    """Set the lowest byte of a variable's value."""
    place = weights.index(name + b"\0") + len(name) + 1
    rank = weights[place]
    start = place + 1 + 4 * rank + 1 + 4
    return weights[:start] + bytes([value]) + weights[start + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda weights: weights[: len(weights) // 2],
        lambda weights: _spoilt(weights, b"encoder/num_heads", 0),
        lambda weights: _spoilt(weights, b"decoder/num_heads", 3),
        lambda weights: weights.replace(b"conv1/weight\0", b"conv1/weighs\0", 1),
    ],
    ids=["truncated", "no heads", "odd heads", "renamed"],
)
async def test_a_file_that_lies_harms_its_own_requests_alone(
    speech: OpenSpeech,
    hub: FakeHub,
    digits: Path,
    recording: Recording,
    spoil: Callable[[bytes], bytes],
) -> None:
    good = files(digits)
    hub.add("somebody/faster-whisper-bad", good | {"model.bin": spoil(good["model.bin"])})
    hub.add(TINY, good)
    request = TranscriptionRequest(audio=recording("digits_us_m4.wav"))
    with pytest.raises(OpenSpeechError):
        await speech.transcribe(request.audio, request, model="somebody/faster-whisper-bad")
    heard = await speech.transcribe(request.audio, request, model=TINY)
    assert heard.text == "one two three four five"
