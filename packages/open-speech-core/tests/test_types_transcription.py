"""What becomes of segments: one text, and times of the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from open_speech import Segment, Word
from open_speech._types.transcription import gap, join_texts


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


def test_a_shifted_segment_keeps_all_but_its_times():
    word = Word(text="a", start=0.5, end=0.75, probability=0.5, span=(3, 4))
    segment = Segment(text="a", start=0.25, end=1.0, words=(word,), seek=10, avg_logprob=-1.0)
    moved = segment.shifted(2.0)
    shifted = replace(word, start=2.5, end=2.75)
    assert moved == replace(segment, start=2.25, end=3.0, words=(shifted,), seek=210)
    assert moved.shifted(-2.0) == segment
