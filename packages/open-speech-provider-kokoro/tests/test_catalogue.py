"""What is offered: names, voices, sources."""

from __future__ import annotations

from collections import Counter

import pytest

from open_speech import Capability
from open_speech.voices.resolve import resolve_voice
from open_speech_provider_kokoro.catalogue import KOKORO
from open_speech_provider_kokoro.voices import GAINS_DB, LANGUAGES, VOICES, letter_of


def test_there_are_54_voices_in_nine_languages() -> None:
    assert len({voice.id for voice in VOICES}) == 54
    counts = Counter(voice.id[0] for voice in VOICES)
    # As counted in VOICES.md of the repository.
    assert counts == {"a": 20, "b": 8, "e": 3, "f": 1, "h": 4, "i": 2, "j": 5, "p": 3, "z": 8}
    assert len(KOKORO.languages) == 9
    for voice in VOICES:
        assert voice.languages == (LANGUAGES[voice.id[0]].tag,)
        assert voice.gender == {"f": "female", "m": "male"}[voice.id[1]]


OPENAI_VOICES = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer",
    "verse", "marin", "cedar",
)  # fmt: skip


def test_every_voice_carries_the_gain_that_was_measured() -> None:
    gains = {voice.id: voice.gain_db for voice in VOICES}
    assert gains == GAINS_DB
    assert gains["if_sara"] < gains["am_michael"] - 6  # the loudest and one of the softest
    assert all(abs(gain) <= 8 for gain in gains.values())


def test_every_openai_name_is_a_voice() -> None:
    assert set(KOKORO.voice_aliases) == set(OPENAI_VOICES)
    assert resolve_voice(KOKORO, "onyx", None) == "bm_george"
    assert resolve_voice(KOKORO, "default", None) == "af_heart"
    assert resolve_voice(KOKORO, "nova(2) - alloy", None) == "bf_isabella(2)-am_adam(1)"


def test_nothing_is_fetched_that_is_no_source() -> None:
    weights, tagger = KOKORO.sources
    assert weights.repo_id == "hexgrad/Kokoro-82M"
    assert set(weights.files) == {"config.json", "kokoro-v1_0.pth", "voices/*.pt"}
    assert tagger.repo_id == "spacy/en_core_web_sm"
    assert not any(".whl" in name or "pkl" in name for name in tagger.files)
    assert KOKORO.size_bytes == sum(source.size_bytes or 0 for source in KOKORO.sources)


def test_it_mixes_voices_and_keeps_seeds() -> None:
    assert {Capability.VOICE_BLEND, Capability.SEED} <= KOKORO.capabilities


@pytest.mark.parametrize(
    ("tag", "letter"),
    [
        ("en", "a"), ("en-US", "a"), ("en-gb", "b"), ("en_AU", "b"), ("pt", "p"), ("fr-CA", "f"),
        ("zh-Hans-CN", "z"), ("cmn", "z"), ("ja-JP", "j"), ("de", None), ("eng", None),
    ],
)  # fmt: skip
def test_tags_find_their_language(tag: str, letter: str | None) -> None:
    assert letter_of(tag) == letter
