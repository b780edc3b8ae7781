"""Known text: its own words with the engine's times, or a reason why not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import AlignmentRequest, Audio, Segment, TranscriptionRequest, Word
from open_speech.errors import InvalidRequest
from open_speech.testing import join, silence
from open_speech_provider_pocketsphinx import alignment
from open_speech_provider_pocketsphinx.model import PocketsphinxModel

Recording = Callable[[str], Audio]
DICTIONARY = {"it", "it's", "is", "late", "well", "known", "o'clock"}


def aligned(model: PocketsphinxModel, audio: Audio, text: str) -> Segment:
    (segment,) = filter(None, model.align(AlignmentRequest(audio=audio, text=text)))
    assert isinstance(segment, Segment)
    return segment


def test_words_come_as_they_are_written(model: PocketsphinxModel, recording: Recording) -> None:
    audio = recording("late")
    segment = aligned(model, audio, " It is - late, my FRIEND!\n")
    assert segment.text == "It is - late, my FRIEND!"
    assert [word.text for word in segment.words] == ["It", "is", "-", "late,", "my", "FRIEND!"]
    assert segment.words[2].start == segment.words[2].end == segment.words[1].end
    assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)
    assert segment.words[-1].end <= audio.seconds
    assert all(word.start <= after.start for word, after in pairwise(segment.words))


def test_a_pause_between_words_is_found(model: PocketsphinxModel, recording: Recording) -> None:
    first, second = recording("open"), recording("close")
    audio = join(first, silence(2.0), second)
    segment = aligned(model, audio, "Open the window. Close the door now.")
    assert segment.words[2].end <= first.seconds + 0.1
    assert segment.words[3].start == pytest.approx(first.seconds + 2.0, abs=0.15)


def test_what_was_aligned_before_does_not_matter(
    model: PocketsphinxModel, recording: Recording
) -> None:
    audio = recording("late")
    free = list(filter(None, model.transcribe(TranscriptionRequest(audio=audio))))
    assert aligned(model, recording("open"), "Open the window.").words
    with pytest.raises(InvalidRequest):
        aligned(model, audio, "Open the window.")
    assert list(filter(None, model.transcribe(TranscriptionRequest(audio=audio)))) == free


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Open 2 blorfs, please.", "Not in the dictionary: 2, blorfs,."),
        ("Öffne", "Not in the dictionary: Öffne."),
        ("Close that door now, please.", "does not match the text"),
        ("open the window " * 20, "does not match the text"),
        ("", "no word"),
        (" ... — !", "no word"),
    ],
)
def test_what_cannot_be_aligned_is_refused(
    model: PocketsphinxModel, recording: Recording, text: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest, match=reason) as caught:
        aligned(model, recording("open"), text)
    assert caught.value.param == "text"


@pytest.mark.parametrize("seconds", [0.0, 1.0, alignment.MAX_SECONDS + 1])
def test_silence_and_endless_sound_are_refused(model: PocketsphinxModel, seconds: float) -> None:
    with pytest.raises(InvalidRequest):
        aligned(model, silence(seconds), "yes")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("It\u2019s", ["it's"]),
        ("“LATE”,", ["late"]),
        ("well-known", ["well", "known"]),
        ("o'clock's", None),
        ("'late'", ["late"]),
        ("<late>", ["late"]),
        ("…", []),
        ("is/late", ["is", "late"]),
        ("well-what", None),
    ],
)
def test_words_are_looked_up_without_what_is_not_said(word: str, said: list[str] | None) -> None:
    if said is None:
        with pytest.raises(InvalidRequest, match=word):
            alignment.spoken(f"late {word}", DICTIONARY.__contains__)
    else:
        (_, found) = alignment.spoken(f"late {word}", DICTIONARY.__contains__)
        assert found == (word, said)


@given(st.lists(st.sampled_from(["it", "Late,", "-", "well-known", "(is)", "..."]), min_size=1))
def test_every_word_is_placed_in_order(words: list[str]) -> None:
    text = [*words, "late"]
    said = alignment.spoken(" ".join(text), DICTIONARY.__contains__)
    parts = [part for _, each in said for part in each]
    timed = [Word(text=part, start=i, end=i + 1.0) for i, part in enumerate(parts)]
    found = list(alignment.placed(said, timed))
    assert [word.text for word in found] == text
    assert all(word.start <= word.end <= after.end for word, after in pairwise(found))
    assert found[-1].end == len(timed)
