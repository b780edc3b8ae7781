# ruff: noqa: RUF001 - signs of many scripts are what this is about
from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
import regex
import sentencex
from hypothesis import given, settings
from hypothesis import strategies as st

from open_speech.text import Sentence, SentenceSplitter, split_sentences
from open_speech.text import sentences as module

FRAGMENTS = [
    *("Dr. ", "Hello ", "there. ", "3.14 ", "e.g. ", "Why? ", "No!", "... ", "… ", ", ", "; "),
    *(
        '"',
        "“",
        "”",
        "«",
        "」",
        "「",
        "(",
        ") ",
        "1. ",
        "- ",
        "• ",
        "你好",
        "。",
        "，",
        "यह है। ",
        "مرحبا؟ ",
    ),
    *(
        "\n",
        "\n\n",
        "\r\n",
        "   ",
        " " * 13,
        "\t",
        "\u2029",
        "\0",
        "\ud800",
        "\u200d",
        "a",
        "x" * 30,
    ),
    *("é", "e\u0301", "👩\u200d👩\u200d👧", "🇩🇪"),
]
texts = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(FRAGMENTS)).map("".join))
limits = st.integers(16, 120)


def texts_of(pieces: list[Sentence]) -> list[str]:
    return [piece.text for piece in pieces]


def feed_in_parts(splitter: SentenceSplitter, parts: Iterator[str]) -> list[Sentence]:
    pieces = [piece for part in parts for piece in splitter.feed(part)]
    return pieces + splitter.finish()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Hello there. How are you?", ["Hello there.", "How are you?"]),
        ("en", "Dr. Smith met Mrs. Jones. He left.", ["Dr. Smith met Mrs. Jones.", "He left."]),
        ("en", "It costs 3.14 dollars, e.g. today.", ["It costs 3.14 dollars, e.g. today."]),
        ("en", "J. R. R. Tolkien wrote it. Good.", ["J. R. R. Tolkien wrote it.", "Good."]),
        ("en-US", "Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("en", "See www.example.com now. Bye.", ["See www.example.com now.", "Bye."]),
        (
            "en",
            'He said "Go away. Now." and left. Fine.',
            ['He said "Go away. Now." and left.', "Fine."],
        ),
        ("de", "Am 3. Mai kam er z. B. nicht. Ende.", ["Am 3. Mai kam er z. B. nicht.", "Ende."]),
        ("de", "Gut, er kam 3. Mai an. Ende.", ["Gut, er kam 3. Mai an.", "Ende."]),
        (
            "en",
            'He said "Go away. I have seen you before. I will not again." and left. Fine.',
            ['He said "Go away. I have seen you before. I will not again." and left.', "Fine."],
        ),
        (
            "de",
            "Er sagte: „Geh weg. Sofort, sage ich.“ Dann ging er heim.",
            ["Er sagte: „Geh weg. Sofort, sage ich.“", "Dann ging er heim."],
        ),
        ("zh", "你好。今天天气很好！是吗？是。", ["你好。", "今天天气很好！", "是吗？", "是。"]),
        (
            "ja",
            "「はい。そうです。」と言った。終わり！",
            ["「はい。そうです。」", "と言った。", "終わり！"],
        ),
        ("hi", "यह एक वाक्य है। यह दूसरा है।", ["यह एक वाक्य है।", "यह दूसरा है।"]),
        ("ar", "مرحبا. كيف حالك؟ بخير.", ["مرحبا.", "كيف حالك؟", "بخير."]),
        ("tlh", "Qapla'. Another one. 好。好。", ["Qapla'.", "Another one.", "好。", "好。"]),
        (None, "One. Two.\n\nThree", ["One.", "Two.", "Three"]),
        ("en", "A title\nThe text", ["A title", "The text"]),
        ("en", "Buy milk\r\nBuy bread\r\n", ["Buy milk", "Buy bread"]),
        ("en", "A short line\ngoes on.", ["A short line\ngoes on."]),
        ("en", "A short line\r\ngoes on.", ["A short line\r\ngoes on."]),
        ("en", "A short line\n\ndoes not.", ["A short line", "does not."]),
        (
            "en",
            "A line of a letter that was wrapped at seventy two characters by\nJohn ends here.",
            ["A line of a letter that was wrapped at seventy two characters by\nJohn ends here."],
        ),
        (
            "en",
            "A sentence ends within a line. The line was wrapped by\nJohn.",
            ["A sentence ends within a line.", "The line was wrapped by\nJohn."],
        ),
        ("en", "to a line" + " " * 20 + "\n" + " " * 20 + "or two", ["to a line", "or two"]),
        ("en", "", []),
        ("en", " \n\t \u2029 ", []),
    ],
)  # fmt: skip
def test_sentences_of_a_whole_text_and_of_its_letters(language, text, expected):
    assert texts_of(split_sentences(text, language)) == expected
    assert texts_of(feed_in_parts(SentenceSplitter(language), iter(text))) == expected


