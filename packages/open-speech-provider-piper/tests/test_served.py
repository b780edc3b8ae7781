"""The whole way: downloaded from a hub, loaded in a worker, asked through core and over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live import Live, live_server
from open_speech import Audio, Config, OpenSpeech, Policy, SpeechRequest
from open_speech.codecs.encode import FORMATS
from open_speech.errors import (
    InvalidRequest,
    ModelLoadFailed,
    OpenSpeechError,
    UnknownVoice,
)
from open_speech.store import DownloadPolicy, Store
from open_speech.testing.hub import FakeHub, fake_hub
from open_speech_provider_piper import PiperBackend

REPOSITORY = "rhasspy/piper-voices"
LESSAC = "piper/en_US-lessac-medium"
TUGAO = "piper/pt_PT-tugao-medium"
DANNY = "piper/en_US-danny-low"
SEMAINE = "piper/en_GB-semaine-medium"
TEXT = "Good morning, everyone. It is half past nine."
STEADY = {"noise_scale": 0.0, "noise_w": 0.0}

hub = pytest.fixture(fake_hub, name="hub")


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory, make: Callable[..., Path]) -> Path:
    """A copy of the catalogue's repository: four voices under their real names."""
    folder = tmp_path_factory.mktemp("repository")
    known = {info.id: info for info in PiperBackend().list_available()}
    for number, name in enumerate((LESSAC, TUGAO, DANNY, SEMAINE)):
        (graph, _), (card,) = known[name].sources[0].files, known[name].sources[0].optional
        path = folder / graph
        make(
            path.parent,
            path.stem,
            rate=known[name].sample_rate,
            espeak={TUGAO: "pt", SEMAINE: "en-gb-x-rp"}.get(name, "en-us"),
            speakers=[voice.id for voice in known[name].voices][: 99 if name == SEMAINE else 0],
            seed=number,
        )
        (folder / card).write_text("random numbers")
    newer = folder / "en/en_US/newer/medium"
    make(newer, "en_US-newer-medium", rate=24_000)
    (newer / "MODEL_CARD").write_text("random numbers")
    (folder / "voices.json").write_text("{}")
    return folder


@pytest.fixture
async def speech(hub: FakeHub, voices: Path, tmp_path: Path) -> AsyncIterator[OpenSpeech]:
    """Core with this provider alone, and weights that come from the fake hub."""
    hub.add(REPOSITORY, voices)
    store = Store(tmp_path, endpoint=hub.url, policy=DownloadPolicy(backoff_s=0.001))
    policy = Policy(load_wait_s=120.0)
    async with OpenSpeech(Config(providers=("piper",), weights=store, policy=policy)) as running:
        yield running


async def say(speech: OpenSpeech, name: str, text: str = TEXT, **more: Any) -> list[Audio]:
    request = SpeechRequest(**{"text": text, "voice": "", "options": STEADY, **more})
    return [audio async for audio in speech.synthesize(request, model=name)]


def length(audio: list[Audio]) -> float:
    return sum(each.seconds for each in audio)


async def test_a_published_name_fetches_its_three_files_alone(
    speech: OpenSpeech, hub: FakeHub
) -> None:
    spoken = await say(speech, "piper/en_US-lessac", word_timestamps=True)
    assert {audio.sample_rate for audio in spoken} == {22_050}
    words = [word.text for audio in spoken for word in audio.words]
    assert " ".join(words) == "Good morning everyone It is half past nine"
    fetched = {exchange.key.removeprefix(f"{REPOSITORY}/") for exchange in hub.gets()}
    (info,) = (info for info in PiperBackend().list_available() if info.id == LESSAC)
    assert fetched == {*info.sources[0].files, *info.sources[0].optional}


async def test_voices_of_one_repository_are_models_of_their_own(speech: OpenSpeech) -> None:
    first, second = await say(speech, LESSAC), await say(speech, DANNY)
    assert {audio.sample_rate for audio in second} == {16_000}
    assert not np.array_equal(first[0].samples, second[0].samples)
    assert await say(speech, TUGAO, "Bom dia.")  # a file with a name outside of ASCII


async def test_speakers_are_voices_and_near_ones_are_named(speech: OpenSpeech) -> None:
    prudence = await say(speech, SEMAINE)
    assert np.array_equal(
        prudence[0].samples, (await say(speech, SEMAINE, voice="prudence"))[0].samples
    )
    poppy = await say(speech, SEMAINE, voice="poppy")
    assert not np.array_equal(prudence[0].samples, poppy[0].samples)
    with pytest.raises(UnknownVoice, match="obadiah"):
        await say(speech, SEMAINE, voice="obadia")
    with pytest.raises(InvalidRequest, match="speaks en-GB"):
        await say(speech, SEMAINE, language="fr")


async def test_a_voice_newer_than_the_catalogue_is_fetched_by_its_name(
    speech: OpenSpeech, hub: FakeHub
) -> None:
    spoken = await say(speech, "piper/en_US-newer-medium", voice="newer")
    assert {audio.sample_rate for audio in spoken} == {24_000}
    fetched = sorted(exchange.key.rpartition("/")[2] for exchange in hub.gets())
    assert fetched == ["MODEL_CARD", "en_US-newer-medium.onnx", "en_US-newer-medium.onnx.json"]
    with pytest.raises(OpenSpeechError, match=r"en/en_US/newest/medium/en_US-newest-medium\.onnx"):
        await say(speech, "piper/en_US-newest-medium")


