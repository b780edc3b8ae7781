# ruff: noqa: RUF001 - signs of many scripts are what this is about
from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._synthesis.utterances import Edit, Utterance, original_words
from open_speech._types.audio import Word


def engine(*texts: str) -> list[Word]:
    return [Word(text=text, start=float(i), end=i + 0.5) for i, text in enumerate(texts)]


def edit(start: int, end: int, source_start: int, source_end: int, shown: str | None = None):
    return Edit(start=start, end=end, source_start=source_start, source_end=source_end, shown=shown)


def told(text: str, piece: Utterance, *words: str) -> list[tuple[str, float, float]]:
    found = original_words(text, piece, engine(*words))
    return [(word.text, word.start, word.end) for word in found]


def test_plain_words_are_those_of_the_text_without_punctuation():
    text = 'He said: "Hello, world!" (twice).'
    found = original_words(
        text, Utterance(text=text), engine("he", "said", "hello", "World", "twice")
    )
    assert [word.text for word in found] == ["He", "said", "Hello", "world", "twice"]
    assert all(text[slice(*word.span)] == word.text for word in found)


def test_a_piece_in_the_middle_of_the_text():
    text = "First. Second one."
    found = original_words(text, Utterance(text="Second one.", start=7), engine("Second", "one"))
    assert [(word.text, word.span) for word in found] == [("Second", (7, 13)), ("one", (14, 17))]


def test_words_of_a_number_become_the_number():
    piece = Utterance(text="I have twenty five cats", edits=(edit(7, 18, 7, 9),))
    words = ("I", "have", "twenty", "five", "cats")
    assert told("I have 25 cats", piece, *words) == [
        ("I", 0.0, 0.5),
        ("have", 1.0, 1.5),
        ("25", 2.0, 3.5),
        ("cats", 4.0, 4.5),
    ]


def test_signs_stay_with_their_word():
    text = "Pay $5.25, -3 or 50% of #1!"
    told_words = told(text, Utterance(text=text), "pay", "5.25", "3", "or", "50", "of", "1")
    assert [word for word, *_ in told_words] == ["Pay", "$5.25", "-3", "or", "50%", "of", "#1"]


def test_a_sign_alone_is_a_word():
    piece = Utterance(text="this and that", edits=(edit(5, 8, 5, 6),))
    assert [word for word, *_ in told("this & that", piece, "this", "and", "that")] == [
        *("this", "&", "that")
    ]


def test_parts_of_a_word_become_one():
    assert told("I don't", Utterance(text="I don't"), "I", "do", "n't") == [
        ("I", 0.0, 0.5),
        ("don't", 1.0, 2.5),
    ]
    assert told("twenty-five", Utterance(text="twenty-five"), "twenty", "five") == [
        ("twenty-five", 0.0, 1.5)
    ]


def test_several_words_in_one_stay_together():
    text = "in New\n York now"
    piece = Utterance(text="in New York now", edits=(edit(6, 7, 6, 8),))
    assert told(text, piece, "in", "New York", "now") == [
        ("in", 0.0, 0.5),
        ("New York", 1.0, 1.5),
        ("now", 2.0, 2.5),
    ]


def test_an_unknown_word_stands_for_what_is_between_its_neighbours():
    text = "In 1999 it rained."
    assert told(text, Utterance(text=text), "in", "nineteen", "ninety-nine", "it", "rained") == [
        ("In", 0.0, 0.5),
        ("1999", 1.0, 2.5),
        ("it", 3.0, 3.5),
        ("rained", 4.0, 4.5),
    ]
    assert told("So", Utterance(text="So"), "um", "so") == [("So", 1.0, 1.5)]
    assert told("Yes", Utterance(text="Yes"), "no") == [("Yes", 0.0, 0.5)]


def test_a_part_of_another_word_is_not_the_word():
    text = "hat at atom"
    assert told(text, Utterance(text=text), "hat", "at", "atom") == [
        ("hat", 0.0, 0.5),
        ("at", 1.0, 1.5),
        ("atom", 2.0, 2.5),
    ]


def test_a_word_left_out_joins_the_one_before_it():
    text = "one two three"
    assert told(text, Utterance(text=text), "one", "three") == [
        ("one two", 0.0, 0.5),
        ("three", 1.0, 1.5),
    ]
    assert told(text, Utterance(text=text), "two") == [("one two three", 0.0, 0.5)]


def test_a_piece_without_words_is_one():
    text = "Well. (One, two!)"
    found = original_words(text, Utterance(text="(One, two!)", start=6), [], 2.5)
    assert [(word.text, word.start, word.end) for word in found] == [("One, two", 0.0, 2.5)]
    assert original_words("...", Utterance(text="..."), [], 2.5) == ()