def test_a_long_text_is_split_like_a_short_one():
    sentences = ["Hello there, Dr. Smith.", 'He said "No. Not today." and left.', "Why?"]
    text = " ".join(sentences * 500)
    assert texts_of(split_sentences(text)) == sentences * 500


@given(texts, limits)
def test_only_space_is_between_the_pieces(text, max_chars):
    pieces = split_sentences(text, max_chars=max_chars)
    ends = [0, *(piece.end for piece in pieces)]
    starts = [*(piece.start for piece in pieces), len(text)]
    assert all(text[piece.start : piece.end] == piece.text for piece in pieces)
    gaps = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    assert not "".join(gaps).strip()
    assert all(end <= start for end, start in zip(ends, starts, strict=True))


@given(texts, limits)
def test_pieces_are_neither_blank_nor_too_long(text, max_chars):
    for piece in split_sentences(text, max_chars=max_chars):
        assert 0 < len(piece.text) <= max_chars
        assert piece.text == piece.text.strip()


@settings(max_examples=300)
@given(texts, limits, st.booleans(), st.data())
def test_how_the_text_was_cut_up_makes_no_difference(text, max_chars, short, data):
    first = data.draw(st.integers(16, max_chars)) if short else None
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    parts = (text[a:b] for a, b in pairwise([0, *cuts, len(text)]))

    def splitter() -> SentenceSplitter:
        return SentenceSplitter("en", max_chars=max_chars, first_max_chars=first)

    whole = feed_in_parts(splitter(), iter([text]))
    assert feed_in_parts(splitter(), parts) == whole
    assert feed_in_parts(splitter(), iter(text)) == whole


@given(texts, limits)
def test_a_first_piece_cut_short_leaves_the_other_ends_where_they_were(text, max_chars):
    short = SentenceSplitter(max_chars=200, first_max_chars=max_chars)
    ends = [piece.end for piece in feed_in_parts(short, iter([text]))]
    plain = [piece.end for piece in split_sentences(text, max_chars=200)]
    if max(map(len, text.split("\n")), default=0) < 150:  # nothing else is cut
        assert [end for end in ends if end not in plain] in ([], ends[:1])


def test_a_sentence_comes_out_as_soon_as_what_follows_shows_its_end():
    splitter = SentenceSplitter("en")
    assert splitter.feed("We met Dr") == []
    assert splitter.feed(". Smith, who is well") == []
    assert splitter.feed(". ") == []
    assert texts_of(splitter.feed("Then we left")) == ["We met Dr. Smith, who is well."]
    assert texts_of(splitter.finish()) == ["Then we left"]


def test_a_number_that_arrives_in_halves_stays_whole():
    splitter = SentenceSplitter("en")
    assert splitter.feed("Pi is 3.") == []
    assert splitter.feed("14") == []
    assert texts_of(splitter.finish()) == ["Pi is 3.14"]


def test_text_after_finish_begins_a_new_sentence_of_the_same_text():
    splitter = SentenceSplitter("en")
    splitter.feed("One, two")
    assert splitter.finish() == [Sentence(text="One, two", start=0)]
    splitter.feed(" three.")
    assert splitter.finish() == [Sentence(text="three.", start=9)]


LONG = "The first clause is here, and the second one follows it, until the third one ends it all."


def test_the_first_piece_is_cut_at_a_clause_before_the_sentence_is_complete():
    splitter = SentenceSplitter("en", first_max_chars=40)
    assert texts_of(splitter.feed(LONG[:80])) == ["The first clause is here,"]
    assert texts_of(splitter.feed(LONG[80:] + " Next. " + LONG) + splitter.finish()) == [
        "and the second one follows it, until the third one ends it all.",
        "Next.",
        LONG,
    ]


