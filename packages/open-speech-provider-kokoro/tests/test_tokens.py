"""Cutting into chunks, and the times of words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from open_speech_provider_kokoro._tokens import Token, chunks, known, symbols_of, timed_words

TOKENS = st.lists(
    st.builds(
        Token,
        text=st.sampled_from(["word", "a", ",", "."]),
        symbols=st.one_of(st.text("abc", max_size=30), st.sampled_from([",", ".", ")", ""])),
        space=st.booleans(),
    ),
    max_size=30,
)


@given(tokens=TOKENS, limit=st.integers(1, 40))
def test_chunks_keep_everything_in_order_and_within_the_limit(
    tokens: list[Token], limit: int
) -> None:
    cut = list(chunks(tokens, limit))
    assert all(cut)
    assert all(len(symbols_of(chunk)) <= limit for chunk in cut)
    assert "".join(t.symbols for chunk in cut for t in chunk) == "".join(t.symbols for t in tokens)
    assert "".join(t.text for chunk in cut for t in chunk) == "".join(t.text for t in tokens)


def said(text: str) -> list[Token]:
    """Letters as symbols, marks apart."""
    spaced = text.replace(",", " ,").replace(".", " .").replace(")", " )").split()
    return [
        Token(word, word, space=following[0] not in ",.)" if following else False)
        for word, following in zip(spaced, [*spaced[1:], ""], strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "limit", "first"),
    [
        ("one. two, three four", 18, "one."),
        ("one, two three four", 16, "one,"),
        ("one two three four", 16, "one two three"),
        ("(one.) two three", 13, "(one.)"),
    ],
)
def test_cuts_at_the_best_place(text: str, limit: int, first: str) -> None:
    assert symbols_of(next(chunks(said(text), limit))) == first


def test_unknown_symbols_are_left_out() -> None:
    assert known([Token("x", "aʘb", space=True)], {"a": 1, "b": 2}) == [Token("x", "ab", True)]


@given(seed=st.integers(0, 1_000))
def test_times_are_those_of_the_stock_pipeline(seed: int) -> None:
    from kokoro.pipeline import KPipeline
    from misaki.en import MToken

    random = np.random.default_rng(seed)
    count = int(random.integers(1, 8))
    # Each followed by a space but the last: where the stock code does not count it.
    words = ["w" * int(random.integers(1, 6)) for _ in range(count)]
    tokens = [Token(word, word, index + 1 < count) for index, word in enumerate(words)]
    frames = random.integers(1, 9, len(symbols_of(tokens)) + 2)
    stock = [MToken(t.text, "", " " * t.space, phonemes=t.symbols) for t in tokens]
    KPipeline.join_timestamps(stock, torch.tensor(frames))
    words_timed = timed_words(tokens, frames)
    assert [word.text for word in words_timed] == words
    assert [word.start for word in words_timed] == pytest.approx([t.start_ts for t in stock])
    assert [word.end for word in words_timed] == pytest.approx([t.end_ts for t in stock])


def test_a_word_is_what_stands_between_spaces_without_its_marks() -> None:
    tokens = [
        Token("“", "“", False),
        Token("$", "", False),
        Token("5", "fIv", False),
        Token(",", ",", True),
        Token("&", "and", True),
        Token("—", "—", True),
        Token("ok", "OkA", False),
        Token(".", ".", True),
        Token("on it", "OnIt", False, sure=False),
    ]
    frames = np.full(len(symbols_of(tokens)) + 2, 4)
    words = timed_words(tokens, frames)
    assert [word.text for word in words] == ["$5", "&", "ok"]
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0


@given(tokens=TOKENS, seed=st.integers(0, 100))
def test_times_never_run_backwards(tokens: list[Token], seed: int) -> None:
    frames = np.random.default_rng(seed).integers(1, 9, len(symbols_of(tokens)) + 2)
    words = timed_words(tokens, frames)
    total = frames.sum() / 40
    for before, after in pairwise(words):
        assert before.end <= after.start + 1e-9
    assert all(0 <= word.start <= word.end <= total + 1e-9 for word in words)
