"""Sound as it comes in: the library's own partial text, ends of utterances and words."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sherpa_onnx

from open_speech import (
    Audio,
    Flush,
    Flushed,
    Partial,
    Segment,
    STTModel,
    TranscriptionRequest,
)
from open_speech.errors import InvalidRequest, ModelNotReady
from open_speech.testing import join, noise, silence
from open_speech_provider_sherpa.streaming import tail_s

RATE = 16_000
FAMILIES = ["zipformer", "zipformer_ctc", "nemo", "nemo_ctc", "paraformer"]
TIMED = {"zipformer", "zipformer_ctc", "nemo", "nemo_ctc"}
SURE = {"zipformer", "nemo"}
TALK = join(
    silence(0.5),
    *(join(noise(1.0 + seed, amplitude=0.1 * seed, seed=seed), silence(2.0)) for seed in (1, 2, 3)),
    noise(1.0, amplitude=0.3, seed=4),
)
"""Three utterances with pauses that the library takes for ends, and one without an end."""


def bare(folder: Path, name: str, **options: Any) -> Any:
    """The library's own recognizer, made as its examples make it."""

    def at(file: str) -> str:
        return str(next(folder.glob(file)))

    library = sherpa_onnx.OnlineRecognizer
    make, parts = {
        "zipformer": (library.from_transducer, ("encoder*", "decoder*", "joiner*")),
        "nemo": (library.from_transducer, ("encoder*", "decoder*", "joiner*")),
        "zipformer_ctc": (library.from_zipformer2_ctc, ("ctc*",)),
        "nemo_ctc": (library.from_nemo_ctc, ("model*",)),
        "paraformer": (library.from_paraformer, ("encoder*", "decoder*")),
    }[name]
    if name == "nemo_ctc":  # the library counts half of the silence: see OnlineEngine
        options = {"rule1_min_trailing_silence": 1.2, "rule2_min_trailing_silence": 0.6, **options}
    files = [at("tokens.txt"), *map(at, parts)]
    return make(*files, enable_endpoint_detection=True, **options)


def pieces(audio: Audio, size: int) -> Iterator[Audio]:
    for first in range(0, len(audio.samples), size):
        yield Audio(samples=audio.samples[first : first + size], sample_rate=RATE)


