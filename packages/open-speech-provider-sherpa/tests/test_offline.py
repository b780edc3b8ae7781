"""Whole recordings: what the library hears, in stretches, with words, languages and hints."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sherpa_onnx

from open_speech import (
    Audio,
    Capability,
    DetectedLanguage,
    LoadContext,
    ModelInfo,
    Segment,
    STTModel,
    Task,
    TranscriptionRequest,
)
from open_speech.errors import InvalidRequest, ModelLoadFailed, ModelNotReady
from open_speech.testing import join, noise, silence
from open_speech_provider_sherpa import SherpaBackend
from open_speech_provider_sherpa.stretches import stretches

RATE = 16_000
FAMILIES = [
    *("zipformer", "nemo_ctc", "nemo_tdt", "nemo_rnnt", "gigaam"),
    *("sense_voice", "moonshine", "paraformer", "canary", "zipformer_ctc", "moonshine_v2"),
]
TIMED = {"zipformer", "nemo_ctc", "nemo_tdt", "nemo_rnnt", "gigaam", "sense_voice", "zipformer_ctc"}
SURE = {"zipformer", "nemo_tdt", "nemo_rnnt", "gigaam"}


def bare(folder: Path, name: str, **options: Any) -> Any:
    """The library's own recognizer, made as its examples make it."""
    library = sherpa_onnx.OfflineRecognizer

    def at(file: str) -> str:
        return str(next(folder.glob(file)))

    if name in {"zipformer", "nemo_tdt", "nemo_rnnt", "gigaam"}:
        kind = "transducer" if name == "zipformer" else "nemo_transducer"
        parts = [at(f"{part}*.onnx") for part in ("encoder", "decoder", "joiner")]
        return library.from_transducer(*parts, at("tokens.txt"), model_type=kind, **options)
    if name == "moonshine":
        parts = ["preprocess.onnx", "encode.*", "uncached_decode.*", "cached_decode.*"]
        return library.from_moonshine(*map(at, [*parts, "tokens.txt"]))
    if name == "moonshine_v2":
        parts = ["encoder_model*", "decoder_model_merged*", "tokens.txt"]
        return library.from_moonshine_v2(*map(at, parts))
    if name == "canary":
        return library.from_nemo_canary(at("encoder*"), at("decoder*"), at("tokens.txt"), **options)
    if name == "sense_voice":
        return library.from_sense_voice(at("model.onnx"), at("tokens.txt"), use_itn=True, **options)
    make = {
        "nemo_ctc": library.from_nemo_ctc,
        "paraformer": library.from_paraformer,
        "zipformer_ctc": library.from_zipformer_ctc,
    }[name]
    return make(at("model*.onnx"), at("tokens.txt"))


def result(recognizer: Any, audio: Audio, hotwords: str | None = None) -> Any:
    stream = recognizer.create_stream(hotwords)
    stream.accept_waveform(RATE, audio.samples)
    recognizer.decode_stream(stream)
    return stream.result


def heard(model: STTModel, audio: Audio, **changes: Any) -> list[Segment]:
    events = model.transcribe(TranscriptionRequest(audio=audio, **changes))
    return [event for event in events if isinstance(event, Segment)]


