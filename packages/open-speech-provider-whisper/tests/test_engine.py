"""The engine's own doings: keywords in the room there is, log-probabilities, memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Audio, VoiceActivity
from open_speech.testing import join, silence
from open_speech_provider_whisper._engine import MAX_KEYWORD_TOKENS, Engine, plain
from open_speech_provider_whisper.model import WhisperModel

Recording = Callable[[str], Audio]


@pytest.fixture(scope="module")
def engine(model: WhisperModel) -> Engine:
    assert model._engine is not None
    return model._engine


def tokens(engine: Engine, text: str) -> list[int]:
    return list(engine._whisper.hf_tokenizer.encode(text, add_special_tokens=False).ids)


def test_keywords_become_one_line(engine: Engine) -> None:
    assert engine.hotwords(()) is None
    assert engine.hotwords(("Kubernetes", " etcd ")) == "Kubernetes, etcd"


def test_the_first_keywords_are_kept(engine: Engine) -> None:
    many = [f"word{number}" for number in range(500)]
    line = engine.hotwords(many)
    assert line is not None
    kept = line.split(", ")
    assert 5 < len(kept) < 100
    assert kept == many[: len(kept)]
    assert engine.hotwords(["x" * 5000]) is None


@given(st.lists(st.text(max_size=30), max_size=30))
def test_any_keywords_leave_room_and_are_no_marks(engine: Engine, keywords: list[str]) -> None:
    line = engine.hotwords(keywords) or ""
    found = tokens(engine, f" {line}")
    assert len(found) <= MAX_KEYWORD_TOKENS
    assert all(token < tokens(engine, "<|endoftext|>")[0] for token in found)


@given(st.text())
def test_plain_text_is_valid_and_stays(text: str) -> None:
    assert plain(text) == text.replace("<|", "< |").strip()


def test_plain_text_has_no_marks_and_no_halves() -> None:
    assert plain(" a<|nospeech|>b \ud800") == "a< |nospeech|>b ?"


def test_speech_is_found_where_it_is(engine: Engine, recording: Recording) -> None:
    audio = join(silence(3), recording("digits_us_m4.wav"), silence(3))
    (region,) = engine.speech(audio.samples, VoiceActivity())
    assert 2.4 * 16_000 < region.start < 3.2 * 16_000
    assert 4.9 * 16_000 < region.end < 6.0 * 16_000
    assert engine.speech(np.zeros(16_000, np.float32), VoiceActivity()) == []


def test_the_sound_is_left_as_it_was(engine: Engine, recording: Recording) -> None:
    samples = recording("digits_us_m4.wav").samples
    samples.flags.writeable = False
    regions = engine.speech(samples, VoiceActivity())
    heard = engine.hear(samples, regions, language="en")
    assert [segment.text for segment, _ in heard.segments] == [" one two three four five"]


def test_voice_activity_uses_one_thread() -> None:
    """Or it takes seconds for a minute of sound where the cores are shared."""
    from faster_whisper.vad import get_vad_model

    options = get_vad_model().session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
