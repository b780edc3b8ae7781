"""Words are given to speakers by time; a segment is cut where the speaker changes."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Segment, Word
from open_speech.speakers.diarization import Turn
from open_speech.speakers.joining import SpeakerOfWords


def turns(*spans: tuple[float, float, str]) -> list[Turn]:
    return [Turn(start=start, end=end, speaker=speaker) for start, end, speaker in spans]


def segment(text: str, *times: tuple[float, float], **more: object) -> Segment:
    """A segment whose words, split at white space, have these times."""
    words = tuple(
        Word(text=word, start=start, end=end)
        for word, (start, end) in zip(text.split(), times, strict=True)
    )
    return Segment(text=text, start=words[0].start, end=words[-1].end, words=words, **more)  # type: ignore[arg-type]


def split(found: list[Turn], spoken: Segment) -> list[tuple[str | None, str]]:
    return [(part.speaker, part.text) for part in SpeakerOfWords(found).split(spoken)]


SECONDS = ((0.0, 0.9), (1.0, 1.9), (2.0, 2.9), (3.0, 3.9))
AB = turns((0.0, 2.0, "A"), (2.0, 4.0, "B"))


def test_a_segment_is_cut_where_the_speaker_changes():
    parts = SpeakerOfWords(AB).split(segment(" How are you? Fine.", *SECONDS))
    assert [(each.speaker, each.text) for each in parts] == [
        ("A", " How are"),
        ("B", " you? Fine."),
    ]
    assert [(each.start, each.end) for each in parts] == [(0.0, 1.9), (2.0, 3.9)]
    assert [[word.text for word in each.words] for each in parts] == [
        ["How", "are"],
        ["you?", "Fine."],
    ]


def test_a_segment_of_one_speaker_stays_whole():
    spoken = segment("one two", (0.1, 0.5), (0.6, 1.0), tokens=(1, 2))
    (part,) = SpeakerOfWords(AB).split(spoken)
    assert part.speaker == "A"
    assert part.tokens == (1, 2)


def test_without_words_a_segment_belongs_to_whoever_speaks_for_most_of_it():
    assert split(AB, Segment(text="one two", start=0.5, end=3.9)) == [("B", "one two")]


def test_words_that_are_not_the_text_do_not_cut_it():
    words = tuple(Word(text="other", start=start, end=end) for start, end in SECONDS)
    spoken = Segment(text="one two three four", start=0.0, end=3.0, words=words)
    assert split(AB, spoken) == [("A", "one two three four")]


@pytest.mark.parametrize(
    ("word", "speaker"),
    [
        ((0.0, 0.5), "A"),
        ((1.5, 2.2), "A"),
        ((1.8, 2.4), "B"),
        ((4.9, 5.0), "B"),  # a silence behind B
        ((6.5, 6.9), "C"),  # one before C
        ((100.0, 101.0), "C"),
        ((0.5, 0.5), "A"),  # without a length
        ((4.0, 4.0), "B"),
    ],
)
def test_a_word_belongs_to_whoever_speaks_then_or_next_to_it(word, speaker):
    found = [*AB, *turns((7.0, 8.0, "C"))]
    assert split(found, segment("word", word)) == [(speaker, "word")]


def test_a_short_interjection_keeps_its_speaker():
    found = turns((0.0, 10.0, "A"), (2.0, 2.9, "B"))
    spoken = segment("and so yes we went", *SECONDS, (4.0, 4.9))
    assert split(found, spoken) == [("A", "and so"), ("B", " yes"), ("A", " we went")]


def test_where_two_speak_for_long_whoever_spoke_before_goes_on():
    found = turns((0.0, 6.0, "A"), (1.9, 9.0, "B"))
    spoken = segment("and so yes we went on", *SECONDS, (4.0, 4.9), (7.0, 7.9))
    assert split(found, spoken) == [("A", "and so yes we went"), ("B", " on")]


def test_who_speaks_is_carried_from_segment_to_segment():
    owners = SpeakerOfWords(turns((0.0, 6.0, "A"), (2.0, 9.0, "B")))
    first, second = segment("one", (1.0, 1.5)), segment("two", (3.0, 3.5))
    assert [owners.split(each)[0].speaker for each in (first, second)] == ["A", "A"]


def test_if_nobody_was_found_one_speaker_says_it_all():
    assert split([], segment("one two", (0.0, 1.0), (1.0, 2.0))) == [("A", "one two")]


def test_what_cannot_be_cut_stays_with_the_first_part():
    spoken = segment("a b c d", *SECONDS, tokens=(1, 2, 3))
    first, second = SpeakerOfWords(AB).split(spoken)
    assert (first.tokens, second.tokens) == ((1, 2, 3), ())


@pytest.mark.parametrize(
    ("text", "words", "parts"),
    [
        ("你好吗很好", ["你好", "吗", "很", "好"], ["你好吗", "很好"]),
        ('Well. "So', ["Well", "So"], ["Well.", ' "So']),
        ("«Non!» dit-il", ["Non", "dit-il"], ["«Non!»", " dit-il"]),
        ("  one   two  ", ["one", "two"], ["  one", "   two  "]),
    ],
)
def test_signs_stay_with_the_word_at_which_they_stand(text, words, parts):
    times = [
        (index * 4.0 / len(words), (index + 1) * 4.0 / len(words)) for index in range(len(words))
    ]
    timed = tuple(
        Word(text=word, start=start, end=end)
        for word, (start, end) in zip(words, times, strict=True)
    )
    spoken = Segment(text=text, start=0.0, end=4.0, words=timed)
    assert [text for _, text in split(AB, spoken)] == parts


WORDS = st.lists(st.from_regex(r"[a-z]{1,5}[.,!?]?", fullmatch=True), min_size=1, max_size=15)
SPANS = st.lists(
    st.tuples(st.integers(0, 120), st.integers(1, 60), st.sampled_from("ABC")), max_size=8
)


@given(WORDS, st.lists(st.integers(0, 12), min_size=15, max_size=15), SPANS, st.randoms())
def test_nothing_is_lost_or_said_twice(words, lengths, spans, random):
    at, timed = 0.0, []
    for word, length in zip(words, lengths, strict=False):
        timed.append(Word(text=word, start=at, end=at + length / 10))
        at += length / 10 + random.choice([0.0, 0.0, 0.7])
    text = "".join(random.choice([" ", "  ", ' "']) + word for word in words)
    spoken = Segment(text=text, start=0.0, end=at, words=tuple(timed))
    found = turns(*((s / 10, (s + n) / 10, who) for s, n, who in spans))
    parts = SpeakerOfWords(found).split(spoken)
    assert "".join(part.text for part in parts) == text
    assert [word for part in parts for word in part.words] == timed
    assert all(re.search(r"\w", part.text) for part in parts)
    assert all(part.start <= part.end for part in parts)
    assert all(one.speaker != other.speaker for one, other in pairwise(parts))
    assert {part.speaker for part in parts} <= ({each.speaker for each in found} or {"A"})


@pytest.mark.parametrize(
    ("first_of_b", "cut"),
    [
        (4, "There"),  # exact
        (5, "There"),  # a word too late
        (6, "There"),
        (3, "Really?"),  # a sentence of one word
        (8, "about"),  # not an edge any more
        (1, "sounds"),
    ],
)
def test_a_sentence_is_kept_whole_where_only_its_edge_differs(first_of_b, cut):
    text = "That sounds fine. Really? There were forty people about outside in the rain. Yes."
    words = text.split()
    times = [(n * 0.5, n * 0.5 + 0.4) for n in range(len(words))]
    edge = first_of_b * 0.5 - 0.05
    found = turns((0.0, edge, "A"), (edge, 20.0, "B"))
    _, (speaker, rest) = split(found, segment(text, *times))
    assert (speaker, rest.split()[0]) == ("B", cut)


def test_the_end_of_a_sentence_is_not_given_to_who_answers():
    text = "How long will the repair take today? Two hours."
    times = [(n * 0.5, n * 0.5 + 0.4) for n in range(9)]
    found = turns((0.0, 2.95, "A"), (2.95, 9.0, "B"))
    assert split(found, segment(text, *times)) == [
        ("A", "How long will the repair take today?"),
        ("B", " Two hours."),
    ]
    whole = segment("How long will the repair take today?", *times[:7])
    assert split(found, whole) == [("A", whole.text)]  # who goes on is known by the turns


def test_a_word_that_is_said_to_begin_too_early_counts_by_its_end():
    found = turns((0.0, 2.5, "A"), (3.4, 6.0, "B"))
    assert split(found, segment("There", (2.0, 3.6))) == [("B", "There")]