def test_a_word_that_stands_for_markup_is_not_made_of_it():
    text = "one <b>two</b> three"
    piece = Utterance(text="one two three", edits=(edit(4, 4, 4, 7, ""), edit(7, 7, 10, 14, "")))
    assert told(text, piece, "one", "three") == [("one two", 0.0, 0.5), ("three", 1.0, 1.5)]


def test_a_pronunciation_is_its_word():
    text = "The [Worcester](/a bˈʊstər/) a road"
    found = original_words(text, Utterance(text=text), engine("the", "worcester", "a", "road"))
    assert [(word.text, word.span) for word in found] == [
        ("The", (0, 3)),
        ("Worcester", (5, 14)),
        ("a", (29, 30)),
        ("road", (31, 35)),
    ]


def test_markup_inside_a_word_is_not_shown():
    text = "un<b>believ</b>able AT&amp;T"
    piece = Utterance(
        text="unbelievable AT&T",
        edits=(edit(2, 2, 2, 5, ""), edit(8, 8, 11, 15, ""), edit(15, 16, 22, 27, "&")),
    )
    found = original_words(text, piece, engine("unbelievable", "AT&T"))
    assert [(word.text, word.span) for word in found] == [
        ("unbelievable", (0, 19)),
        ("AT&T", (20, 28)),
    ]


def test_scripts_without_spaces_keep_the_engines_words():
    text = "今天天气很好。"
    words = ["今天", "天气", "很", "好"]
    assert [word for word, *_ in told(text, Utterance(text=text), *words)] == words


def test_a_dash_divides_words():
    text = "yes—no"
    assert [word for word, *_ in told(text, Utterance(text=text), "yes", "no")] == ["yes", "no"]


def test_the_lowest_probability_is_kept():
    words = [
        Word(text="do", start=0, end=1, probability=0.5),
        Word(text="n't", start=1, end=2, probability=0.75),
    ]
    assert original_words("don't", Utterance(text="don't"), words) == (
        Word(text="don't", start=0, end=2, probability=0.5, span=(0, 5)),
    )


@pytest.mark.parametrize("word", ["", "...", " ", "\0"])
def test_a_word_of_nothing_is_nothing(word):
    assert told("Hi. There", Utterance(text="Hi. There"), "Hi", word, "there") == [
        ("Hi", 0.0, 0.5),
        ("There", 2.0, 2.5),
    ]


texts = st.text(st.sampled_from("aAbİß 1.,-'&$好\n[](/)—"), max_size=60)


@given(texts, st.lists(st.text(st.sampled_from("aAbİß1.-'好"), max_size=4), max_size=20))
def test_any_words_give_words_in_order_at_their_own_times(text, words):
    found = original_words(text, Utterance(text=text), engine(*words))
    spans = [word.span for word in found]
    assert all(start < end for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    times = [time for word in found for time in (word.start, word.end)]
    assert times == sorted(times)
    assert {word.start for word in found} <= {0.0, *(float(i) for i in range(len(words)))}
    assert {word.end for word in found} <= {0.0, *(i + 0.5 for i in range(len(words)))}
    assert letters("".join(word.text for word in found)) == letters(text)


SAID = ["NASA's", "team", "C.", "z.", "B.", "$5", "1,234", "“Well”", "—", "😀", "50%", "e.g.", "好"]


@given(st.data())
def test_no_word_is_lost_whatever_an_engine_leaves_out(data):
    said = data.draw(st.lists(st.sampled_from(SAID), max_size=15))
    parts = [part for word in said for part in word.replace("'", " ").split()]
    told_words = [word for word in parts if data.draw(st.booleans())]
    text = " ".join(said)
    found = original_words(text, Utterance(text=text), engine(*told_words), 9.0)
    assert letters("".join(word.text for word in found)) == letters(text)


def letters(text):
    return "".join(filter(str.isalnum, text))


@given(st.lists(st.text(st.sampled_from("abcß9好"), min_size=1, max_size=8), max_size=20))
def test_words_as_they_are_come_back(words):
    text = " ".join(words)
    assert [word for word, *_ in told(text, Utterance(text=text), *words)] == words


@pytest.mark.parametrize("unit", ["a ", "a", "a-", "好", "[a](/b/) ", "x y "])
def test_many_words_are_no_work(unit):
    text = unit * 20_000
    piece = Utterance(text=text, edits=tuple(edit(i, i + 1, i, i + 1) for i in range(0, 20_000, 2)))
    begin = time.process_time()
    found = original_words(text, piece, engine(*["a", "zz"] * 10_000))
    # A few seconds; whatever is not linear takes minutes.
    assert time.process_time() - begin < 60
    assert found
