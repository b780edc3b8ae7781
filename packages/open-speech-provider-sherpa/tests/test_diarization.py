"""Who speaks when: as the library tells it, in recordings of any length."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sherpa_onnx

from open_speech import (
    Audio,
    DiarizationRequest,
    EmbeddingRequest,
    LoadContext,
    ModelInfo,
    SpeakerTurn,
)
from open_speech.errors import InvalidRequest, ModelNotReady
from open_speech.testing import join, noise, silence
from open_speech_provider_sherpa import SherpaDiarizationBackend, diarization
from open_speech_provider_sherpa.diarization import SherpaDiarizationModel

RATE = 16_000
INFO = ModelInfo(id="a/b")


def voice(hertz: float, seconds: float) -> Audio:
    time = np.arange(round(seconds * RATE)) / RATE
    swell = 0.6 + 0.4 * np.sin(8 * np.pi * time)
    samples = 0.4 * swell * np.sin(2 * np.pi * hertz * time)
    return Audio(samples=samples.astype(np.float32), sample_rate=RATE)


def both(seconds: float) -> Audio:
    low, high = voice(220, seconds), voice(1_800, seconds)
    return Audio(samples=low.samples + high.samples, sample_rate=RATE)


SHORT = join(silence(0.5), voice(220, 2), silence(0.6), voice(1_800, 2), silence(0.5))
TALK = join(
    *[join(silence(0.5), voice(220, 3), silence(0.6), voice(1_800, 2.5), silence(1.0))] * 3,
    both(2.0),
    silence(0.5),
)
RECORDINGS = {"short": SHORT, "talk": TALK, "noise": noise(3.0), "silence": silence(12.0)}


@pytest.fixture
def model(speaker_folders) -> Iterator[SherpaDiarizationModel]:
    loaded = make(speaker_folders)
    yield loaded
    loaded.close()


def make(folders: dict[str, Path], **options: Any) -> SherpaDiarizationModel:
    context = LoadContext(paths=folders, threads=1, options=options)
    return SherpaDiarizationBackend().load(INFO, context)


def pieces(audio: Audio, size: int) -> Iterator[Audio]:
    for first in range(0, len(audio.samples), size):
        yield Audio(samples=audio.samples[first : first + size], sample_rate=RATE)


def turns(
    model: SherpaDiarizationModel, audio: Audio, size: int = RATE, **changes: Any
) -> list[SpeakerTurn]:
    found = model.diarize(DiarizationRequest(**changes), pieces(audio, size))
    return [turn for turn in found if turn is not None]


def bare(folders: dict[str, Path], clusters: int = -1, threshold: float = 0.5) -> Any:
    """The library's own pipeline, made as its example makes it."""
    return sherpa_onnx.OfflineSpeakerDiarization(
        sherpa_onnx.OfflineSpeakerDiarizationConfig(
            segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
                pyannote=sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(
                    model=str(folders["segmentation"] / "model.onnx")
                ),
            ),
            embedding=sherpa_onnx.SpeakerEmbeddingExtractorConfig(
                model=str(folders["embedding"] / "model.onnx")
            ),
            clustering=sherpa_onnx.FastClusteringConfig(num_clusters=clusters, threshold=threshold),
        )
    )


def expected(library: Any, audio: Audio) -> list[tuple[float, float, int]]:
    """Its turns within the recording, speakers numbered as they come."""
    numbers: dict[int, int] = {}
    found = sorted(
        (turn.start, min(turn.end, audio.seconds), turn.speaker)
        for turn in library.process(audio.samples).sort_by_start_time()
    )
    return [
        (start, end, numbers.setdefault(speaker, len(numbers)))
        for start, end, speaker in found
        if start < end
    ]


def plain(found: list[SpeakerTurn]) -> list[tuple[float, float, int]]:
    return [(turn.start, turn.end, turn.speaker) for turn in found]


@pytest.mark.parametrize("name", RECORDINGS)
def test_turns_are_those_of_the_library(model, speaker_folders, name: str) -> None:
    audio = RECORDINGS[name]
    assert plain(turns(model, audio)) == expected(bare(speaker_folders), audio)


