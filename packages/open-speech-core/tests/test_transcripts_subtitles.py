"""Subtitles, read back by small parsers of the formats."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from open_speech.transcripts.cues import Cue
from open_speech.transcripts.subtitles import to_srt, to_vtt

Parsed = tuple[float, float, str]
SRT_TIMES = re.compile(
    r"(\d\d+):([0-5]\d):([0-5]\d),(\d{3}) --> (\d\d+):([0-5]\d):([0-5]\d),(\d{3})"
)
VTT_TIMES = re.compile(SRT_TIMES.pattern.replace(",", r"\."))
LINE_ENDS = re.compile(r"\r\n|\n|\r")


def seconds(hours: str, minutes: str, whole: str, thousandths: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(whole) + int(thousandths) / 1000


def parse_srt(text: str) -> list[Parsed]:
    cues: list[Parsed] = []
    for number, block in enumerate(filter(None, re.split(r"\n{2,}", text)), start=1):
        index, times, *lines = LINE_ENDS.split(block.removesuffix("\n"))
        spoken = "\n".join(lines)
        assert index == str(number)
        match = SRT_TIMES.fullmatch(times)
        assert match
        assert "-->" not in spoken
        cues.append((seconds(*match.groups()[:4]), seconds(*match.groups()[4:]), spoken))
    return cues


def parse_vtt(text: str) -> list[Parsed]:
    """As the specification's parser does it: a line with an arrow starts a cue."""
    header, *blocks = re.split(r"\n{2,}", text.removesuffix("\n\n"))
    assert header == "WEBVTT"
    cues: list[Parsed] = []
    for block in blocks:
        times, *lines = LINE_ENDS.split(block)
        spoken = "\n".join(lines)
        match = VTT_TIMES.fullmatch(times)
        assert match
        assert not re.search(r"-->|<|&(?!amp;|lt;|gt;)", spoken)
        plain = html.unescape(spoken)
        cues.append((seconds(*match.groups()[:4]), seconds(*match.groups()[4:]), plain))
    return cues


def cue(text: str, start: float = 0.0, end: float = 1.0) -> Cue:
    return Cue(lines=tuple(text.split("|")), start=start, end=end)


def test_srt_is_written_as_players_expect() -> None:
    text = to_srt([cue(" Hello.", 0.0, 1.5), cue(" Bye.", 3661.25, 360_000.0004)])
    assert text == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n01:01:01,250 --> 100:00:00,000\nBye.\n\n"
    )


def test_vtt_is_written_as_browsers_expect() -> None:
    text = to_vtt([cue("a < b & c --> d", 59.9996, 61.0)])
    assert text == "WEBVTT\n\n00:01:00.000 --> 00:01:01.000\na &lt; b &amp; c --&gt; d\n\n"


def test_a_cue_has_its_lines() -> None:
    assert to_srt([cue("One line,|another one.")]).endswith("\nOne line,\nanother one.\n\n")
    assert to_vtt([cue("One line,|another one.")]).endswith("\nOne line,\nanother one.\n\n")


def test_no_cue_ends_after_the_recording() -> None:
    text = to_srt([cue("late", 1.0, 1.0), cue("nearly", 0.9996, 0.9996), cue("none", 0.0, 0.0)])
    assert [parsed[:2] for parsed in parse_srt(text)] == [(0.999, 1.0), (0.998, 0.999), (0, 0.001)]


def test_nothing_said_is_no_cue() -> None:
    silence = [cue(""), cue(" \n\u2028 "), cue("a")]
    assert to_srt([]) == ""
    assert to_vtt([]) == "WEBVTT\n\n"
    assert [cue[2] for cue in parse_srt(to_srt(silence))] == ["a"]
    assert [cue[2] for cue in parse_vtt(to_vtt(silence))] == ["a"]


def test_a_text_cannot_pretend_to_be_a_cue() -> None:
    forged = "one\n\n2\n00:00:09,000 --> 00:00:10,000\ntwo"
    assert len(parse_srt(to_srt([cue(forged)]))) == 1
    assert len(parse_vtt(to_vtt([cue(forged.replace(",", "."))]))) == 1


cues = st.lists(
    st.builds(
        cue,
        st.text(max_size=30)
        | st.sampled_from(["-->", "--->", "\n\n1\n", "a\r\nb|c", "&amp;", "\0"]),
        st.floats(0, 1e6),
        st.floats(0, 1e6),
    ),
    max_size=5,
)


@given(cues)
def test_both_formats_read_back(shown: list[Cue]) -> None:
    for parsed, arrow in ((parse_srt(to_srt(shown)), "→"), (parse_vtt(to_vtt(shown)), "-->")):
        texts = ["\n".join(filter(None, (plain(line) for line in one.lines))) for one in shown]
        kept = [(one, text) for one, text in zip(shown, texts, strict=True) if text]
        assert len(parsed) == len(kept)
        for (start, end, text), (one, expected) in zip(parsed, kept, strict=True):
            assert 0 <= start < end
            assert end <= max(one.end, 0.001) + 1e-6
            assert abs(start - one.start) <= 0.00051 or one.end - one.start < 0.002
            assert text == expected.replace("-->", arrow).replace("\0", "\ufffd")


def plain(line: str) -> str:
    return re.sub("[^\\S\u00a0\u202f]+", " ", line).strip()


def test_the_speaker_of_a_cue_is_named() -> None:
    shown = [
        Cue(start=0.0, end=1.0, lines=("How are you?",), speaker="A"),
        Cue(start=1.0, end=2.0, lines=("Fine.", "And you?"), speaker="Tom & <Co>\n--> x"),
        Cue(start=2.0, end=3.0, lines=("Well.",)),
    ]
    assert [text for _, _, text in parse_srt(to_srt(shown))] == [
        "A: How are you?",
        "Tom & <Co> → x: Fine.\nAnd you?",
        "Well.",
    ]
    assert "<v A>How are you?\n" in to_vtt(shown)
    assert "<v Tom &amp; &lt;Co&gt; --&gt; x>Fine.\nAnd you?\n" in to_vtt(shown)
    assert "\nWell.\n" in to_vtt(shown)
