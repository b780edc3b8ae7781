"""What a loaded model does with a request."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from open_speech import Audio, LoadContext, SpeechRequest
from open_speech.errors import (
    AudioTooLong,
    InvalidAudio,
    InvalidRequest,
    ModelNotReady,
    TextTooLong,
    UnknownVoice,
)
from open_speech.testing import sine
from open_speech_provider_qwen3 import Qwen3Backend

Loaded = Callable[[str], Any]


def say(model: Any, **request: Any) -> np.ndarray:
    asked = SpeechRequest(**{"text": "Hello.", "voice": "ryan", "seed": 1, **request})
    return np.concatenate([audio.samples for audio in model.synthesize(asked)])


def test_sound_comes_while_it_is_made(model: Loaded) -> None:
    asked = SpeechRequest(text="Hello.", voice="ryan", seed=1)
    pieces = [len(audio.samples) // 1920 for audio in model("custom_voice").synthesize(asked)]
    assert pieces == [2, 3, 4, 3]


def test_a_seed_repeats_and_others_differ(model: Loaded) -> None:
    first, same, other = (say(model("custom_voice"), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    assert not np.array_equal(
        say(model("custom_voice"), seed=None), say(model("custom_voice"), seed=None)
    )


@pytest.mark.parametrize("seed", [-1, 0, 2**63, 2**80])
def test_any_number_is_a_seed(model: Loaded, seed: int) -> None:
    assert len(say(model("custom_voice"), seed=seed)) == 12 * 1920


def test_a_stopped_request_leaves_nothing(model: Loaded) -> None:
    whole = say(model("custom_voice"))
    stopped = model("custom_voice").synthesize(SpeechRequest(text="Other.", voice="aiden"))
    next(stopped)
    stopped.close()
    np.testing.assert_array_equal(say(model("custom_voice")), whole)


@pytest.mark.parametrize(
    "change",
    [
        {"voice": "vivian"},
        {"language": "de"},
        {"text": "Hallo."},
        {"instructions": "Whisper."},
        {"options": {"temperature": 1.5}},
    ],
)
def test_what_is_asked_is_heard(model: Loaded, change: dict[str, Any]) -> None:
    assert not np.array_equal(say(model("custom_voice")), say(model("custom_voice"), **change))


def test_a_dialect_is_that_of_its_voice(model: Loaded) -> None:
    """Chinese, said or left open, is spoken in the voice's dialect; other languages are not."""
    left_open, chinese, english = (
        say(model("custom_voice"), voice="dylan", language=tag) for tag in (None, "zh-CN", "en")
    )
    np.testing.assert_array_equal(left_open, chinese)
    assert not np.array_equal(chinese, english)


def test_marks_in_a_text_are_characters(model: Loaded) -> None:
    """A text cannot end its own turn and begin another."""
    engine = model("custom_voice")._engine
    ids = engine._prompter._tokenizer.ids("<|im_end|>")
    assert engine.config.im_end_token_id not in ids
    assert len(ids) > 1


def test_a_recording_is_imitated(model: Loaded) -> None:
    base = model("base")
    assert base.info.voices == ()
    alone = say(base, voice="default")
    low, high = (
        say(base, voice="default", reference=sine(1.0, sample_rate=24_000, frequency=hertz))
        for hertz in (150.0, 900.0)
    )
    told = say(
        base,
        voice="default",
        reference=sine(1.0, sample_rate=24_000, frequency=150.0),
        reference_text="Hm.",
    )
    sounds = [sound.tobytes() for sound in (alone, low, high, told)]
    assert len(set(sounds)) == 4
    assert {len(sound) for sound in (alone, low, high, told)} == {12 * 1920}


def test_descriptions_shape_a_voice(model: Loaded) -> None:
    design = model("voice_design")
    first, second = (say(design, voice="default", instructions=i) for i in ("Old.", "Young."))
    assert not np.array_equal(first, second)


def test_bounds_are_kept(model: Loaded) -> None:
    custom, base = model("custom_voice"), model("base")
    with pytest.raises(TextTooLong):
        say(custom, text="a" * 5000)
    with pytest.raises(TextTooLong):
        say(custom, instructions="a" * 5000)
    with pytest.raises(UnknownVoice, match="vivian"):
        say(custom, voice="nobody")
    with pytest.raises(InvalidRequest, match="nl"):
        say(custom, language="nl")
    for seconds, error in ((0.1, InvalidAudio), (61.0, AudioTooLong)):
        silence = Audio(samples=np.zeros(int(seconds * 8000), np.float32), sample_rate=8000)
        with pytest.raises(error):
            say(base, voice="default", reference=silence)


def test_speech_without_end_is_cut_off(checkpoint: Callable[..., Path]) -> None:
    """Ten seconds and one more for each character; random weights never end by themselves."""
    info = Qwen3Backend().list_available()[1]
    folder = checkpoint("custom_voice")
    loaded = Qwen3Backend().load(info, LoadContext(paths={"model": folder}, threads=1))
    asked = loaded._asked(SpeechRequest(text="Hi", voice="ryan"), loaded._ready())
    assert asked.max_new_tokens == 150
    loaded.close()


def test_closing_frees_everything(checkpoint: Callable[..., Path]) -> None:
    info = Qwen3Backend().list_available()[1]
    context = LoadContext(paths={"model": checkpoint("custom_voice")}, threads=1)
    loaded = Qwen3Backend().load(info, context)
    kept = weakref.ref(loaded._engine.talker)
    assert loaded.device_memory_bytes() == 0
    loaded.close()
    loaded.close()
    assert kept() is None
    with pytest.raises(ModelNotReady):
        say(loaded)
