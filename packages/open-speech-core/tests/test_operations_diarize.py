"""What a model that tells speakers apart may return."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from open_speech import (
    Audio,
    DiarizationRequest,
    EmbeddingRequest,
    SpeakerEmbedding,
    SpeakerTurn,
)
from open_speech._operations import DIARIZE, EMBED
from open_speech.errors import InvalidResult
from open_speech.testing import sine


class Scripted:
    def __init__(self, *results: Any) -> None:
        self._results = results

    def diarize(self, request: DiarizationRequest, sound: Iterator[Audio]) -> Iterator[Any]:
        list(sound)
        yield from self._results

    def embed(self, request: EmbeddingRequest) -> Iterator[Any]:
        yield from self._results


def turn(start: Any, end: Any, speaker: Any = 0) -> SpeakerTurn:
    return SpeakerTurn(start=start, end=end, speaker=speaker)


def diarized(*results: Any, **request: Any) -> list[SpeakerTurn]:
    asked = DiarizationRequest(**request)
    return list(DIARIZE.carry_out(Scripted(*results), asked, iter([sine(2.0), sine(2.0)])))


def embedded(*results: Any) -> list[SpeakerEmbedding]:
    return list(EMBED.carry_out(Scripted(*results), EmbeddingRequest(audio=sine(1.0))))


def test_turns_pass_and_overlap():
    turns = [turn(0.0, 3.0), turn(1.0, 2.0, 1), turn(3.5, 4.0)]
    assert diarized(*turns) == turns


def test_numbers_of_numpy_become_plain_ones():
    (found,) = diarized(turn(np.float32(0.5), np.float64(1.5), np.int64(1)))
    assert found == turn(0.5, 1.5, 1)
    assert [type(each) for each in (found.start, found.end, found.speaker)] == [float, float, int]


def test_an_end_a_little_beyond_the_recording_is_brought_back():
    (found,) = diarized(turn(3.0, 4.4))
    assert found.end == 4.0


@pytest.mark.parametrize(
    "results",
    [
        [turn(0.0, 4.6)],
        [turn(4.1, 4.2)],
        [turn(-0.1, 1.0)],
        [turn(1.0, 1.0)],
        [turn(1.0, 0.5)],
        [turn(math.nan, 1.0)],
        [turn(0.0, math.inf)],
        [turn("0", 1.0)],
        [turn(0.0, 1.0, "A")],
        [turn(0.0, 1.0, 0.5)],
        [turn(0.0, 1.0, True)],
        [turn(0.0, 1.0, -1)],
        [turn(0.0, 1.0, 1_000)],
        [turn(2.0, 3.0), turn(0.5, 1.0)],
        [(0.0, 1.0, 0)],
        [turn(0.0, 0.1)] * 1_201,
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(results):
    with pytest.raises(InvalidResult):
        diarized(*results)


def test_more_speakers_than_asked_for_are_refused():
    turns = [turn(0.0, 1.0), turn(1.0, 2.0, 1), turn(2.0, 3.0, 2)]
    assert len(diarized(*turns, max_speakers=3)) == 3
    with pytest.raises(InvalidResult, match="3 speakers where at most 2"):
        diarized(*turns, max_speakers=2)


def test_fewer_speakers_than_asked_for_may_be_all_there_are():
    assert len(diarized(turn(0.0, 1.0), min_speakers=3)) == 1


@pytest.mark.parametrize("vector", [(0.6, 0.8), [0.6, 0.8], np.array([0.6, 0.8], np.float32)])
def test_a_vector_comes_as_numbers_of_length_one(vector):
    (found,) = embedded(SpeakerEmbedding(vector=vector))
    assert found.vector == pytest.approx((0.6, 0.8))
    assert math.hypot(*found.vector) == pytest.approx(1.0, abs=1e-12)
    assert all(type(each) is float for each in found.vector)


@pytest.mark.parametrize(
    "results",
    [
        [],
        [SpeakerEmbedding(vector=(0.6, 0.8))] * 2,
        [(0.6, 0.8)],
        [SpeakerEmbedding(vector=(1.0,))],
        [SpeakerEmbedding(vector=(0.0, 0.0))],
        [SpeakerEmbedding(vector=(0.6, 0.9))],
        [SpeakerEmbedding(vector=(math.nan, 1.0))],
        [SpeakerEmbedding(vector=("1", 0.0))],  # type: ignore[arg-type]
        [SpeakerEmbedding(vector=(1.0, *([0.0] * 8_192)))],
        [SpeakerEmbedding(vector=7)],  # type: ignore[arg-type]
    ],
    ids=range(10),
)
def test_what_is_no_vector_is_refused(results):
    with pytest.raises(InvalidResult):
        embedded(*results)
