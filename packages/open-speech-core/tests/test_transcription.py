"""What becomes of segments: one text, and times of the whole."""

from __future__ import annotations

import pytest

from open_speech import Partial, Segment, Word
from open_speech.transcription import gap, join_texts, later


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        (["hello", "there"], "hello there"),
        ([" hello", " there."], "hello there."),
        (["hello ", "there"], "hello there"),
        (["你好。", "再见。"], "你好。再见。"),
        (["สวัสดี", "ครับ"], "สวัสดีครับ"),
        (["", "one", "", "two", ""], "one two"),
        ([], ""),
    ],
)
def test_segments_make_one_text_in_every_script(texts, whole):
    assert join_texts(texts) == whole


def test_pieces_added_one_by_one_make_the_same_text():
    pieces = ["one", " two", "three"]
    text = ""
    for piece in pieces:
        text += gap(text, piece) + piece
    assert text == join_texts(pieces)


def test_a_later_segment_has_later_times():
    word = Word(text="a", start=0.5, end=0.75)
    moved = later(Segment(text="a", start=0.25, end=1.0, words=(word,), seek=10), 2.0)
    assert (moved.start, moved.end, moved.seek) == (2.25, 3.0, 210)
    assert (moved.words[0].start, moved.words[0].end) == (2.5, 2.75)
    partial = Partial(text="a")
    assert later(partial, 2.0) is partial
