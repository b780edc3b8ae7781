"""Which voices of the windows are the same person."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from .weights import Array

Labels = NDArray[np.intp]
APART = 0.45
"""Mean cosine distance from which two groups of vectors are two people."""
ALIKE_AT_ONCE = 0.5
"""The same for pieces of what the segmentation takes for one voice: likelier to be one."""
ALIKE = 0.25
"""Distance up to which many vectors are put together before the rest is looked at."""
RELIABLE_S = 1.5
"""Vectors of less speech found no group; they join one."""
TOGETHER = 1_500
"""Vectors that are compared pair by pair at once."""
FEW_S = 1.5
"""A person who speaks no longer than that in all is taken for somebody else who is there, unless
nobody speaks longer. As windows overlap, most speech counts twice."""
FEW_PART = 0.005
"""The same as a part of all speech: in hours, errors add up."""
CHANGE = 0.35
"""Price of a change of speakers within one voice: seconds of speech, times likeness."""
NOBODY = -1


def people(
    vectors: Array, seconds: Array, least: int | None = None, most: int | None = None
) -> Array:
    """One vector for each person who speaks, ``(people, 192)``.

    ``vectors`` is ``(n, 192)``, of length 1, and ``seconds`` how much speech each is made of.
    """
    longest = seconds.max(initial=0.0)
    if not longest:
        return np.zeros((0, vectors.shape[1]), np.float32)
    good = seconds >= min(RELIABLE_S, longest)
    vectors, seconds = _condensed(vectors[good], seconds[good])
    if len(vectors) == 1:
        return vectors
    tree = linkage(vectors.astype(np.float64), "average", "cosine")
    labels = _cut(tree, seconds, least, most)
    sums = np.zeros((labels.max() + 1, vectors.shape[1]))
    np.add.at(sums, labels, vectors * seconds[:, None])
    spoken = np.bincount(labels, seconds)
    kept = _kept(spoken, least, most)
    return _unit(sums[kept])


def pooled(vectors: Array, seconds: Array) -> tuple[Array, Array]:
    """The pieces of one voice as one vector, or as several where they are several people's."""
    known = seconds > 0.0
    return _joined(vectors[known], seconds[known], ALIKE_AT_ONCE)


def followed(vectors: Array, seconds: Array, centres: Array) -> Labels:
    """Who speaks in each piece of one voice, in order of time.

    The likeliest way from person to person: a change has its price, so that a piece too short to
    know a voice by does not make one. ``NOBODY`` where there is no vector at all.
    """
    if not seconds.any() or not len(centres):
        return np.full(len(vectors), NOBODY, np.intp)
    gains = seconds[:, None] * (vectors @ centres.T)
    best, came = gains[0], []
    for gain in gains[1:]:
        other = int(best.argmax())
        changed = best < best[other] - CHANGE
        came.append(np.where(changed, other, np.arange(len(best))))
        best = np.where(changed, best[other] - CHANGE, best) + gain
    labels = [int(best.argmax())]
    for step in reversed(came):
        labels.append(int(step[labels[-1]]))
    return np.array(labels[::-1], np.intp)


def _cut(tree: NDArray[np.float64], seconds: Array, least: int | None, most: int | None) -> Labels:
    """Cut the tree at the usual height, or where as many people are left as are asked for."""
    labels = _labels(tree, APART)
    count = _count(labels, seconds)
    wanted = count
    if least is not None:
        wanted = max(wanted, least)
    if most is not None:
        wanted = min(wanted, most)
    if wanted == count:
        return labels
    heights = np.unique(tree[:, 2])
    heights = heights[np.argsort(np.abs(heights - APART), kind="stable")]
    best, missing = labels, abs(count - wanted)
    for height in heights:
        # Just below a height, the two groups that meet there are still apart.
        for cut in (height, np.nextafter(height, 0.0)):
            found = _labels(tree, float(cut))
            off = abs(_count(found, seconds) - wanted)
            if off < missing:
                best, missing = found, off
        if not missing:
            break
    return best


def _labels(tree: NDArray[np.float64], height: float) -> Labels:
    return np.asarray(fcluster(tree, height, "distance"), np.intp) - 1


def _count(labels: Labels, seconds: Array) -> int:
    return len(_kept(np.bincount(labels, seconds), None, None))


def _kept(spoken: NDArray[Any], least: int | None, most: int | None) -> Labels:
    """The groups that are people: those who speak for long enough."""
    order = np.argsort(-spoken, kind="stable")
    few = max(FEW_S, FEW_PART * float(spoken.sum()))
    count = max(1, int((spoken > few).sum()), min(least or 1, len(spoken)))
    return np.sort(order[: min(count, most or count)])


def _condensed(vectors: Array, seconds: Array) -> tuple[Array, Array]:
    """As many as can be compared with each other: where more are there, alike ones are joined."""
    reach = ALIKE
    while len(vectors) > TOGETHER:
        parts = [
            _joined(vectors[first : first + TOGETHER], seconds[first : first + TOGETHER], reach)
            for first in range(0, len(vectors), TOGETHER)
        ]
        vectors = np.concatenate([each for each, _ in parts])
        seconds = np.concatenate([each for _, each in parts])
        reach *= 1.25
    return vectors, seconds


def _joined(vectors: Array, seconds: Array, reach: float) -> tuple[Array, Array]:
    if len(vectors) < 2:
        return vectors, seconds
    labels = _labels(linkage(vectors.astype(np.float64), "average", "cosine"), reach)
    sums = np.zeros((labels.max() + 1, vectors.shape[1]))
    np.add.at(sums, labels, vectors * seconds[:, None])
    return _unit(sums), np.bincount(labels, seconds).astype(np.float32)


def _unit(sums: NDArray[np.float64]) -> Array:
    norms: NDArray[np.float64] = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.maximum(norms, 1e-9)).astype(np.float32)