def library_events(recognizer: Any, audio: Audio, tail: float) -> list[tuple[str, str]]:
    """Partial and final texts as a program of the library gets them, piece by piece."""
    stream, shown, found = recognizer.create_stream(), "", []
    for piece in pieces(audio, RATE // 10):
        stream.accept_waveform(RATE, piece.samples)
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
            text = recognizer.get_result(stream)
            if text != shown:
                found.append(("partial", text))
                shown = text
            if recognizer.is_endpoint(stream):
                if text:
                    found.append(("end", text))
                recognizer.reset(stream)
                shown = ""
    stream.accept_waveform(RATE, np.zeros(round(tail * RATE), np.float32))
    stream.input_finished()
    while recognizer.is_ready(stream):
        recognizer.decode_stream(stream)
    return [*found, ("end", recognizer.get_result(stream))]


def listened(
    model: STTModel, fed: Iterable[Audio | Flush], **changes: Any
) -> list[Partial | Segment | Flushed]:
    events = model.listen(TranscriptionRequest(**changes), iter(fed))
    return [event for event in events if event is not None]


def told(events: Iterable[Any]) -> list[tuple[str, str]]:
    names = {Partial: "partial", Segment: "end"}
    return [(names[type(e)], e.text) for e in events if not isinstance(e, Flushed)]


@pytest.mark.parametrize("name", FAMILIES)
def test_events_are_those_of_the_library(streaming_folder, load, name: str) -> None:
    folder = streaming_folder(name)
    model = load(folder)
    found = listened(model, [*pieces(TALK, RATE // 10), Flush()])
    expected = library_events(bare(folder, name), TALK, model_tail(folder))
    assert told(found) == expected
    ends = [each.unasked for each in found if isinstance(each, Flushed)]
    assert ends[-1] is False
    assert ends.count(True) == len(ends) - 1 >= 3
    for before, after in pairwise(found):
        assert not isinstance(after, Flushed) or isinstance(before, Segment)


def model_tail(folder: Path) -> float:
    from open_speech_provider_sherpa.onnx_metadata import read_metadata

    main = next(iter(sorted(folder.glob("encoder*.onnx")) or folder.glob("*.onnx")))
    return tail_s(read_metadata(main))


@pytest.mark.parametrize("name", sorted(TIMED))
def test_words_have_the_times_of_the_library(streaming_folder, load, name: str) -> None:
    folder, scale = streaming_folder(name), 2.0 if name == "nemo_ctc" else 1.0
    changes = {"word_timestamps": True, "logprobs": name in SURE}
    found = listened(load(folder), [*pieces(TALK, RATE // 10), Flush()], **changes)
    segments = [each for each in found if isinstance(each, Segment)]
    recognizer = bare(folder, name)
    stream = recognizer.create_stream()
    times, sure = [], []
    for piece in pieces(TALK, RATE // 10):
        stream.accept_waveform(RATE, piece.samples)
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
            if recognizer.is_endpoint(stream):
                result = recognizer.get_result_all(stream)
                if result.text:
                    times.append([result.start_time + scale * time for time in result.timestamps])
                    sure.append(list(result.ys_probs))
                recognizer.reset(stream)
    assert len(times) >= 3
    for segment, starts, probabilities in zip(segments, times, sure, strict=False):
        assert segment.start == pytest.approx(starts[0])
        assert segment.words[-1].start in [pytest.approx(time) for time in starts]
        assert " ".join(word.text for word in segment.words) == segment.text
        if name in SURE:
            assert [each.logprob for each in segment.logprobs] == pytest.approx(probabilities)
    for word in (word for segment in segments for word in segment.words):
        assert 0.0 <= word.start <= word.end <= TALK.seconds + 1e-6


@pytest.mark.parametrize("name", FAMILIES)
def test_segments_lie_where_the_sound_is(streaming_folder, load, name: str) -> None:
    found = listened(load(streaming_folder(name)), [*pieces(TALK, RATE // 10), Flush()])
    segments = [each for each in found if isinstance(each, Segment)]
    spoken, start = [], 0.5
    for seconds in (2.0, 3.0, 4.0):
        spoken.append((start, start + seconds))
        start += seconds + 2.0
    for segment, (first, last) in zip(segments, spoken, strict=False):
        assert first - 0.7 < segment.start < last
        assert first < segment.end < last + 1.5


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("size", [160, 777, 8_000, 10**9])
def test_it_makes_no_difference_how_sound_is_fed(
    streaming_folder, load, name: str, size: int
) -> None:
    model = load(streaming_folder(name))
    expected = listened(model, [*pieces(TALK, RATE // 10), Flush()])
    assert told(listened(model, [*pieces(TALK, size), Flush()])) == told(expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_each_utterance_begins_anew_behind_a_flush(streaming_folder, load, name: str) -> None:
    model = load(streaming_folder(name))
    part = join(noise(1.5, seed=1), silence(0.3))
    alone = listened(model, [part, Flush()], word_timestamps=name in TIMED)
    thrice = listened(model, [part, Flush()] * 3, word_timestamps=name in TIMED)
    assert told(thrice) == told(alone) * 3
    segments = [each for each in thrice if isinstance(each, Segment)]
    (first,) = (each for each in alone if isinstance(each, Segment))
    for place, segment in enumerate(segments):
        moved = first.shifted(place * part.seconds)
        assert segment.start == pytest.approx(moved.start)
        assert segment.end == pytest.approx(moved.end)
        assert [w.start for w in segment.words] == pytest.approx([w.start for w in moved.words])


@pytest.mark.parametrize("name", FAMILIES)
def test_flushes_are_answered_once(streaming_folder, load, name: str) -> None:
    model = load(streaming_folder(name))
    assert listened(model, [Flush()] * 3) == [Flushed()] * 3
    assert listened(model, [silence(0.05), Flush()]) == [Flushed()]
    assert listened(model, []) == []
    # Without a flush the rest is told all the same.
    rest = listened(model, [noise(1.5, seed=1)])
    assert isinstance(rest[-1], Segment)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_recording_is_heard_utterance_by_utterance(streaming_folder, load, name: str) -> None:
    model = load(streaming_folder(name))
    listening = listened(model, [TALK, Flush()])
    request = TranscriptionRequest(audio=TALK)
    segments = [event for event in model.transcribe(request) if event is not None]
    assert segments == [each for each in listening if isinstance(each, Segment)]
    partly = TranscriptionRequest(audio=TALK, partials=True)
    events = [event for event in model.transcribe(partly) if event is not None]
    assert events == [each for each in listening if not isinstance(each, Flushed)]


@pytest.mark.parametrize("name", FAMILIES)
def test_sessions_do_not_mix(streaming_folder, load, name: str) -> None:
    model = load(streaming_folder(name))
    sounds = [join(noise(1.0 + n, seed=n), silence(1.5), noise(0.5, seed=n)) for n in range(6)]
    alone = [told(listened(model, [*pieces(sound, 1_600), Flush()])) for sound in sounds]
    assert len({tuple(each) for each in alone}) > 1
    found: list[Any] = [None] * len(sounds)
    turn = threading.Barrier(len(sounds))

    def fed(sound: Audio) -> Iterator[Audio | Flush]:
        turn.wait()
        yield from pieces(sound, 1_600)
        yield Flush()

    def listen(place: int) -> None:
        found[place] = told(listened(model, fed(sounds[place])))

    threads = [threading.Thread(target=listen, args=(place,)) for place in range(len(sounds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


@pytest.mark.parametrize("name", FAMILIES)
def test_every_parameter_counts(graphs, streaming_folder, load, tmp_path: Path, name: str) -> None:
    loudness = (0.1, 0.4, 0.02, 0.2, 0.7, 0.05)
    sound = join(*(noise(0.9, amplitude=each, seed=n) for n, each in enumerate(loudness)))

    def everything(folder: Path) -> list[Any]:
        changes = {"word_timestamps": name in TIMED, "logprobs": name in SURE}
        return listened(load(folder), [sound, Flush()], **changes)

    expected = everything(streaming_folder(name))
    assert expected == everything(streaming_folder(name))
    same = []
    for path in sorted(streaming_folder(name).glob("*.onnx")):
        for tensor in graphs.weights(path):
            changed = False
            for seed in range(30):
                folder = Path(shutil.copytree(streaming_folder(name), tmp_path / "m-streaming"))
                graphs.redraw(folder / path.name, tensor, seed)
                changed = everything(folder) != expected
                shutil.rmtree(folder)
                if changed:
                    break
            same += [] if changed else [f"{path.name}: {tensor}"]
    assert not same


@pytest.mark.parametrize("name", ["zipformer", "nemo"])
def test_words_to_expect_are_found_more_often(streaming_folder, load, name: str) -> None:
    model = load(streaming_folder(name), hotwords_score=4.0)
    sound = [noise(2.0, seed=1), Flush()]
    plain = told(listened(model, sound))
    assert told(listened(model, sound, keywords=("three four", "seven"))) != plain
    assert told(listened(model, sound)) == plain


def test_a_model_with_prompts_takes_languages(streaming_folder, load) -> None:
    model = load(streaming_folder("nemo"))
    assert model.info.languages == ("en-US", "de-DE", "ja-JP")
    sound = [noise(2.0, seed=1), Flush()]
    texts = {tag: told(listened(model, sound, language=tag)) for tag in (None, "de", "ja-JP")}
    assert len({tuple(text) for text in texts.values()}) == 3
    assert told(listened(model, sound, language="de-AT")) == texts["de"]
    assert told(listened(model, sound, languages=("de",))) == texts["de"]
    with pytest.raises(InvalidRequest, match="does not understand 'fr'"):
        listened(model, sound, language="fr")


def test_the_rules_for_the_end_can_be_set(streaming_folder, load) -> None:
    def ends(**options: float) -> int:
        found = listened(load(streaming_folder("zipformer"), **options), [TALK])
        return sum(isinstance(each, Flushed) for each in found)

    assert ends() == 3
    assert ends(rule2_min_trailing_silence=5.0, rule1_min_trailing_silence=5.0) == 0
    assert ends(rule3_min_utterance_length=1.0) > 3
    with pytest.raises(InvalidRequest, match="rule2"):
        load(streaming_folder("zipformer"), rule2_min_trailing_silence=-1.0)


def test_what_a_request_cannot_have_is_refused(streaming_folder, load) -> None:
    model = load(streaming_folder("zipformer"))
    with pytest.raises(InvalidRequest, match="Unknown option"):
        listened(model, [Flush()], options={"rule1_min_trailing_silence": 1.0})
    with pytest.raises(InvalidRequest, match="Unknown option"):
        list(model.transcribe(TranscriptionRequest(options={"beam": 1})))


def test_a_closed_model_says_so(streaming_folder, load) -> None:
    model = load(streaming_folder("zipformer"))
    model.close()
    with pytest.raises(ModelNotReady, match="closed"):
        listened(model, [Flush()])


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({"T": "45", "decode_chunk_len": "32"}, 0.87),
        ({"window_size": "65", "chunk_shift": "56"}, 1.31),
        ({"T": "many"}, 1.1),
        ({}, 1.1),
    ],
)
def test_the_tail_is_as_long_as_the_model_looks(metadata: dict[str, str], seconds: float) -> None:
    assert tail_s(metadata) == pytest.approx(seconds)