@pytest.mark.parametrize("name", FAMILIES)
def test_it_hears_what_the_library_hears(offline_folder, load, sounds, name: str) -> None:
    model, library = load(offline_folder(name)), bare(offline_folder(name), name)
    for label in ("noise", "mixed"):
        audio = sounds[label]
        expected = result(library, audio)
        found = heard(model, audio, word_timestamps=name in TIMED, logprobs=name in SURE)
        assert "".join(segment.text for segment in found) == expected.text.strip()
        if not found:
            continue
        (segment,) = found
        if name in TIMED:
            assert segment.start == pytest.approx(expected.timestamps[0])
            said = [word.text for word in segment.words]
            assert "".join(said) == "".join(expected.text.split())
            starts = {round(time, 3) for time in expected.timestamps}
            assert {round(word.start, 3) for word in segment.words} <= starts
        if name in SURE:
            sure = [entry.logprob for entry in segment.logprobs]
            assert sure == pytest.approx(list(expected.ys_log_probs), abs=1e-5)
            assert segment.avg_logprob == pytest.approx(np.mean(sure))
    model.close()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_parameter_counts(
    graphs, offline_folder, load, sounds, tmp_path: Path, name: str
) -> None:
    def everything(folder: Path) -> list[Any]:
        model = load(folder)
        found = []
        for label in ("noise", "mixed"):
            events = model.transcribe(
                TranscriptionRequest(
                    audio=sounds[label], word_timestamps=name in TIMED, logprobs=name in SURE
                )
            )
            found += [event for event in events if event]
            # What the provider makes nothing of.
            library = result(bare(folder, name), sounds[label])
            found.append((library.tokens, library.durations, library.emotion, library.event))
        model.close()
        return found

    expected = everything(offline_folder(name))
    assert expected == everything(offline_folder(name))
    same = []
    for path in sorted(offline_folder(name).glob("*.onnx")):
        for tensor in graphs.weights(path):
            changed = []
            for seed in range(6):
                folder = Path(shutil.copytree(offline_folder(name), tmp_path / "m"))
                graphs.redraw(folder / path.name, tensor, seed)
                changed.append(everything(folder) != expected)
                shutil.rmtree(folder)
                if changed[-1]:
                    break
            same += [] if any(changed) else [f"{path.name}: {tensor}"]
    assert not same


def test_long_sound_is_heard_stretch_by_stretch(offline_folder, load) -> None:
    part = join(noise(3.0, seed=1), silence(0.5), noise(2.5, amplitude=0.3, seed=2), silence(0.5))
    long = join(*[part] * 8)
    model = load(offline_folder("nemo_tdt"), longest_stretch=10.0)
    found = heard(model, long, word_timestamps=True)
    assert len(found) >= long.seconds / 10
    starts = [segment.start for segment in found]
    assert starts == sorted(starts)
    assert all(a.end <= b.start + 0.01 for a, b in pairwise(found))
    assert found[-1].end <= long.seconds
    for segment in found:
        for word in segment.words:
            assert segment.start <= word.start <= word.end <= segment.end + 1e-6
    library = bare(offline_folder("nemo_tdt"), "nemo_tdt")
    bounds = list(stretches(long.samples, RATE, 10.0))
    pieces = [Audio(samples=long.samples[first:end], sample_rate=RATE) for first, end in bounds]
    assert [segment.text for segment in found] == [result(library, piece).text for piece in pieces]
    model.close()


def test_a_request_may_change_the_stretches(offline_folder, load) -> None:
    model = load(offline_folder("nemo_tdt"))
    long = noise(12.0)
    assert len(heard(model, long)) == 1
    assert len(heard(model, long, options={"longest_stretch": 5.0})) > 1
    with pytest.raises(InvalidRequest, match="hotwords_score"):
        heard(model, long, options={"hotwords_score": 2.0})


@pytest.mark.parametrize("name", FAMILIES)
def test_silence_and_next_to_nothing_hold_no_text(offline_folder, load, name: str) -> None:
    model = load(offline_folder(name))
    for audio in (silence(3.0), silence(40.0), noise(0.09), noise(2.0, amplitude=5e-5)):
        assert heard(model, audio) == []


@pytest.mark.parametrize("name", FAMILIES)
def test_short_sound_is_heard(offline_folder, load, name: str) -> None:
    model = load(offline_folder(name))
    for seconds in (0.1, 0.15, 0.3):
        for segment in heard(model, noise(seconds), word_timestamps=name in TIMED):
            assert segment.end <= seconds
            assert all(word.end <= seconds for word in segment.words)


