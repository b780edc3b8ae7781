"""Recordings that are longer than the model hears at once, with a scripted model and a real one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech import AlignmentRequest, Audio, Segment, Word
from open_speech.errors import InvalidRequest
from open_speech.testing import join, noise, silence
from open_speech_provider_whisper import _alignment
from open_speech_provider_whisper._silence import FRAME, Sound, Window, _runs
from open_speech_provider_whisper._windows import MARGIN_S, Placed, counts, keep, walk
from open_speech_provider_whisper.model import WhisperModel

WINDOW_S = 30.0
VOCABULARY = [
    "river", "mountain", "seventeen", "garden", "window", "yellow", "bridge", "thunder", "paper",
    "silver", "orange", "kettle", "morning", "engine", "hollow", "market", "candle", "pocket",
    "winter", "lantern",
]  # fmt: skip
CLIPS = {
    clip["file"]: clip
    for clip in json.loads((Path(__file__).parent / "data/audio/manifest.json").read_bytes())
}


class Script:
    """A speaker whose words and times are known, and a model that understands some of it."""

    def __init__(self, words: Sequence[Word], seconds: float, *, wrong: float = 0.0) -> None:
        self.words = words
        self.windows: list[Window] = []
        self._wrong = wrong
        self._random = random.Random(len(words))
        loud = np.zeros(round(seconds * 100), np.bool_)
        for word in words:
            loud[round(word.start * 100) : round(word.end * 100)] = True
        samples = np.zeros(len(loud) * FRAME, np.float32)
        self.sound = Sound(samples=samples, loud=loud, runs=_runs(loud))

    def room(self, window: Window, first: int) -> int:
        return min(150, len(self.words) - first)

    def heard(self, window: Window, first: int) -> str:
        """What lies in the window, each word misheard as likely as was asked for."""
        self.windows.append(window)
        said = [each for each in self.words if window.start <= each.start + 0.06 < window.end]
        return " ".join(self._understood(each.text) for each in said)

    def placed(self, window: Window, first: int, last: int) -> list[Placed]:
        """Words that lie behind the window crowd at its end, as a model has them."""
        return [
            Placed(
                word=Word(
                    text=word.text,
                    start=min(word.start, window.end),
                    end=min(word.end, window.end),
                ),
                token_probabilities=(1.0,),
            )
            for word in self.words[first:last]
        ]

    def _understood(self, text: str) -> str:
        if self._random.random() >= self._wrong:
            return text
        return self._random.choice(["", "Hm,", *VOCABULARY])


def speech(count: int, *, pauses: Callable[[int], float], begin: float = 0.5) -> list[Word]:
    """So many words of 0.3 s, each with a pause behind it."""
    words, chosen = list[Word](), random.Random(count)
    for index in range(count):
        words.append(Word(text=chosen.choice(VOCABULARY), start=begin, end=begin + 0.3))
        begin = round(begin + 0.3 + pauses(index), 2)
    return words


def walked(script: Script) -> list[Word]:
    texts = [word.text for word in script.words]
    steps = list(walk(script.sound, texts, script, round(WINDOW_S * 100)))
    assert all(steps)
    return [placed.word for step in steps for placed in step]


@pytest.mark.parametrize("wrong", [0.0, 0.3])
@pytest.mark.parametrize("pause", [0.0, 0.2, 3.0])
def test_every_word_of_a_long_recording_is_placed_once(wrong: float, pause: float) -> None:
    words = speech(500, pauses=lambda index: pause if index % 9 == 8 else 0.0)
    script = Script(words, words[-1].end + 1, wrong=wrong)
    assert walked(script) == words
    assert len(script.windows) >= 150 // WINDOW_S


@settings(max_examples=40)
@given(
    count=st.integers(1, 250),
    pauses=st.lists(st.sampled_from([0.0, 0.05, 0.25, 0.6, 4.0, 35.0]), min_size=1, max_size=9),
    wrong=st.sampled_from([0.0, 0.1, 0.4]),
)
def test_errors_of_the_model_mend_themselves(count: int, pauses: list[float], wrong: float) -> None:
    words = speech(count, pauses=lambda index: pauses[index % len(pauses)])
    assert walked(Script(words, words[-1].end + 1, wrong=wrong)) == words


def test_windows_are_cut_at_pauses() -> None:
    words = speech(300, pauses=lambda index: 0.4 if index % 10 == 9 else 0.0)
    script = Script(words, words[-1].end)
    walked(script)
    ends = {word.end for word in words[9::10]}
    assert len(script.windows) > 2
    assert all(window.after in ends for window in script.windows[1:])


def test_an_introduction_is_passed_over_and_what_follows_the_text_is_left_alone() -> None:
    words = speech(400, pauses=lambda _: 0.0)
    script = Script(words, 200.0)
    script.words = words[150:250]  # the rest sounds, and nobody knows what it says

    def heard(window: Window, first: int) -> str:
        return " ".join(word.text for word in words if window.start <= word.start < window.end)

    script.heard = heard  # type: ignore[method-assign]
    assert walked(script) == words[150:250]


def test_a_recording_of_something_else_is_refused_at_once() -> None:
    script = Script(speech(1000, pauses=lambda _: 0.0), 300.0)
    understood = script.heard
    script.heard = lambda *place: understood(*place)[::-1]  # type: ignore[method-assign]
    with pytest.raises(InvalidRequest, match=r"Up to 86 s .* how the text goes on") as caught:
        walked(script)
    assert caught.value.param == "text"
    assert len(script.windows) == 3


def test_windows_are_asked_for_one_by_one() -> None:
    words = speech(1000, pauses=lambda _: 0.0)
    script = Script(words, 300.0)
    steps = walk(script.sound, [word.text for word in words], script, round(WINDOW_S * 100))
    assert len(next(steps)) > 50
    assert len(script.windows) == 1


def test_words_at_the_end_of_a_window_wait_for_the_next() -> None:
    words = speech(100, pauses=lambda _: 0.0)
    script = Script(words, 30.5)
    window = script.sound.window(0.0, 3000)
    placed = script.placed(window, 0, 100)
    kept = keep(placed, 95, window)
    assert words[kept - 1].end <= window.end - MARGIN_S < words[kept].end
    assert keep(placed, 5, window) == 5
    late = [Placed(word=word.shifted(20.0), token_probabilities=(1.0,)) for word in words[:30]]
    assert keep(late, 20, window) > 0
    assert keep(late[27:], 1, window) == 0  # another window begins there
    only = [Placed(word=Word(text="x", start=0.5, end=29.5), token_probabilities=(1.0,))]
    assert keep(only, 1, window) == 1


@pytest.mark.parametrize(
    ("heard", "text", "found"),
    [
        ("the quick brown fox jumps over the lazy dog", "The quick, brown fox JUMPS over", (4, 6)),
        ("", "the quick brown fox", (0, 0)),
        ("something else is said", "the quick brown fox jumps over the lazy dog", (0, 0)),
        ("and now quick brown fox jumps over", "quick brown fox jumps over the lazy", (3, 6)),
        ("twenty-five red apples on the table", "twenty five red apples on the table here", (5, 8)),
        ("the quick fox jumps over", "the quick brown fox jumps over the lazy dog", (4, 7)),
        ("你好世界今天天气很好我们去公园", "你好世界, 今天天气很好 我们去公园散步 明天见", (1, 3)),
        ("yes", "yes no maybe", (0, 0)),
        ("- quick brown fox", "— quick brown fox —", (2, 5)),
    ],
)
def test_letters_tell_how_far_the_text_goes(heard: str, text: str, found: tuple[int, int]) -> None:
    assert counts(heard, text.split(), whole=False, due=False) == found


def test_what_is_due_is_not_looked_for_far_ahead() -> None:
    text, heard = ["seven", "eight", "nine", "ten"], "one two three four five six " * 3
    heard += "seven eight nine ten"
    assert counts(heard, text, whole=False, due=False) == (1, 4)
    assert counts(heard, text, whole=False, due=True) == (0, 0)
    assert counts(f"so {' '.join(text)}", text, whole=False, due=True) == (1, 4)


def test_the_end_of_the_text_needs_nothing_behind_it() -> None:
    assert counts("one two three and more", ["one", "two", "three"], whole=True, due=True) == (3, 3)
    assert counts("one two tree and more", ["one", "two", "three"], whole=True, due=True) == (3, 3)
    assert counts("one", ["one", "two", "three", "four"], whole=True, due=True) == (0, 0)
    assert counts("yes", ["yes"], whole=True, due=True) == (1, 1)
    assert counts("nothing", ["yes"], whole=True, due=True) == (0, 0)
    assert counts("", ["—"], whole=True, due=True) == (1, 1)


def long_recording(recording: Callable[[str], Audio], times: int) -> tuple[Audio, list[Word]]:
    """So many times 25 seconds, with 0.7 s between the clips, and the words in it."""
    names = [
        "digits_us_m4.wav",
        "command_lights_gb_edward.wav",
        "two_phrases_2s_pause_gb_m4.wav",
        "digits_us_m4.wav",
        "short_yes_us_m4.wav",
        "command_lights_gb_edward.wav",
        "two_phrases_2s_pause_gb_m4.wav",
    ]
    parts, words, begin = list[Audio](), list[Word](), 0.0
    for name in names * times:
        parts += [recording(name), silence(0.7)]
        for word in CLIPS[name]["words"]:
            known = Word(text=word["word"], start=word["start"], end=word["end"])
            words.append(known.shifted(begin))
        begin += parts[-2].seconds + 0.7
    return join(*parts), words


def test_a_long_recording_is_aligned_by_a_real_model(
    model: WhisperModel, recording: Callable[[str], Audio], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With short windows: the model of the tests understands little in long ones."""
    audio, words = long_recording(recording, 2)
    monkeypatch.setattr(_alignment, "MAX_SECONDS", 6.0)
    text = " ".join(word.text for word in words)
    _, *segments = model.align(AlignmentRequest(audio=audio, text=text))
    assert len(segments) > 3
    assert all(isinstance(segment, Segment) for segment in segments)
    found = [word for segment in segments for word in segment.words]  # type: ignore[union-attr]
    assert [word.text for word in found] == [word.text for word in words]
    assert " ".join(segment.text for segment in segments) == text  # type: ignore[union-attr]
    assert all(one.start <= other.start for one, other in pairwise(found))
    errors = [abs(word.start - known.start) for word, known in zip(found, words, strict=True)]
    assert np.mean(errors) < 0.3
    assert np.percentile(errors, 90) < 0.5


def test_a_long_recording_without_the_text_is_refused(multilingual: WhisperModel) -> None:
    request = AlignmentRequest(
        audio=noise(130.0), text="What is written here is said nowhere. " * 20, language="en"
    )
    with pytest.raises(InvalidRequest, match="does not say how the text goes on: 'What is"):
        list(multilingual.align(request))


def test_a_text_that_outlasts_the_recording_is_refused(
    model: WhisperModel, recording: Callable[[str], Audio], monkeypatch: pytest.MonkeyPatch
) -> None:
    audio, words = long_recording(recording, 1)
    monkeypatch.setattr(_alignment, "MAX_SECONDS", 6.0)
    text = " ".join([*(word.text for word in words), *(["seven"] * 400)])
    events = model.align(AlignmentRequest(audio=audio, text=text))
    with pytest.raises(InvalidRequest, match=r"too long for .* behind the first \d+"):
        list(events)
