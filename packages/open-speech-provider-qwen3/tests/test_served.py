"""The whole way: downloaded from a hub, loaded in a worker, asked through core."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from open_speech import Config, OpenSpeech, Policy, SpeechRequest
from open_speech.errors import OpenSpeechError, UnsupportedCapability
from open_speech.store import DownloadPolicy, Store
from open_speech.testing import sine
from open_speech.testing.hub import FakeHub, fake_hub

PRESET = "Qwen/Qwen3-TTS-12Hz-0.6B-CustomVoice"
CLONES = "Qwen/Qwen3-TTS-12Hz-1.7B-Base"
Checkpoint = Callable[..., Path]

hub = pytest.fixture(fake_hub, name="hub")


@pytest.fixture
async def speech(hub: FakeHub, tmp_path: Path) -> AsyncIterator[OpenSpeech]:
    """Core with this provider alone, and weights that come from the fake hub."""
    store = Store(tmp_path, endpoint=hub.url, policy=DownloadPolicy(backoff_s=0.001))
    policy = Policy(load_wait_s=120.0)
    config = Config(providers=("qwen3",), weights=store, policy=policy, generic_voices=("alloy",))
    async with OpenSpeech(config) as running:
        yield running


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


async def say(speech: OpenSpeech, model: str, **request: object) -> list[np.ndarray]:
    asked = SpeechRequest(**{"text": "Hello there.", "voice": "default", **request})
    return [audio.samples async for audio in speech.synthesize(asked, model=model)]


async def test_published_names_are_fetched_and_speak(
    speech: OpenSpeech, hub: FakeHub, checkpoint: Checkpoint
) -> None:
    ours = files(checkpoint("custom_voice", frames=12))
    hub.add(PRESET, ours | {"README.md": b"about", "pytorch_model.bin": bytes(1000)})
    pieces = await say(speech, "qwen3-tts-0.6b", seed=1)
    assert len(pieces) > 1
    assert sum(map(len, pieces)) == 12 * 1920
    again = await say(speech, PRESET, voice="alloy", seed=1)
    assert sum(map(len, again)) == 12 * 1920
    unread = {"tokenizer_config.json", "speech_tokenizer/preprocessor_config.json"}
    fetched = {name for name in ours if hub.gets(f"*{name}")}
    assert fetched == set(ours) - unread
    assert not hub.gets("*.bin")
    with pytest.raises(UnsupportedCapability):
        await say(speech, PRESET, reference=sine(3.0, sample_rate=24_000))


async def test_voices_are_cloned(speech: OpenSpeech, hub: FakeHub, checkpoint: Checkpoint) -> None:
    hub.add(CLONES, files(checkpoint("base", frames=12)))
    reference = sine(2.0, sample_rate=44_100)
    said = await say(speech, "qwen3-tts-1.7b-base", reference=reference, reference_text="Beep.")
    assert sum(map(len, said)) == 12 * 1920


async def test_a_file_that_lies_harms_its_own_requests_alone(
    speech: OpenSpeech, hub: FakeHub, checkpoint: Checkpoint
) -> None:
    good = files(checkpoint("custom_voice", frames=12))
    lying = (2**62).to_bytes(8, "little") + good["model.safetensors"][8:]
    hub.add("bad/Qwen3-TTS-12Hz-0.6B-CustomVoice", good | {"model.safetensors": lying})
    hub.add(PRESET, good)
    with pytest.raises(OpenSpeechError):
        await say(speech, "bad/Qwen3-TTS-12Hz-0.6B-CustomVoice")
    assert await say(speech, PRESET)