def test_a_cut_inside_a_quotation_does_not_end_it():
    text = '"Oh well then, I went. You stayed there." Then he left.'
    splitter = SentenceSplitter("en", first_max_chars=20)
    assert texts_of(feed_in_parts(splitter, iter(text))) == [
        '"Oh well then,',
        'I went. You stayed there."',
        "Then he left.",
    ]


def test_the_first_piece_is_left_whole_without_a_clause():
    text = "This one has no clause at all before it comes to its end. So it is."
    splitter = SentenceSplitter("en", first_max_chars=40)
    assert texts_of(feed_in_parts(splitter, iter([text]))) == [text[:57], "So it is."]


def test_a_long_sentence_is_cut_at_clauses_then_at_spaces():
    assert texts_of(split_sentences(LONG, max_chars=60)) == [
        "The first clause is here, and the second one follows it,",
        "until the third one ends it all.",
    ]
    assert texts_of(split_sentences("seven letters " * 3, max_chars=30)) == [
        "seven letters seven letters",
        "seven letters",
    ]
    assert texts_of(
        split_sentences("これは長い文です、とても長い文です、終わり。", max_chars=16)
    ) == [
        "これは長い文です、",
        "とても長い文です、終わり。",
    ]


def test_a_thousands_separator_is_no_clause():
    text = "There are 1,000,000 of them in all the world now"
    assert all(
        "1,000,000" in t or "1" not in t for t in texts_of(split_sentences(text, max_chars=16))
    )


@pytest.mark.parametrize("cluster", ["e\u0301", "👩\u200d👩\u200d👧", "🇩🇪", "👍🏽", "각", "நி"])
def test_a_cut_in_a_long_word_never_divides_a_character(cluster):
    text = cluster * 200
    clusters = regex.findall(r"\X", text)
    pieces = texts_of(split_sentences(text, max_chars=17))
    assert [part for piece in pieces for part in regex.findall(r"\X", piece)] == clusters
    assert "".join(pieces) == text


@pytest.mark.parametrize("first", [8, 500])
def test_limits_that_make_no_sense_are_refused(first):
    with pytest.raises(ValueError, match="first_max_chars"):
        SentenceSplitter(first_max_chars=first)
    with pytest.raises(ValueError, match="max_chars"):
        SentenceSplitter(max_chars=15)


NASTY = {
    "prose": "Hello there, my friend. How are you today? ",
    "one word": "a",
    "emoji": "😀",
    "zalgo": "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306",
    "marks alone": "\u0300",
    "joiners": "👩\u200d",
    "stops": ".",
    "stops and letters": "a.",
    "abbreviations": "Dr. ",
    "open quotes": '"a. ',
    "curly quotes": "“a. ",
    "brackets": "(",
    "numbers": "1. ",
    "bullets": "- a ",
    "lines": "a\n",
    "line ends": "\n",
    "spaces": " ",
    "spaced stops": ".              ",
    "commas": "a, ",
    "devanagari": "यह एक वाक्य है। ",
    "chinese": "你好。",
    "surrogates": "\ud800",
    "entities": "&lol9;",
}


@pytest.mark.parametrize("unit", NASTY.values(), ids=NASTY.keys())
@pytest.mark.parametrize("step", [1, 1_000_000])
def test_the_work_is_linear_and_the_memory_bounded(unit, step, monkeypatch):
    handed = []
    ask = sentencex.get_sentence_boundaries

    def counting(language: str, text: str) -> object:
        handed.append(len(text))
        return ask(language, text)

    monkeypatch.setattr(module.sentencex, "get_sentence_boundaries", counting)

    def work(size: int) -> int:
        handed.clear()
        text = (unit * size)[:size]
        splitter = SentenceSplitter("en", first_max_chars=60)
        for start in range(0, size, step):
            splitter.feed(text[start : start + step])
            assert len(splitter._text) < 1200
        splitter.finish()
        return sum(handed)

    once, twice = work(10_000), work(20_000)
    assert twice <= 2.2 * once + 5000
    assert twice <= 8 * 20_000 + 5000


@pytest.mark.parametrize("unit", ["a", "😀", NASTY["zalgo"], NASTY["prose"]])
def test_a_million_characters_come_back_complete(unit):
    text = (unit * 1_000_000)[:1_000_000]
    pieces = split_sentences(text)
    assert sum(len(piece.text.split()) for piece in pieces) >= len(text.split())
    assert "".join("".join(texts_of(pieces)).split()) == "".join(text.split())