def test_sense_voice_tells_its_language(offline_folder, load, sounds) -> None:
    folder = offline_folder("sense_voice")
    model = load(folder)
    request = TranscriptionRequest(audio=sounds["mixed"])
    expected = result(bare(folder, "sense_voice"), sounds["mixed"])
    first, *_ = filter(None, model.transcribe(request))
    assert first == DetectedLanguage(language=expected.lang.strip("<|>"))


@pytest.mark.parametrize("language", ["zh", "en", "yue", "ja", "ko"])
def test_sense_voice_takes_a_language(offline_folder, load, sounds, language: str) -> None:
    folder = offline_folder("sense_voice")
    model = load(folder)
    plain = heard(model, sounds["mixed"])
    library = bare(folder, "sense_voice", language=language)
    for _ in range(2):
        request = TranscriptionRequest(audio=sounds["mixed"], language=language)
        told, *segments = filter(None, model.transcribe(request))
        assert told == DetectedLanguage(language=language)
        assert isinstance(segments[0], Segment)
        assert segments[0].text == result(library, sounds["mixed"]).text.strip()
    assert heard(model, sounds["mixed"]) == plain


def test_languages_that_are_expected_are_found(offline_folder, load, sounds) -> None:
    model = load(offline_folder("sense_voice"))
    for expected in (("en",), ("yue", "en"), ("ja", "zh", "en", "yue")):
        request = TranscriptionRequest(audio=sounds["mixed"], languages=expected)
        told, *_ = filter(None, model.transcribe(request))
        assert isinstance(told, DetectedLanguage)
        assert told.language in expected


def test_numbers_are_written_unless_asked_otherwise(offline_folder, load, sounds) -> None:
    folder = offline_folder("sense_voice")
    model, at = load(folder), str(folder / "model.onnx")
    library = sherpa_onnx.OfflineRecognizer.from_sense_voice(at, str(folder / "tokens.txt"))
    texts = {}
    for wanted in (True, False):
        (segment,) = heard(model, sounds["mixed"], options={"use_itn": wanted})
        texts[wanted] = segment.text
    assert texts[False] == result(library, sounds["mixed"]).text.strip()
    assert texts[True] == heard(model, sounds["mixed"])[0].text
    assert texts[True] != texts[False]
    with pytest.raises(InvalidRequest, match="use_itn"):
        heard(model, sounds["mixed"], options={"use_itn": "yes"})


@pytest.mark.parametrize(
    ("language", "task", "source", "target"),
    [
        (None, Task.TRANSCRIBE, "en", "en"),
        ("de", Task.TRANSCRIBE, "de", "de"),
        ("de-AT", Task.TRANSLATE, "de", "en"),
        ("fr", Task.TRANSLATE, "fr", "en"),
    ],
)
def test_canary_takes_languages_and_translates(
    offline_folder, load, sounds, language: str | None, task: Task, source: str, target: str
) -> None:
    folder = offline_folder("canary")
    library = bare(folder, "canary", src_lang=source, tgt_lang=target)
    model = load(folder)
    heard(model, sounds["noise"], language="es")
    (segment,) = heard(model, sounds["mixed"], language=language, task=task)
    assert segment.text == result(library, sounds["mixed"]).text.strip()
    assert segment.start == 0.0
    assert segment.end == pytest.approx(sounds["mixed"].seconds)


def test_what_the_languages_do_shows(offline_folder, load, sounds) -> None:
    model = load(offline_folder("canary"))
    texts = {
        heard(model, sounds["mixed"], language=language, task=task)[0].text
        for language in ("de", "fr", "es", "en")
        for task in Task
    }
    assert len(texts) > 3


def test_an_unknown_language_is_refused(offline_folder, load, sounds) -> None:
    model = load(offline_folder("canary"))
    with pytest.raises(InvalidRequest, match="does not understand 'pl'"):
        heard(model, sounds["mixed"], language="pl")