async def test_a_repository_of_ones_own_will_do(
    speech: OpenSpeech, hub: FakeHub, make: Callable[..., Path], tmp_path: Path
) -> None:
    make(tmp_path / "own", "en_US-bob-medium", rate=24_000)
    (tmp_path / "own" / "tokens.txt").write_text("more")
    hub.add("somebody/vits-piper-en_US-bob-medium", tmp_path / "own")
    spoken = await say(speech, "somebody/vits-piper-en_US-bob-medium", voice="bob")
    assert {audio.sample_rate for audio in spoken} == {24_000}


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def _spoilt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[20:60] = b"\xff" * 40
    path.write_bytes(content)


def _endless(path: Path) -> None:
    """Phonemes that last for weeks: the engine would ask for terabytes."""
    import onnx

    model = onnx.load(path)
    for weights in model.graph.initializer:
        if weights.name == "length":
            weights.raw_data = np.full(256, 1e9, np.float32).tobytes()
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize("spoil", [_truncated, _spoilt, _endless])
async def test_a_file_that_lies_harms_its_own_requests_alone(
    speech: OpenSpeech,
    hub: FakeHub,
    make: Callable[..., Path],
    tmp_path: Path,
    spoil: Callable[[Path], None],
) -> None:
    spoil(make(tmp_path / "own", "en_US-bad-medium"))
    hub.add("somebody/piper-en_US-bad-medium", tmp_path / "own")
    with pytest.raises(OpenSpeechError):
        await say(speech, "somebody/piper-en_US-bad-medium")
    assert await say(speech, LESSAC)


async def test_a_language_without_its_phonemizer_is_said_with_the_fix(
    speech: OpenSpeech, hub: FakeHub, make: Callable[..., Path], tmp_path: Path
) -> None:
    make(tmp_path / "own", "zh_CN-mine-medium", phoneme_type="pinyin")
    hub.add("somebody/piper-zh_CN-mine-medium", tmp_path / "own")
    with pytest.raises(ModelLoadFailed, match="Chinese text"):
        await say(speech, "somebody/piper-zh_CN-mine-medium", "你好")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, voices: Path) -> Iterator[Live]:
    """The server, with the fake hub in the place of the public one."""
    folder = tmp_path_factory.mktemp("live")
    with FakeHub() as public:
        public.add(REPOSITORY, voices)
        settings = {"HF_ENDPOINT": public.url, "HF_HUB_OFFLINE": "0"}
        with live_server(folder, settings) as server:
            yield server


def decoded(content: bytes, name: str) -> tuple[float, float]:
    """Seconds, and the loudest sample, of an answer."""
    import av

    if name == "pcm":
        samples = np.frombuffer(content, "<i2").astype(np.float32) / 32_768
        return len(samples) / 24_000, float(np.abs(samples).max())
    with av.open(BytesIO(content)) as container:
        frames = list(container.decode(audio=0))
    count = sum(frame.samples for frame in frames)
    peak = max(float(np.abs(frame.to_ndarray().astype(np.float64)).max()) for frame in frames)
    return count / frames[0].sample_rate, peak


@pytest.mark.parametrize("name", [DANNY, LESSAC], ids=["16 kHz", "22.05 kHz"])
def test_every_format_has_the_length_of_what_was_said(
    live: Live, voices: Path, load: Callable[..., Any], name: str
) -> None:
    loaded = load(voices, name)
    request = SpeechRequest(text="Good morning.", voice=loaded.info.voices[0].id, options=STEADY)
    expected = length(list(loaded.synthesize(request)))
    with live.client() as client:
        for audio_format in sorted(FORMATS):
            answer = client.post(
                "/v1/audio/speech",
                json={"model": name, "input": "Good morning.", "response_format": audio_format},
            )
            assert answer.status_code == 200, answer.text
            seconds, peak = decoded(answer.content, audio_format)
            # The noise of the lengths stays on here: over HTTP nobody sets it.
            assert expected * 0.7 < seconds < expected * 1.4 + 0.15, audio_format
            assert peak > 0, audio_format


def test_errors_over_http_are_sentences(live: Live) -> None:
    with live.client() as client:
        for changes, said in (
            ({"voice": "nobody"}, "nobody"),
            ({"model": "piper/en_US-lessak-medium"}, "piper/en_US-lessac-medium"),
        ):
            body = {"model": LESSAC, "input": "Hi.", **changes}
            answer = client.post("/v1/audio/speech", json=body)
            # What is misspelt might be a voice newer than the catalogue, which only a key opens.
            assert answer.status_code in (400, 403, 404)
            assert said in json.dumps(answer.json())


@pytest.mark.deep
async def test_a_voice_of_real_size_speaks(
    speech: OpenSpeech, hub: FakeHub, make: Callable[..., Path], tmp_path: Path
) -> None:
    graph = make(tmp_path / "own", "en_US-big-medium", channels=512, layers=19)
    assert graph.stat().st_size > 60_000_000
    hub.add("somebody/piper-en_US-big-medium", tmp_path / "own")
    spoken = await say(
        speech, "somebody/piper-en_US-big-medium", " ".join([TEXT] * 10), word_timestamps=True
    )
    assert length(spoken) > 30
    assert sum(len(audio.words) for audio in spoken) == 80
