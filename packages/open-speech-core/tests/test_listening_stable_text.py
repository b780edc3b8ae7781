"""Text that settles: deltas are never taken back, and together they are the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._listening.stable_text import StableText

_WORDS = st.lists(st.sampled_from(["a", "be", "see", "Dee,", "e.", "日", "本", "ff"]), max_size=8)
_TEXTS = st.lists(_WORDS.map(" ".join), max_size=8)


@given(heard=_TEXTS, final=_WORDS.map(" ".join))
def test_the_deltas_are_the_text_whatever_is_heard(heard, final):
    text, deltas = StableText(), []
    for each in heard:
        deltas.append(text.update(each))
        assert "".join(deltas) == text.text
    deltas.append(text.finish(final))
    assert "".join(deltas) == text.text
    assert text.unstable == ""


@given(final=_WORDS.map(" ".join))
def test_what_is_heard_at_once_is_the_text(final):
    text = StableText()
    text.finish(final)
    assert text.text == final


@given(words=_WORDS)
def test_a_text_that_only_grows_is_never_changed(words):
    whole, text = " ".join(words), StableText()
    for count in range(len(words)):
        text.update(" ".join(words[:count]))
    text.finish(whole)
    assert text.text == whole


def test_two_decodings_have_to_agree_and_the_last_word_waits():
    text = StableText()
    assert text.update("the quick") == ""
    assert text.unstable == "the quick"
    assert text.update("the quick brown") == "the quick"
    assert text.unstable == " brown"
    assert text.update("the quick brow") == ""
    assert text.update("the quick brown fox") == ""
    assert text.update("the quick brown fox jumps") == " brown fox"
    assert text.finish("the quick brown fox jumps.") == " jumps."


def test_nothing_settles_where_it_may_not():
    text = StableText()
    text.update("one two three", settle=False)
    assert text.update("one two three", settle=False) == ""
    assert text.text == ""
    assert text.unstable == "one two three"


@pytest.mark.parametrize(
    ("stable", "final", "text"),
    [
        ("turn of the", "Turn off the light.", "turn of the light."),
        ("I have", "Well, I have seen it", "I have seen it"),
        ("one two three", "one three four", "one two three four"),
        ("one two", "", "one two"),
        ("to be or not", "to be, or not to be", "to be or not to be"),
    ],
)
def test_a_final_text_that_differs_goes_on_where_the_stable_one_ends(stable, final, text):
    stays = StableText()
    stays.finish(stable)
    stays.finish(final)
    assert stays.text == text


def test_scripts_without_spaces_settle_by_character():
    text = StableText()
    text.update("今日は")
    assert text.update("今日は良い") == "今日は"
    assert text.finish("今日は良い天気") == "良い天気"
