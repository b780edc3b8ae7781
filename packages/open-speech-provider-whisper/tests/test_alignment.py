"""Known text: its words with the times at which they are said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest

from open_speech import AlignmentRequest, Audio, DetectedLanguage, Segment, TranscriptionRequest
from open_speech.errors import InvalidRequest
from open_speech.testing import join, noise, silence
from open_speech_provider_whisper._silence import sounding
from open_speech_provider_whisper.model import WhisperModel

Recording = Callable[[str], Audio]
DIGITS = "one two three four five"
CLIPS = {
    clip["file"]: clip
    for clip in json.loads((Path(__file__).parent / "data/audio/manifest.json").read_bytes())
}


def aligned(model: WhisperModel, audio: Audio, text: str, **fields: Any) -> Segment:
    request = AlignmentRequest(audio=audio, text=text, **fields)
    language, segment = model.align(request)
    assert isinstance(language, DetectedLanguage)
    assert isinstance(segment, Segment)
    return segment


@pytest.mark.parametrize(
    "name", ["digits_us_m4.wav", "command_lights_gb_edward.wav", "short_yes_us_m4.wav"]
)
def test_words_are_placed_where_they_are_said(
    model: WhisperModel, recording: Recording, name: str
) -> None:
    clip = CLIPS[name]
    segment = aligned(model, recording(name), clip["text"])
    assert segment.text == clip["text"]
    for word, expected in zip(segment.words, clip["words"], strict=True):
        assert word.text == expected["word"]
        assert word.start == pytest.approx(expected["start"], abs=0.12)
        assert word.end == pytest.approx(expected["end"], abs=0.22)
        assert word.probability == pytest.approx(1, abs=0.1)
    assert segment.avg_logprob == pytest.approx(0, abs=0.1)


def test_no_word_is_placed_in_silence(model: WhisperModel, recording: Recording) -> None:
    audio = recording("digits_us_m4.wav")
    plain = aligned(model, audio, DIGITS).words
    late = aligned(model, join(silence(3.0), audio, silence(3.0)), DIGITS).words
    for word, moved in zip(plain, late, strict=True):
        assert moved.start - word.start == pytest.approx(3.0, abs=0.1)
        assert moved.end <= 3.0 + audio.seconds


def test_words_come_as_they_are_written(model: WhisperModel, recording: Recording) -> None:
    text = " One, 2\n<|endoftext|> three's — FÜNF! "
    segment = aligned(model, recording("digits_us_m4.wav"), text)
    assert segment.text == text.strip()
    assert [word.text for word in segment.words] == text.split()
    assert all(word.start <= word.end for word in segment.words)


def test_another_text_is_less_likely(model: WhisperModel, recording: Recording) -> None:
    audio = recording("digits_us_m4.wav")
    assert aligned(model, audio, DIGITS).avg_logprob > -0.1
    assert aligned(model, audio, "nine eight seven six zero").avg_logprob < -2


@pytest.mark.parametrize(
    ("sound", "text", "reason"),
    [
        (noise(2.0), "", "no word"),
        (noise(2.0), " \n ", "no word"),
        (silence(2.0), "one", "silent"),
        (silence(0.0), "one", "silent"),
        (noise(0.005), "one", "silent"),
        (noise(0.1), "one two three four five six", "too long for 0.1 seconds"),
        (noise(29.0), "one " * 441, "too long for 29.0 seconds"),
    ],
)
def test_what_cannot_be_aligned_is_refused(
    model: WhisperModel, sound: Audio, text: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest, match=reason) as caught:
        aligned(model, sound, text)
    assert caught.value.param == "text"


def test_the_longest_text_is_taken(model: WhisperModel) -> None:
    assert len(aligned(model, noise(29.0), "one " * 440).words) == 440


def test_silence_does_not_count(model: WhisperModel, recording: Recording) -> None:
    audio = join(silence(30.0), recording("short_yes_us_m4.wav"), silence(30.0))
    (word,) = aligned(model, audio, "yes").words
    assert 30.2 <= word.start < word.end <= 30.8


def test_the_language_is_given_or_detected(multilingual: WhisperModel) -> None:
    request = AlignmentRequest(audio=noise(2, seed=3), text="Guten Tag.")
    heard, segment = multilingual.align(request)
    (same, *_) = multilingual.transcribe(TranscriptionRequest(audio=noise(2, seed=3)))
    assert isinstance(heard, DetectedLanguage)
    assert isinstance(same, DetectedLanguage)
    assert heard.language == same.language
    assert 0 < (heard.probability or 0) <= 1
    given, other = multilingual.align(
        AlignmentRequest(audio=request.audio, text="Guten Tag.", language="pt-BR")
    )
    assert given == DetectedLanguage(language="pt")
    assert isinstance(segment, Segment)
    assert isinstance(other, Segment)
    assert segment.avg_logprob != other.avg_logprob


def test_only_long_silence_is_left_out() -> None:
    sound = join(silence(1.0), noise(0.5), silence(0.25), noise(0.5), silence(2.0), noise(0.5))
    found = sounding(sound.samples)
    assert found.runs == ((95, 230), (420, 475))
    heard = found.window(0.0, 1000)
    assert (heard.frames, heard.start, heard.end, heard.is_last) == (135 + 55, 0.95, 4.75, True)
    assert heard.moment(0.0, end=False) == 0.95
    assert heard.moment(1.35, end=True) == 2.3
    assert heard.moment(1.35, end=False) == 4.2
    assert heard.moment(9.0, end=True) == 4.75
    assert heard.shrunk(0.95, 2.3) == (1.0, 2.25)
    assert heard.shrunk(1.6, 1.7) == (1.6, 1.7)
    assert sounding(np.zeros(1600, np.float32)).runs == ()


def test_a_window_holds_so_much_sound_from_a_moment_on() -> None:
    parts = [noise(0.5, seed=1), silence(1.0), noise(0.5, seed=2), silence(2.0), noise(0.5, seed=3)]
    sound = sounding(join(*parts).samples)
    assert sound.runs == ((0, 55), (145, 205), (395, 450))
    assert sound.window(0.0, 70).runs == ((0, 55), (145, 160))
    assert not sound.window(0.0, 70).is_last
    assert sound.window(0.25, 40).runs == ((25, 55), (145, 155))
    assert sound.window(1.0, 60).runs == ((145, 205),)
    assert sound.window(2.05, 55).is_last
    assert sound.window(4.5, 10).runs == ()
    window = sound.window(1.6, 100)
    np.testing.assert_array_equal(
        window.samples,
        np.concatenate([sound.samples[160 * 160 : 205 * 160], sound.samples[395 * 160 :]]),
    )
    assert window.moment(0.5, end=False) == 4.0


def spoil(name: str) -> Callable[[Any], None]:
    """Add noise to the weight of this name, such as ``decoder.layer_norm.gamma``."""

    def change(spec: Any) -> None:
        *path, last = name.split(".")
        for step in path:
            spec = spec[int(step)] if step.isdigit() else getattr(spec, step)
        kept = getattr(spec, last)
        noise_ = np.random.default_rng(1).standard_normal(kept.shape, np.float32)
        setattr(spec, last, kept + noise_)

    return change


WEIGHTS = [
    "encoder.conv1.weight",
    "encoder.conv1.bias",
    "encoder.conv2.bias",
    "encoder.position_encodings.encodings",
    "encoder.layer_norm.gamma",
    "encoder.layer_norm.beta",
    "decoder.embeddings.weight",
    "decoder.position_encodings.encodings",
    "decoder.layer_norm.beta",
    *(
        f"{part}.layer.{layer}.{block}.{tensor}"
        for part, blocks in {
            "encoder": ("self_attention.linear.0", "self_attention.layer_norm", "ffn.linear_0"),
            "decoder": ("self_attention.linear.1", "attention.linear.0", "attention.linear.1",
                        "attention.layer_norm", "ffn.layer_norm", "ffn.linear_1"),
        }.items()
        for layer in range(2)
        for block in blocks
        for tensor in (("gamma", "beta") if block.endswith("norm") else ("weight", "bias"))
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(random_whisper: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """What a small model of random numbers, changed in one place, finds of a text in a sound."""
    size = random_whisper.Dimensions(text_tokens=300, d_model=32)
    features = np.random.default_rng(2).standard_normal((1, 80, 3000), np.float32)

    def find(change: Callable[[Any], None] | None = None) -> Any:
        folder = tmp_path_factory.mktemp("changed")
        random_whisper.make(folder, size, quantization="float32", change=change)
        model = ctranslate2.models.Whisper(str(folder), intra_threads=1)
        encoded = model.encode(ctranslate2.StorageView.from_array(features))
        start = [model_token(folder, "<|startoftranscript|>")]
        (result,) = model.align(encoded, start, [[3, 50, 7, 99, 120]], 3000)
        (folder / "model.bin").unlink()
        return result.alignments, result.text_token_probs

    return find


def model_token(folder: Path, token: str) -> int:
    from tokenizers import Tokenizer

    return int(Tokenizer.from_file(str(folder / "tokenizer.json")).token_to_id(token))


@pytest.mark.parametrize("name", WEIGHTS)
def test_each_weight_changes_what_is_found(name: str, found: Callable[..., Any]) -> None:
    assert found(spoil(name)) != found()


def test_the_alignment_heads_alone_decide_on_times(found: Callable[..., Any]) -> None:
    def other(spec: Any) -> None:
        spec.config.alignment_heads = [[0, 1]]

    (pairs, probabilities), (plain, same) = found(other), found()
    assert pairs != plain
    assert probabilities == same
