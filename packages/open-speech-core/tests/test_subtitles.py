"""Subtitles, read back by small parsers of the formats."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from open_speech.audio import Word
from open_speech.subtitles import CUE_CHARS, cues_of_speech, to_srt, to_vtt
from open_speech.transcription import Segment

Cue = tuple[float, float, str]
SRT_TIMES = re.compile(
    r"(\d\d+):([0-5]\d):([0-5]\d),(\d{3}) --> (\d\d+):([0-5]\d):([0-5]\d),(\d{3})"
)
VTT_TIMES = re.compile(SRT_TIMES.pattern.replace(",", r"\."))
LINE_ENDS = re.compile(r"\r\n|\n|\r")


def seconds(hours: str, minutes: str, whole: str, thousandths: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(whole) + int(thousandths) / 1000


def parse_srt(text: str) -> list[Cue]:
    cues: list[Cue] = []
    for number, block in enumerate(filter(None, re.split(r"\n{2,}", text)), start=1):
        index, times, spoken = LINE_ENDS.split(block.removesuffix("\n"))
        assert index == str(number)
        match = SRT_TIMES.fullmatch(times)
        assert match
        assert "-->" not in spoken
        cues.append((seconds(*match.groups()[:4]), seconds(*match.groups()[4:]), spoken))
    return cues


def parse_vtt(text: str) -> list[Cue]:
    """As the specification's parser does it: a line with an arrow starts a cue."""
    header, *blocks = re.split(r"\n{2,}", text.removesuffix("\n\n"))
    assert header == "WEBVTT"
    cues: list[Cue] = []
    for block in blocks:
        times, spoken = LINE_ENDS.split(block)
        match = VTT_TIMES.fullmatch(times)
        assert match
        assert not re.search(r"-->|<|&(?!amp;|lt;|gt;)", spoken)
        plain = html.unescape(spoken)
        cues.append((seconds(*match.groups()[:4]), seconds(*match.groups()[4:]), plain))
    return cues


def segment(text: str, start: float = 0.0, end: float = 1.0) -> Segment:
    return Segment(text=text, start=start, end=end)


def test_srt_is_written_as_players_expect() -> None:
    text = to_srt([segment(" Hello.", 0.0, 1.5), segment(" Bye.", 3661.25, 360_000.0004)])
    assert text == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n01:01:01,250 --> 100:00:00,000\nBye.\n\n"
    )


def test_vtt_is_written_as_browsers_expect() -> None:
    text = to_vtt([segment("a < b & c --> d", 59.9996, 61.0)])
    assert text == "WEBVTT\n\n00:01:00.000 --> 00:01:01.000\na &lt; b &amp; c --&gt; d\n\n"


def test_nothing_said_is_no_cue() -> None:
    silence = [segment(""), segment(" \n\u2028 "), segment("a")]
    assert to_srt([]) == ""
    assert to_vtt([]) == "WEBVTT\n\n"
    assert [cue[2] for cue in parse_srt(to_srt(silence))] == ["a"]
    assert [cue[2] for cue in parse_vtt(to_vtt(silence))] == ["a"]


def test_a_text_cannot_pretend_to_be_a_cue() -> None:
    forged = "one\n\n2\n00:00:09,000 --> 00:00:10,000\ntwo"
    assert len(parse_srt(to_srt([segment(forged)]))) == 1
    assert len(parse_vtt(to_vtt([segment(forged.replace(",", "."))]))) == 1


segments = st.lists(
    st.builds(
        segment,
        st.text(max_size=30) | st.sampled_from(["-->", "--->", "\n\n1\n", "a\r\nb", "&amp;", "\0"]),
        st.floats(0, 1e6),
        st.floats(0, 1e6),
    ),
    max_size=5,
)


@given(segments)
def test_both_formats_read_back(spoken: list[Segment]) -> None:
    for cues, arrow in ((parse_srt(to_srt(spoken)), "→"), (parse_vtt(to_vtt(spoken)), "-->")):
        texts = [" ".join(map(str.strip, one.text.splitlines())).strip() for one in spoken]
        kept = [(one, text) for one, text in zip(spoken, texts, strict=True) if text]
        assert len(cues) == len(kept)
        for (start, end, text), (one, expected) in zip(cues, kept, strict=True):
            assert abs(start - one.start) <= 0.00051
            assert end > start
            assert end == start + 0.001 or abs(end - one.end) <= 0.00051 or one.end <= one.start
            assert text == expected.replace("-->", arrow).replace("\0", "\ufffd")


def spoken(text: str, gap_after: str = "") -> list[Word]:
    """Every word of a text, 0.4 s each; a second of silence behind one of them."""
    words, seconds = [], 0.0
    for match in re.finditer(r"[\w']+", text):
        words.append(Word(text=match[0], start=seconds, end=seconds + 0.4, span=match.span()))
        seconds += 1.4 if match[0] == gap_after else 0.4
    return words


def test_a_cue_ends_with_its_sentence_and_keeps_its_marks() -> None:
    text = 'She said: "Hello there!" Then (softly) nothing. And you?'
    cues = cues_of_speech(text, spoken(text))
    assert [cue.text for cue in cues] == [
        'She said: "Hello there!"',
        "Then (softly) nothing.",
        "And you?",
    ]
    assert [round(cue.start, 1) for cue in cues] == [0.0, 1.6, 2.8]


def test_a_cue_ends_before_a_silence() -> None:
    text = "one two three four"
    cues = cues_of_speech(text, spoken(text, gap_after="two"))
    assert [cue.text for cue in cues] == ["one two", "three four"]


def test_what_stands_by_itself_is_not_shown() -> None:
    text = "one [pause:300ms] two-three"
    words = [
        Word(text="one", start=0.0, end=0.4, span=(0, 3)),
        Word(text="two", start=0.5, end=0.7, span=(18, 21)),
        Word(text="three", start=0.7, end=0.9, span=(22, 27)),
    ]
    assert [cue.text for cue in cues_of_speech(text, words)] == ["one two-three"]


@given(st.lists(st.sampled_from(["a", "word", "extraordinarily", "end.", "why?"]), max_size=200))
def test_cues_are_short_and_lose_no_word(parts: list[str]) -> None:
    text = " ".join(parts)
    cues = cues_of_speech(text, spoken(text))
    assert " ".join(cue.text for cue in cues) == text
    assert all(len(cue.text) <= CUE_CHARS for cue in cues)
