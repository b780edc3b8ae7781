"""Conversations made of recordings whose speakers are known, and how well they are told apart."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import permutations

import numpy as np

from open_speech import Audio
from open_speech.codecs.resample import resample
from real.words import normal

RATE = 16_000
COLLAR_S = 0.25
"""On each side of where a speaker begins or ends, as usual in the field: nothing is counted."""
_SILENT = 0.01
"""Of the peak."""


@dataclass(frozen=True)
class Part:
    """What one speaker says in one go."""

    speaker: str
    text: str
    sound: Audio


@dataclass(frozen=True)
class Said:
    """Where it lies in the whole."""

    speaker: str
    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Conversation:
    """A recording, and who says what in it."""

    sound: Audio
    said: tuple[Said, ...]


def part(speaker: str, text: str, sound: Audio, peak: float = 0.5) -> Part:
    """A part at 16 kHz, as loud as the others, without the silence around it."""
    samples = resample(sound, RATE).samples
    samples = samples * (peak / max(1e-6, float(np.abs(samples).max())))
    loud = np.flatnonzero(np.abs(samples) > _SILENT * peak)
    samples = samples[loud[0] : loud[-1] + 1]
    return Part(speaker, text, Audio(samples=samples, sample_rate=RATE))


def conversation(
    parts: Iterable[Part], *, pause_s: tuple[float, float] = (0.2, 0.9), seed: int = 0
) -> Conversation:
    """Parts one after the other; a negative pause lets the next speaker begin before the end.

    Pauses are drawn evenly between the two bounds.
    """
    chance = random.Random(seed)
    said: list[Said] = []
    pieces: list[tuple[int, np.ndarray]] = []
    at = 0.5
    for each in parts:
        start = round(at * RATE)
        pieces.append((start, each.sound.samples))
        end = at + each.sound.seconds
        said.append(Said(each.speaker, each.text, at, end))
        at = max(at + 0.3, end + chance.uniform(*pause_s))
    length = max(start + len(samples) for start, samples in pieces) + RATE // 2
    # A room is never silent: engines know digital silence from speech too easily.
    noise = np.random.default_rng(seed).normal(0.0, 0.001, length).astype(np.float32)
    for start, samples in pieces:
        noise[start : start + len(samples)] += samples
    sound = Audio(samples=np.clip(noise, -1.0, 1.0), sample_rate=RATE)
    return Conversation(sound, tuple(said))


def diarization_error(whole: Conversation, turns: Sequence[Mapping[str, float | str]]) -> float:
    """The share of speech that is missed, invented or another's, by pyannote.metrics."""
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    truth, found = Annotation(), Annotation()
    for number, each in enumerate(whole.said):
        truth[Segment(each.start, each.end), number] = each.speaker
    for number, turn in enumerate(turns):
        found[Segment(turn["start"], turn["end"]), number] = turn["speaker"]
    # Both sides together are what pyannote calls the collar.
    metric = DiarizationErrorRate(collar=2 * COLLAR_S)
    return float(metric(truth, found))


def word_speaker_error(whole: Conversation, segments: Iterable[Mapping[str, str]]) -> float:
    """The share of words that were heard rightly and given to somebody else.

    Speakers are matched so that fewest are.
    """
    truth = [(word, each.speaker) for each in whole.said for word in normal(each.text).split()]
    found = [(word, each["speaker"]) for each in segments for word in normal(each["text"]).split()]
    matcher = SequenceMatcher(
        None, [word for word, _ in truth], [word for word, _ in found], autojunk=False
    )
    pairs = [
        (truth[block.a + place][1], found[block.b + place][1])
        for block in matcher.get_matching_blocks()
        for place in range(block.size)
    ]
    named = sorted({speaker for _, speaker in pairs})
    known = sorted({speaker for speaker, _ in pairs})
    known += ["nobody"] * max(0, len(named) - len(known))
    most = max(
        sum(dict(zip(named, each, strict=False)).get(heard) == said for said, heard in pairs)
        for each in permutations(known, len(named))
    )
    return 1.0 - most / len(pairs)
