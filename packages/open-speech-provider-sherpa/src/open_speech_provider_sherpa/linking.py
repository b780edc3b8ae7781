"""Speakers of several stretches of a recording, linked by how alike their voices are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
_NEVER = -2.0  # less alike than any two vectors can be


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
    if not voices:
        return []
    groups = _Groups(voices)
    while groups.count > 1:
        surplus = most is not None and groups.count > most
        if not surplus and groups.count <= fewest:
            break
        first, second, alike = groups.nearest(also_of_one_stretch=surplus)
        if not surplus and 1.0 - alike > threshold:
            break
        groups.join(first, second)
    return groups.of_voices()


class _Groups:
    """Groups of voices and how alike each pair of them is."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        self._members = [[index] for index in range(len(voices))]
        self._sums = np.stack(
            [np.asarray(voice.vector) * max(voice.weight, 1e-3) for voice in voices]
        )
        present = np.zeros((len(voices), 1 + max(voice.stretch for voice in voices)), np.bool_)
        present[range(len(voices)), [voice.stretch for voice in voices]] = True
        self._present = present
        means = self._sums / np.linalg.norm(self._sums, axis=1, keepdims=True)
        self._alike = means @ means.T
        np.fill_diagonal(self._alike, _NEVER)
        self._apart = (present.astype(np.int64) @ present.T.astype(np.int64)) > 0
        self.count = len(voices)

    def nearest(self, *, also_of_one_stretch: bool) -> tuple[int, int, float]:
        """The two groups that are most alike, and how much."""
        alike = self._alike
        if not also_of_one_stretch:
            alike = np.where(self._apart, _NEVER, alike)
        first, second = np.unravel_index(int(np.argmax(alike)), alike.shape)
        return int(first), int(second), float(alike[first, second])

    def join(self, first: int, second: int) -> None:
        """Make one group of two; the other place stays empty."""
        self._members[first] += self._members[second]
        self._members[second] = []
        self._sums[first] += self._sums[second]
        self._sums[second] = 0.0
        self._present[first] |= self._present[second]
        self._present[second] = False
        norms = np.maximum(np.linalg.norm(self._sums, axis=1), 1e-12)
        alike = self._sums @ self._sums[first] / (norms * norms[first])
        shared = self._present[:, self._present[first]].any(axis=1)
        for row, values in ((first, alike), (second, np.full_like(alike, _NEVER))):
            self._alike[row] = self._alike[:, row] = values
        empty = [index for index, members in enumerate(self._members) if not members]
        self._alike[first, empty] = self._alike[empty, first] = _NEVER
        self._alike[first, first] = _NEVER
        self._apart[first] = self._apart[:, first] = shared
        self.count -= 1

    def of_voices(self) -> list[int]:
        """The group of each voice, numbered without gaps."""
        full = [members for members in self._members if members]
        group_of = {index: group for group, members in enumerate(full) for index in members}
        return [group_of[index] for index in range(len(group_of))]


def _renumbered(speakers: Sequence[int]) -> list[int]:
    order: dict[int, int] = {}
    return [order.setdefault(speaker, len(order)) for speaker in speakers]