def test_two_speakers_are_told_apart_and_overlap(model) -> None:
    found = turns(model, TALK)
    assert {turn.speaker for turn in found} == {0, 1}
    last, other = found[-2:]
    assert last.speaker != other.speaker
    assert min(last.end, other.end) - max(last.start, other.start) > 1.5


@pytest.mark.parametrize("count", [1, 2, 3])
def test_as_many_speakers_as_there_are(model, speaker_folders, count: int) -> None:
    found = turns(model, TALK, min_speakers=count, max_speakers=count)
    assert plain(found) == expected(bare(speaker_folders, clusters=count), TALK)


def test_no_more_speakers_than_asked(model) -> None:
    # Of up to ten seconds, the library tells as many as the segmentation model does.
    for audio in (SHORT, TALK):
        (found, *more) = turns(model, audio, max_speakers=1)
        assert {turn.speaker for turn in (found, *more)} == {0}


def test_at_least_as_many_speakers_as_asked(model, speaker_folders) -> None:
    one = join(*[join(voice(220, 3), silence(0.7))] * 5)
    assert len({turn.speaker for turn in turns(model, one)}) == 1
    found = turns(model, one, min_speakers=2)
    assert plain(found) == expected(bare(speaker_folders, clusters=2), one)


def test_the_threshold_can_be_set(speaker_folders) -> None:
    near = join(*[join(voice(220, 3), silence(0.7), voice(300, 3), silence(0.7))] * 2)
    for threshold in (0.0001, 0.5):
        by_load = make(speaker_folders, threshold=threshold)
        found = turns(by_load, near)
        assert plain(found) == expected(bare(speaker_folders, threshold=threshold), near)
        by_request = turns(make(speaker_folders), near, options={"threshold": threshold})
        assert by_request == found
    with pytest.raises(InvalidRequest, match="threshold"):
        turns(make(speaker_folders), near, options={"threshold": 9.0})


def test_short_turns_can_be_left_out(speaker_folders) -> None:
    audio = join(silence(0.5), voice(220, 3), silence(0.7), voice(1_800, 1.0), silence(0.5))
    assert len(turns(make(speaker_folders), audio)) == 2
    assert len(turns(make(speaker_folders, min_duration_on=2.0), audio)) == 1


