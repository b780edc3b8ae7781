"""Words and their times, from tokens of every kind of vocabulary."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech_provider_sherpa.words import (
    LAST_TOKEN_S,
    LONGEST_TOKEN_S,
    Token,
    spread,
    tokens,
    words,
)

TABLE = [
    ("hello world", [" hel", "lo", " world"], ["hello", "world"]),
    ("hello world", ["\u2581hel", "lo", "\u2581world"], ["hello", "world"]),
    ("hello world", ["hel", "lo", " ", "wor", "ld"], ["hello", "world"]),
    ("HELLO WORLD", [" HE", "LL", "O", " WORLD"], ["HELLO", "WORLD"]),
    ("lo", ["l", "o"], ["lo"]),
    ("It's, well, done.", [" It", "'", "s", ",", " well", ",", " done", "."], "It's, well, done."),
    ("one , two", [" one", " ,", " two"], ["one,", "two"]),
    ("\u4f60\u597d", ["\u4f60", "\u597d"], ["\u4f60", "\u597d"]),
    ("\u4f60\u597d\u3002", ["\u4f60", "\u597d", "\u3002"], ["\u4f60", "\u597d\u3002"]),
    ("\u4f60\u597d", ["\u4f60\u597d"], ["\u4f60\u597d"]),
    ("\u4eca\u5929 monday", ["\u4eca", "\u5929", "mon@@", "day"], ["\u4eca", "\u5929", "monday"]),
    ("hello wor", ["hello", "wor@@"], ["hello", "wor"]),
    (
        "the day before \u4eca\u5929",
        [" the", " day", " be", "fore", " \u4eca", "\u5929"],
        ["the", "day", "before", "\u4eca", "\u5929"],
    ),
    ("ok\u5427", [" ok", "\u5427"], ["ok", "\u5427"]),
    ("\u5427ok", ["\u5427", "ok"], ["\u5427", "ok"]),
    ("\uc548\ub155 \ud558", [" \uc548", "\ub155", " \ud558"], ["\uc548\ub155", "\ud558"]),
    ("\u4f60", ["<0xE4>", "<0xBD>", "<0xA0>"], ["\u4f60"]),
    ("a\u4f60b", [" a", "<0xE4>", "<0xBD>", "<0xA0>", "b"], ["a", "\u4f60", "b"]),
    ("of the", [" of the"], ["of the"]),
]


def heard(texts: list[str]) -> list[Token]:
    return [Token(text=text, start=0.1 * place) for place, text in enumerate(texts)]


@pytest.mark.parametrize(("text", "parts", "expected"), TABLE)
def test_tokens_make_words(text: str, parts: list[str], expected: list[str] | str) -> None:
    found = words(text, heard(parts), 100.0)
    wanted = expected.split() if isinstance(expected, str) else expected
    assert [word.text for word in found] == wanted
    assert found[0].start == 0.0
    assert found[-1].end == pytest.approx(0.1 * (len(parts) - 1) + LAST_TOKEN_S)


def test_a_word_goes_from_its_first_token_to_the_next_word() -> None:
    parts = [
        Token(text=" hel", start=0.4, logprob=math.log(0.9)),
        Token(text="lo", start=0.6, logprob=math.log(0.4)),
        Token(text=" you", start=0.8, logprob=0.0),
        Token(text=" there", start=3.0),
    ]
    hello, you, there = words("hello you there", parts, 3.1)
    assert (hello.start, hello.end) == (0.4, 0.8)
    assert hello.probability == pytest.approx(0.6)
    assert (you.start, you.end) == (0.8, pytest.approx(0.8 + LONGEST_TOKEN_S))
    assert you.probability == 1.0
    assert (there.start, there.end) == (3.0, 3.1)
    assert there.probability is None


def test_known_durations_are_kept() -> None:
    parts = [Token(text=" a", start=0.0, duration=0.08), Token(text=" b", start=1.0, duration=0.9)]
    first, second = words("a b", parts, 1.5)
    assert first.end == 0.08
    assert second.end == 1.5


def test_punctuation_that_the_text_lacks_is_left_out() -> None:
    parts = heard([",", " '", " one", "'", "s", "."])
    (word,) = words("one's.", parts, 10.0)
    assert (word.text, word.start) == ("one's.", 0.2)
    assert [word.text for word in words("' one's.", parts, 10.0)] == ["'", "one's."]


def test_a_text_that_is_not_its_tokens_shares_their_time() -> None:
    found = words("in 1999", heard([" in", " nineteen", " ninety", " nine"]), 10.0)
    assert [word.text for word in found] == ["in", "1999"]
    assert found[0].start == 0.0
    assert found[0].end == found[1].start == pytest.approx(0.5 / 3)
    assert found[1].end == pytest.approx(0.5)


def test_without_times_there_are_no_tokens() -> None:
    assert tokens(["a", "b"], []) == []
    assert words("a b", [], 1.0) == ()
    assert [word.start for word in spread("a bc", 1.0, 4.0)] == [1.0, 2.0]
    assert spread("", 0.0, 1.0) == ()


def test_lists_of_other_lengths_are_left_out() -> None:
    (token,) = tokens(["a"], [0.5], durations=[0.1, 0.2], logprobs=[])
    assert token == Token(text="a", start=0.5)


PIECES = st.text("ab \u2581\u4f60\u597d\u3042,.'@", max_size=3)


@given(
    texts=st.lists(PIECES, max_size=12),
    text=st.text("ab \u4f60\u597d\u3042,.'", max_size=12),
    gaps=st.lists(st.floats(0.0, 2.0), min_size=12, max_size=12),
    joined=st.booleans(),
)
def test_no_letter_is_lost_and_times_run_forward(
    texts: list[str], text: str, gaps: list[float], joined: bool
) -> None:
    parts, time = [], 0.0
    for piece, gap in zip(texts, gaps, strict=False):
        parts.append(Token(text=piece, start=time))
        time += gap
    said = "".join(texts).replace("\u2581", " ") if joined else text
    found = words(said, parts, time + 0.1)
    if parts:
        assert "".join("".join(word.text.split()) for word in found) == "".join(said.split())
    for word in found:
        assert 0.0 <= word.start <= word.end <= time + 0.1
    for before, after in pairwise(found):
        assert before.start <= after.start
