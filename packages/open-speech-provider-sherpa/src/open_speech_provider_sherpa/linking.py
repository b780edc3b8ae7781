"""Speakers of several stretches of a recording, linked by how alike their voices are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Voice:
    """One speaker of one stretch."""

    stretch: int
    vector: Vector | None
    """Of length 1; None where too little is heard of the voice to tell."""
    weight: float
    """Seconds that the vector was made of."""


def link(
    voices: Sequence[Voice], threshold: float, fewest: int = 1, most: int | None = None
) -> list[int]:
    """The speaker of each voice, numbered from 0 in the order in which they come.

    The two groups of voices that are most alike become one, again and again, while their cosine
    distance is at most ``threshold`` and more than ``fewest`` are left; two voices of a stretch
    stay apart, as the engine told them apart. Beyond ``most``, groups are joined whatever their
    distance. A voice without a vector is a speaker of its own if there is room, else it is taken
    for the one that comes before it.
    """
    known = [index for index, voice in enumerate(voices) if voice.vector is not None]
    groups = _grouped([voices[index] for index in known], threshold, fewest, most)
    speaker_of = dict(zip(known, groups, strict=True))
    count = len(set(groups))
    for index in range(len(voices)):
        if index in speaker_of:
            continue
        if most is None or count < most:
            speaker_of[index] = count
            count += 1
        else:
            nearest = min(known, key=lambda each: abs(each - index)) if known else 0
            speaker_of[index] = speaker_of.get(nearest, 0)
    return _renumbered([speaker_of[index] for index in range(len(voices))])


def _grouped(voices: Sequence[Voice], threshold: float, fewest: int, most: int | None) -> list[int]:
    """Agglomerative clustering by the means of the groups, weighted by how much was heard."""
    members = [[index] for index in range(len(voices))]
    sums = [np.asarray(voice.vector) * max(voice.weight, 1e-3) for voice in voices]
    while len(members) > 1:
        surplus = most is not None and len(members) > most
        if not surplus and len(members) <= fewest:
            break
        alike = _similarities(sums)
        if not surplus:
            alike[_apart(members, voices)] = -2.0
        first, second = np.unravel_index(int(np.argmax(alike)), alike.shape)
        if not surplus and 1.0 - alike[first, second] > threshold:
            break
        low, high = sorted((int(first), int(second)))
        members[low] += members.pop(high)
        sums[low] = sums[low] + sums.pop(high)
    group_of = {index: group for group, each in enumerate(members) for index in each}
    return [group_of[index] for index in range(len(voices))]


def _similarities(sums: Sequence[Vector]) -> NDArray[np.float64]:
    """Cosine similarity of each pair of groups; -2 on the diagonal."""
    means = np.stack(sums)
    means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    alike = means @ means.T
    np.fill_diagonal(alike, -2.0)
    return np.asarray(alike)


def _apart(members: Sequence[Sequence[int]], voices: Sequence[Voice]) -> NDArray[np.bool_]:
    """Which pairs of groups have voices of the same stretch."""
    count = 1 + max(voice.stretch for voice in voices)
    present = np.zeros((len(members), count), np.bool_)
    for group, indices in enumerate(members):
        present[group, [voices[index].stretch for index in indices]] = True
    shared = present.astype(np.int64) @ present.T.astype(np.int64)
    return np.asarray(shared > 0)


def _renumbered(speakers: Sequence[int]) -> list[int]:
    order: dict[int, int] = {}
    return [order.setdefault(speaker, len(order)) for speaker in speakers]
