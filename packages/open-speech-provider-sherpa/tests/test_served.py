"""The whole way: downloaded from a hub, loaded in a worker, asked through core."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from open_speech import Audio, Config, OpenSpeech, Policy, TranscriptionRequest
from open_speech.errors import ModelLoadFailed, OpenSpeechError
from open_speech.service import Commit, InterimText, ListenInput, ListenRequest, TurnText
from open_speech.store import DownloadPolicy, Store
from open_speech.testing import join, silence
from open_speech.testing.hub import FakeHub, fake_hub
from open_speech_provider_sherpa.catalogue import SEGMENTATION, SPEAKER_MODELS, VOICES

PARAKEET = "somebody/sherpa-onnx-nemo-parakeet-tdt-tiny"
STREAMING = "somebody/sherpa-onnx-streaming-zipformer-tiny"

hub = pytest.fixture(fake_hub, name="hub")


def voice(hertz: float, seconds: float) -> Audio:
    time = np.arange(round(seconds * 16_000)) / 16_000
    swell = 0.6 + 0.4 * np.sin(8 * np.pi * time)
    samples = 0.4 * swell * np.sin(2 * np.pi * hertz * time)
    return Audio(samples=samples.astype(np.float32), sample_rate=16_000)


TALK = join(*[join(silence(0.5), voice(220, 3), silence(0.6), voice(1_800, 2.5), silence(1.0))] * 2)


@pytest.fixture
async def speech(hub: FakeHub, tmp_path: Path) -> AsyncIterator[OpenSpeech]:
    """Core with this provider alone, and weights that come from the fake hub."""
    store = Store(tmp_path / "weights", endpoint=hub.url, policy=DownloadPolicy(backoff_s=0.001))
    policy = Policy(load_wait_s=120.0)
    async with OpenSpeech(Config(providers=("sherpa",), weights=store, policy=policy)) as running:
        yield running


async def test_a_repository_is_fetched_and_understands(
    speech: OpenSpeech, hub: FakeHub, offline_folder, load, sounds
) -> None:
    folder = offline_folder("nemo_tdt")
    hub.add(PARAKEET, folder)
    request = TranscriptionRequest(audio=sounds["mixed"], word_timestamps=True)
    heard = await speech.transcribe(request.audio, request, model=PARAKEET)
    model = load(folder)
    (segment,) = (event for event in model.transcribe(request) if event)
    assert heard.text == segment.text
    assert heard.words == segment.words


async def test_a_streaming_model_understands_recordings(
    speech: OpenSpeech, hub: FakeHub, streaming_folder, load, sounds
) -> None:
    folder = streaming_folder("zipformer")
    hub.add(STREAMING, folder)
    request = TranscriptionRequest(audio=sounds["mixed"])
    heard = await speech.transcribe(request.audio, request, model=STREAMING)
    segments = [event for event in load(folder).transcribe(request) if event]
    assert [each.text for each in heard.segments] == [each.text for each in segments]


async def test_live_sessions_share_a_model(
    speech: OpenSpeech, hub: FakeHub, streaming_folder, load, sounds
) -> None:
    folder = streaming_folder("zipformer")
    hub.add(STREAMING, folder)

    async def fed(audio: Audio) -> AsyncIterator[ListenInput]:
        for first in range(0, len(audio.samples), 1_600):
            yield Audio(samples=audio.samples[first : first + 1_600], sample_rate=16_000)
        yield Commit()

    async def turn(audio: Audio) -> tuple[str, int]:
        request = ListenRequest(turns=None)
        events = [event async for event in speech.listen(fed(audio), request, model=STREAMING)]
        (found,) = (event.text for event in events if isinstance(event, TurnText))
        return found, sum(isinstance(event, InterimText) for event in events)

    model = load(folder)
    audios = [sounds["noise"], sounds["mixed"]]
    for audio, (text, interim) in zip(
        audios, await asyncio.gather(*map(turn, audios)), strict=True
    ):
        events = model.transcribe(TranscriptionRequest(audio=audio))
        assert text == " ".join(event.text for event in events if event)
        assert interim > 0


async def test_what_the_engine_cannot_read_ends_nothing_else(
    speech: OpenSpeech, hub: FakeHub, offline_folder, sounds, tmp_path: Path
) -> None:
    spoilt = Path(shutil.copytree(offline_folder("nemo_tdt"), tmp_path / "spoilt"))
    (spoilt / "tokens.txt").write_text("one two three\n")
    hub.add("somebody/sherpa-onnx-nemo-spoilt", spoilt)
    # Twice the same token: the engine itself ends its process.
    fatal = Path(shutil.copytree(offline_folder("nemo_tdt"), tmp_path / "fatal"))
    lines = (fatal / "tokens.txt").read_text("utf-8").splitlines()
    (fatal / "tokens.txt").write_text("\n".join([*lines, "<blk> 99"]) + "\n", "utf-8")
    hub.add("somebody/sherpa-onnx-nemo-fatal", fatal)
    hub.add(PARAKEET, offline_folder("nemo_tdt"))
    request = TranscriptionRequest(audio=sounds["mixed"])
    with pytest.raises(ModelLoadFailed, match="line 1"):
        await speech.transcribe(request.audio, request, model="somebody/sherpa-onnx-nemo-spoilt")
    with pytest.raises(OpenSpeechError):
        await speech.transcribe(request.audio, request, model="somebody/sherpa-onnx-nemo-fatal")
    heard = await speech.transcribe(request.audio, request, model=PARAKEET)
    assert heard.text


async def test_speakers_are_told_apart_in_a_worker(
    speech: OpenSpeech, hub: FakeHub, speaker_folders
) -> None:
    (file,) = SPEAKER_MODELS[0].sources[1].files
    revisions = [source.revision for source in SPEAKER_MODELS[0].sources]
    weights = [(folder / "model.onnx").read_bytes() for folder in speaker_folders.values()]
    hub.add(SEGMENTATION, {"model.onnx": weights[0]}, revision=revisions[0])
    hub.add(VOICES, {file: weights[1]}, revision=revisions[1])
    found = await speech.diarize(TALK, model=SEGMENTATION)
    assert len({turn.speaker for turn in found.turns}) == 2
