"""The whole way: downloaded from a hub, loaded in a worker, asked through core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from open_speech import Config, OpenSpeech, Policy, SpeechRequest
from open_speech.errors import OpenSpeechError
from open_speech.store import DownloadPolicy, Store
from open_speech.testing.hub import FakeHub, fake_hub
from open_speech_provider_kokoro.catalogue import KOKORO

WEIGHTS, TAGGER = (source.repo_id for source in KOKORO.sources)

hub = pytest.fixture(fake_hub, name="hub")


@pytest.fixture
async def speech(hub: FakeHub, tmp_path: Path) -> AsyncIterator[OpenSpeech]:
    """Core with this provider alone, and weights that come from the fake hub."""
    store = Store(tmp_path, endpoint=hub.url, policy=DownloadPolicy(backoff_s=0.001))
    policy = Policy(load_wait_s=240.0)
    async with OpenSpeech(Config(providers=("kokoro",), weights=store, policy=policy)) as running:
        yield running


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


async def test_the_model_is_fetched_and_speaks(
    speech: OpenSpeech, hub: FakeHub, folder: Path, tagger: Path
) -> None:
    wheel = {"en_core_web_sm-any-py3-none-any.whl": b"an archive", "README.md": b"about"}
    others = {"ner/model": b"names", "ner/cfg": b"{}"}
    hub.add(WEIGHTS, files(folder) | {"README.md": b"about", "samples/HEARME.wav": bytes(10)})
    hub.add(TAGGER, files(tagger) | wheel | others)
    request = SpeechRequest(text="Oh, you.", voice="shimmer", word_timestamps=True, seed=5)
    first = [audio async for audio in speech.synthesize(request, model="kokoro")]
    assert [word.text for audio in first for word in audio.words] == ["Oh", "you"]
    again = [audio async for audio in speech.synthesize(request, model=WEIGHTS)]
    assert sum(audio.seconds for audio in again) == sum(audio.seconds for audio in first)
    fetched = {exchange.key.rpartition(f"{TAGGER}/")[2] for exchange in hub.gets(f"{TAGGER}/*")}
    assert not {name for name in fetched if name.endswith((".whl", "README.md"))}
    assert not {name for name in fetched if name.startswith("ner/")}


async def test_a_file_that_lies_is_an_error_and_no_more(
    speech: OpenSpeech, hub: FakeHub, folder: Path, tagger: Path
) -> None:
    spoilt = files(folder)
    spoilt["kokoro-v1_0.pth"] = spoilt["kokoro-v1_0.pth"][:-100_000]
    hub.add(WEIGHTS, spoilt)
    hub.add(TAGGER, tagger)
    with pytest.raises(OpenSpeechError, match=r"kokoro-v1_0\.pth"):
        async for _ in speech.synthesize(SpeechRequest(text="Oh.", voice=""), model="kokoro"):
            pass