@pytest.mark.parametrize("name", ["zipformer", "nemo_tdt"])
def test_words_to_expect_are_found_more_often(
    offline_folder, load, sounds, tmp_path: Path, name: str
) -> None:
    folder = offline_folder(name)
    model = load(folder, hotwords_score=3.0)
    keywords = ("seven two", "Three/four")
    plain = heard(model, sounds["noise"])
    (keen,) = heard(model, sounds["noise"], keywords=keywords)
    assert keen.text != plain[0].text
    assert heard(model, sounds["noise"]) == plain
    pieces = [line.split()[0] for line in (folder / "tokens.txt").read_text("utf-8").splitlines()]
    pieces = [piece for piece in pieces if not piece.startswith("<")]
    vocabulary = tmp_path / "bpe.vocab"
    lines = (f"{piece}\t{-rank}\n" for rank, piece in enumerate(pieces))
    vocabulary.write_text("".join(lines), "utf-8")
    library = bare(
        folder,
        name,
        decoding_method="modified_beam_search",
        modeling_unit="bpe",
        bpe_vocab=str(vocabulary),
        hotwords_score=3.0,
    )
    expected = result(library, sounds["noise"], "seven two/three four").text.strip()
    assert keen.text == expected


def test_words_that_cannot_be_written_change_nothing(offline_folder, load, sounds) -> None:
    model = load(offline_folder("zipformer"))
    assert heard(model, sounds["noise"], keywords=("/", ":")) == heard(model, sounds["noise"])


def test_paraformer_has_words_where_its_name_promises_them(offline_folder, sounds) -> None:
    timed = ModelInfo(id="a/b", capabilities=frozenset({Capability.WORD_TIMESTAMPS}))
    context = LoadContext(paths={"model": offline_folder("paraformer")})
    model = SherpaBackend().load(timed, context)
    assert model.info is not None
    assert Capability.WORD_TIMESTAMPS in model.info.capabilities
    (segment,) = heard(model, sounds["mixed"], word_timestamps=True)
    expected = result(bare(offline_folder("paraformer"), "paraformer"), sounds["mixed"])
    assert [w.text for w in segment.words]
    assert segment.words[0].start == pytest.approx(expected.timestamps[0])
    plain = SherpaBackend().load(replace(timed, capabilities=frozenset()), context)
    assert plain.info is not None
    assert not plain.info.capabilities


def test_several_at_a_time_hear_what_each_hears_alone(offline_folder, load, sounds) -> None:
    model = load(offline_folder("sense_voice"))
    asked = [("noise", "en"), ("mixed", "ja"), ("noise", None), ("mixed", "yue")] * 3
    alone = [heard(model, sounds[label], language=tag) for label, tag in asked]
    found: list[Any] = [None] * len(asked)

    def hear(place: int) -> None:
        label, tag = asked[place]
        found[place] = heard(model, sounds[label], language=tag)

    threads = [threading.Thread(target=hear, args=(place,)) for place in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def test_a_closed_model_says_so(offline_folder, load, sounds) -> None:
    model: STTModel = load(offline_folder("zipformer"))
    model.close()
    with pytest.raises(ModelNotReady, match="closed"):
        heard(model, sounds["noise"])


@pytest.mark.parametrize("options", [{"beam": 1}, {"longest_stretch": 1000.0}])
def test_unknown_settings_are_refused(offline_folder, load, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        load(offline_folder("zipformer"), **options)


def test_a_graph_that_onnxruntime_refuses_is_an_error(
    offline_folder, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    folder = Path(shutil.copytree(offline_folder("nemo_ctc"), tmp_path / "model"))
    spoil(folder / "model.onnx")
    with pytest.raises(ModelLoadFailed, match="cannot load model"):
        SherpaBackend().load(ModelInfo(id="a/b"), LoadContext(paths={"model": folder}))


@pytest.fixture
def spoil() -> Callable[[Path], None]:
    """Name an operation that there is none of."""

    def spoil(path: Path) -> None:
        path.write_bytes(path.read_bytes().replace(b"Transpose", b"Transpase"))

    return spoil