@pytest.fixture
def stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of twenty seconds, so that a recording of minutes has several."""
    monkeypatch.setattr(diarization, "STRETCH_S", 20.0)


@pytest.fixture(scope="session")
def long() -> Audio:
    part = join(
        *(voice(220, 3), silence(0.6), voice(1_800, 4), silence(0.8), voice(220, 2), silence(1.1))
    )
    return join(silence(0.4), *[part] * 7)


def test_speakers_are_linked_across_stretches(model, speaker_folders, long, stretched) -> None:
    found = turns(model, long)
    whole = expected(bare(speaker_folders), long)
    assert len(found) == len(whole) == 21
    for turn, (start, end, speaker) in zip(found, whole, strict=True):
        assert turn.speaker == speaker
        assert turn.start == pytest.approx(start, abs=0.05)
        assert turn.end == pytest.approx(end, abs=0.05)


def test_bounds_hold_across_stretches(model, long, stretched) -> None:
    assert {turn.speaker for turn in turns(model, long, max_speakers=1)} == {0}
    assert {turn.speaker for turn in turns(model, long, max_speakers=2)} == {0, 1}
    assert len({turn.speaker for turn in turns(model, long, min_speakers=3)}) >= 3


@pytest.mark.parametrize("size", [999, 16_000, 10**9])
def test_it_makes_no_difference_how_sound_is_fed(model, long, stretched, size: int) -> None:
    assert turns(model, long, size) == turns(model, long, 48_000)


def test_a_turn_that_is_cut_is_one(model, stretched) -> None:
    found = turns(model, join(silence(0.5), voice(220, 55.0), silence(0.5)))
    assert len(found) == 1
    assert found[0].end - found[0].start == pytest.approx(55.0, abs=0.2)


def test_it_takes_sound_in_stretches_and_tells_that_it_works(model, long, stretched) -> None:
    taken = 0

    def feed() -> Iterator[Audio]:
        nonlocal taken
        for piece in pieces(long, RATE):
            taken += 1
            yield piece

    events = model.diarize(DiarizationRequest(), feed())
    assert next(events) is None
    assert taken <= 22  # no more than a stretch was taken before work on it began
    events.close()
    assert turns(model, SHORT)


def test_leaving_ends_the_work(model) -> None:
    before = threading.active_count()
    events = model.diarize(DiarizationRequest(), iter([TALK]))
    assert next(events) is None
    events.close()
    assert threading.active_count() == before
    assert len(turns(model, TALK)) == 8


def test_recordings_at_the_same_time_do_not_mix(model, long) -> None:
    asked: list[tuple[Audio, dict[str, Any]]] = [
        (TALK, {}),
        (TALK, {"max_speakers": 1, "min_speakers": 1}),
        (SHORT, {}),
        (TALK, {"options": {"threshold": 0.0001}}),
    ]
    alone = [turns(model, audio, **changes) for audio, changes in asked]
    found: list[Any] = [None] * len(asked)

    def run(place: int) -> None:
        audio, changes = asked[place]
        found[place] = turns(model, audio, 4_000, **changes)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def embedded(model: SherpaDiarizationModel, audio: Audio) -> np.ndarray:
    (found,) = model.embed(EmbeddingRequest(audio=audio))
    assert found is not None
    return np.array(found.vector)


@pytest.mark.parametrize("framework", ["wespeaker", "3d-speaker"])
def test_a_vector_is_that_of_the_library(
    tiny_speakers, speaker_folders, tmp_path: Path, framework: str
) -> None:
    folder = tiny_speakers.embedding(tmp_path / "voices", framework=framework)
    model = make({**speaker_folders, "embedding": folder})
    library = sherpa_onnx.SpeakerEmbeddingExtractor(
        sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(folder / "model.onnx"))
    )
    for audio in (TALK, noise(0.7)):
        stream = library.create_stream()
        stream.accept_waveform(RATE, audio.samples)
        stream.input_finished()
        vector = np.array(library.compute(stream))
        found = embedded(model, audio)
        np.testing.assert_allclose(found, vector / np.linalg.norm(vector), atol=1e-6)
        assert np.linalg.norm(found) == pytest.approx(1.0)


def test_a_voice_is_known_again(model) -> None:
    low, again, high = (embedded(model, voice(*each)) for each in ((220, 2), (220, 3), (1_800, 2)))
    assert low @ again > 0.9
    assert low @ high < 0.6


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.49])
def test_too_little_of_a_voice_is_refused(model, seconds: float) -> None:
    with pytest.raises(InvalidRequest, match="too short") as caught:
        embedded(model, noise(seconds))
    assert caught.value.param == "audio"


def test_a_minute_of_a_voice_is_enough(model) -> None:
    minute = voice(220, 60)
    longer = join(minute, voice(1_800, 30))
    np.testing.assert_array_equal(embedded(model, longer), embedded(model, minute))


def test_every_parameter_counts(graphs, speaker_folders, tmp_path: Path) -> None:
    def everything(folders: dict[str, Path]) -> list[Any]:
        model = make(folders)
        return [plain(turns(model, TALK)), embedded(model, SHORT).tolist()]

    before = everything(speaker_folders)
    assert before == everything(speaker_folders)
    for key, source in speaker_folders.items():
        for tensor in graphs.weights(source / "model.onnx"):
            changed = False
            for seed in range(4):
                folder = Path(shutil.copytree(source, tmp_path / "m"))
                graphs.redraw(folder / "model.onnx", tensor, seed)
                changed = everything({**speaker_folders, key: folder}) != before
                shutil.rmtree(folder)
                if changed:
                    break
            assert changed, f"{key}: {tensor}"


def test_a_closed_model_says_so(speaker_folders) -> None:
    model = make(speaker_folders)
    model.close()
    with pytest.raises(ModelNotReady, match="closed"):
        embedded(model, SHORT)
    with pytest.raises(ModelNotReady, match="closed"):
        turns(model, SHORT)
