"""Cues: how transcripts and spoken texts are cut to be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._types.audio import Word
from open_speech._types.transcription import Segment
from open_speech.transcripts.cues import (
    CUE_LINES,
    CUE_S,
    LINE_COLUMNS,
    Cue,
    columns,
    cues_of_speech,
    cues_of_transcript,
)

RUN_ON = (
    "When the committee met again in the old town hall with the windows open and the rain falling "
    "on the square and the clerk reading out the long list of names, nobody could remember who had "
    "asked the question or why the letter had been sent to the north, while the carts were still "
    "waiting at the mill and the children were seen near the bridge until the bells began to ring."
)


def heard(text: str, start: float = 0.0, word_s: float = 0.3, gap_after: str = "") -> Segment:
    """A segment with the times of its words; two seconds of silence behind one of them."""
    words, at = [], start
    for each in text.split():
        words.append(Word(text=each, start=at, end=at + word_s))
        at += word_s + (2.0 if each == gap_after else 0.0)
    return Segment(text=f" {text}", start=start, end=at, words=tuple(words))


def spoken(text: str, gap_after: str = "") -> list[Word]:
    """Every word of a text, 0.4 s each; a second of silence behind one of them."""
    words, seconds = [], 0.0
    for match in re.finditer(r"[\w']+", text):
        words.append(Word(text=match[0], start=seconds, end=seconds + 0.4, span=match.span()))
        seconds += 1.4 if match[0] == gap_after else 0.4
    return words


def texts(cues: Sequence[Cue]) -> list[str]:
    return [cue.text for cue in cues]


def check(cues: Sequence[Cue]) -> None:
    """What holds for every cue of every text."""
    latest = 0.0
    for cue in cues:
        assert 1 <= len(cue.lines) <= CUE_LINES
        assert all(line and columns(line) <= LINE_COLUMNS for line in cue.lines)
        assert latest <= cue.start <= cue.end <= cue.start + CUE_S + 1e-9
        latest = cue.end


@pytest.mark.parametrize("timed", [True, False])
def test_a_sentence_without_end_becomes_cues_of_two_lines(timed: bool) -> None:
    segment = heard(RUN_ON) if timed else Segment(text=RUN_ON, start=0.0, end=25.0)
    cues = cues_of_transcript([segment])
    check(cues)
    assert " ".join(texts(cues)) == RUN_ON
    assert len(cues) >= 5
    assert any(cue.text.endswith("names,") for cue in cues)
    for cue in cues:
        assert len(cue.text.split()) > 2
        if len(cue.lines) == 2:
            assert abs(len(cue.lines[0]) - len(cue.lines[1])) < LINE_COLUMNS // 2


def test_words_on_both_sides_of_a_silence_are_never_in_one_cue() -> None:
    segment = heard("Well yes I do not think so", gap_after="do")
    assert texts(cues_of_transcript([segment])) == ["Well yes I do", "not think so"]


LATE = Segment(
    text=" Yes. Hello there. Stop now.",
    start=0.0,
    end=13.2,
    words=tuple(
        Word(text=text, start=start, end=end)
        for text, start, end in [
            ("Yes.", 0.0, 2.0),  # reaches into the silence
            ("Hello", 2.0, 5.9),  # begins in it
            ("there.", 5.9, 6.2),
            ("Stop", 12.6, 12.8),  # begins behind it
            ("now.", 12.8, 13.0),
        ]
    ),
)


@pytest.mark.parametrize("timed", [True, False])
def test_cues_begin_and_end_with_the_sound(timed: bool) -> None:
    segment = LATE if timed else Segment(text=LATE.text, start=0.0, end=13.0)
    cues = cues_of_transcript([segment], [(0.6, 5.6), (6.5, 12.4), (13.0, 14.0)])
    assert texts(cues) == ["Yes.", "Hello there.", "Stop now."]
    assert [(cue.start, cue.end) for cue in cues] == [(0.0, 0.6), (5.6, 6.5), (12.4, 13.0)]


def test_a_segment_without_word_times_stays_by_itself() -> None:
    parts = [Segment(text="one", start=0, end=1), Segment(text="two", start=1, end=2)]
    assert texts(cues_of_transcript(parts)) == ["one", "two"]


def test_a_sentence_over_several_segments_is_cut_as_one() -> None:
    cues = cues_of_transcript([heard("The rain fell on", 0.0), heard("the square.", 1.2)])
    assert texts(cues) == ["The rain fell on the square."]


@pytest.mark.parametrize(
    "text", ["Mr. Smith met Dr. Jones at St. John St.", "Take vitamin C. helps you.", "z. B. so"]
)
def test_a_stop_within_a_sentence_is_no_end(text: str) -> None:
    assert texts(cues_of_transcript([heard(text)])) == [text]


def test_short_sentences_share_a_cue() -> None:
    assert texts(cues_of_transcript([heard("No. Yes. I see.")])) == ["No. Yes. I see."]


def test_words_that_are_not_the_text_count_as_none() -> None:
    words = (Word(text="five", start=0.0, end=1.0), Word(text="dollars", start=1.0, end=2.0))
    cues = cues_of_transcript([Segment(text="$5 please", start=0.0, end=2.0, words=words)])
    assert cues == [Cue(start=0.0, end=2.0, lines=("$5 please",))]


def test_what_is_wider_than_a_line_is_broken_behind_a_sign() -> None:
    address = "https://example.org/a/very/long/path/that/goes/on?with=query&and=more&values=here"
    cues = cues_of_transcript([Segment(text=f"See {address} now.", start=0.0, end=6.0)])
    check(cues)
    lines = [line for cue in cues for line in cue.lines]
    assert "".join(lines).replace(" ", "") == f"See{address}now."
    assert "https://example.org/a/very/long/path/that/" in lines


CHINESE = (
    "今天天气很好，我们去公园散步吧，然后一起吃饭，晚上看电影，明天再去图书馆看书。他说「你好」。"  # noqa: RUF001
)


@pytest.mark.parametrize("timed", [True, False])
def test_ideographs_take_two_columns_and_need_no_spaces(timed: bool) -> None:
    words = tuple(
        Word(text=each, start=0.2 * n, end=0.2 * n + 0.2) for n, each in enumerate(CHINESE)
    )
    segment = Segment(text=CHINESE, start=0.0, end=0.2 * len(CHINESE), words=words if timed else ())
    cues = cues_of_transcript([segment])
    check(cues)
    lines = [line for cue in cues for line in cue.lines]
    assert "".join(lines) == CHINESE
    assert not any(line[0] in "，。」" or line[-1] == "「" for line in lines)  # noqa: RUF001


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour ! Ça va « bien » ? " * 4 + "Oui !",
        "¿Qué tal? ¡Hola!",
        "מה שלומך? אני בסדר.",
        " ".join(["- Yes! - No?"] * 9),
    ],
)
def test_marks_stay_with_their_words(text: str) -> None:
    cues = cues_of_transcript([heard(text, word_s=0.1)])
    assert " ".join(texts(cues)) == text
    lines = [line for cue in cues for line in cue.lines]
    assert not any(line[0] in "!?»" or line[-1] in "«¿¡-" for line in lines)


@pytest.mark.parametrize(("text", "wide"), [("é", 1), ("漢字", 4), ("e\u0301", 1), ("\u200ba", 1)])
def test_columns_are_those_of_a_terminal(text: str, wide: int) -> None:
    assert columns(text) == wide


PLAIN = ["a", "word", "extraordinarily", "end.", "why?", "well,", "—", "今天", "«", "»", "25%"]
WORDS = st.sampled_from([*PLAIN, "x" * 50, "https://example.org/" + "path/" * 20])
PAUSES = st.lists(st.floats(0.0, 60.0), max_size=6, unique=True).map(
    lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


def bare(text: str) -> str:
    return "".join(text.split())


@given(
    st.lists(st.tuples(st.lists(WORDS, max_size=40), st.booleans(), st.floats(0, 2)), max_size=5),
    PAUSES,
)
def test_no_transcript_loses_a_character(
    parts: list[tuple[list[str], bool, float]], pauses: list[tuple[float, float]]
) -> None:
    segments, at = [], 0.0
    for words, timed, word_s in parts:
        text = " ".join(words)
        segment = heard(text, at, word_s)
        at = segment.end
        segments.append(segment if timed else Segment(text=text, start=segment.start, end=at))
    cues = cues_of_transcript(segments, pauses)
    check(cues)
    assert bare("".join(texts(cues))) == bare("".join(each.text for each in segments))
    heard_until = max([at, *(silent for silent, _ in pauses)])
    assert all(cue.end <= heard_until + 1e-6 for cue in cues)


@given(
    st.text(max_size=80),
    st.lists(st.tuples(st.text(max_size=5), st.floats(-1, 9), st.floats(-1, 9)), max_size=8),
    PAUSES,
)
def test_whatever_engines_say_can_be_cut(
    text: str, words: list[tuple[str, float, float]], pauses: list[tuple[float, float]]
) -> None:
    given_words = tuple(Word(text=each, start=start, end=end) for each, start, end in words)
    check(cues_of_transcript([Segment(text=text, start=0.0, end=5.0, words=given_words)], pauses))


def test_a_cue_ends_with_its_sentence_and_keeps_its_marks() -> None:
    text = 'She said: "Hello there!" Then (softly) nothing. And you?'
    cues = cues_of_speech(text, spoken(text))
    assert texts(cues) == ['She said: "Hello there!"', "Then (softly) nothing.", "And you?"]
    assert [round(cue.start, 1) for cue in cues] == [0.0, 1.6, 2.8]


def test_a_cue_ends_before_a_silence() -> None:
    text = "one two three four"
    cues = cues_of_speech(text, spoken(text, gap_after="two"))
    assert texts(cues) == ["one two", "three four"]


def test_what_stands_by_itself_is_not_shown() -> None:
    text = "one [pause:300ms] two-three"
    words = [
        Word(text="one", start=0.0, end=0.4, span=(0, 3)),
        Word(text="two", start=0.5, end=0.7, span=(18, 21)),
        Word(text="three", start=0.7, end=0.9, span=(22, 27)),
    ]
    assert texts(cues_of_speech(text, words)) == ["one two-three"]


@given(st.lists(st.sampled_from(["a", "word", "extraordinarily", "end.", "why?"]), max_size=200))
def test_speech_is_cut_without_losing_a_word(parts: list[str]) -> None:
    text = " ".join(parts)
    cues = cues_of_speech(text, spoken(text))
    check(cues)
    assert " ".join(texts(cues)) == text


def test_a_cue_is_never_of_two_speakers() -> None:
    said = [
        Segment(text=" How are", start=0.0, end=0.6, speaker="A"),
        Segment(text=" you?", start=0.6, end=1.0, speaker="A"),
        Segment(text=" Fine.", start=1.0, end=1.4, speaker="B"),
        Segment(text=" Good.", start=1.4, end=1.8, speaker="A"),
    ]
    timed = [
        replace(each, words=(Word(text=each.text.strip(), start=each.start, end=each.end),))
        for each in said
        if " " not in each.text.strip()
    ]
    for segments in (said, timed):
        found = cues_of_transcript(segments)
        assert [cue.speaker for cue in found][-3:] == ["A", "B", "A"]
        assert [cue.text for cue in found][-2:] == ["Fine.", "Good."]
