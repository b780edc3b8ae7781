"""Choosing a code from scores: the rules of transformers' ``generate``, without its loop.

The order is that of transformers 4.57: repetition penalty, suppressed codes, temperature, the
``k`` best, the best that together reach ``p``, then chance. Chance is drawn as
``torch.multinomial`` draws it, so that a seed leads to the same codes as upstream.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .weights import Tensor


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How to choose."""

    sample: bool
    """False takes the best."""
    temperature: float
    top_k: int
    """0 leaves all."""
    top_p: float
    """1 leaves all."""


class Chance:
    """A source of chance of one request."""

    def __init__(self, seed: int | None, device: str) -> None:
        """The same seed on the same kind of device gives the same numbers; None a new seed."""
        self._generator = torch.Generator(device=device)
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed % 2**63)
        self._device = device

    def draw(self, rows: int, columns: int) -> Tensor:
        """Positive numbers of an exponential distribution, shape ``(rows, columns)``.

        Each row is drawn apart, as a call of ``torch.multinomial`` would draw it.
        """
        drawn = torch.empty(rows, columns, device=self._device)
        for row in range(rows):
            drawn[row : row + 1].exponential_(1.0, generator=self._generator)
        return drawn


def choose(scores: Tensor, how: Sampling, chance: Tensor | None) -> Tensor:
    """Choose from scores ``(1, n)`` with numbers of chance ``(1, n)``; the choice, shape ``(1,)``.

    Uses no Python value of a tensor, so it can be part of a captured graph.
    """
    scores = scores.float()
    if not how.sample or chance is None:
        return scores.argmax(dim=-1)
    scores = scores / how.temperature
    if how.top_k:
        least = scores.topk(min(how.top_k, scores.shape[-1]), dim=-1).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    if how.top_p < 1.0:
        scores = _likeliest(scores, how.top_p)
    return (scores.softmax(dim=-1) / chance).argmax(dim=-1)


def _likeliest(scores: Tensor, share: float) -> Tensor:
    ordered, order = scores.sort(dim=-1)
    dropped = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1.0 - share
    dropped[:, -1] = False
    return scores.masked_fill(dropped.scatter(1, order, dropped), float("-inf"))


class FirstCodeRules:
    """What the talker may say next: no special codes, no end too early, repeats made less likely.

    Keeps which codes one utterance has had.
    """

    MIN_FRAMES = 2
    _SPECIAL = 1024
    """How many codes at the end of the vocabulary are no sound."""

    def __init__(self, vocabulary: int, end: int, penalty: float, device: str) -> None:
        self._penalty = penalty
        self._end, self._frames = end, 0
        self._said = torch.zeros(1, vocabulary, dtype=torch.bool, device=device)
        self._never = torch.zeros(1, vocabulary, dtype=torch.bool, device=device)
        self._never[:, vocabulary - self._SPECIAL :] = True
        self._never[:, end] = False

    def apply(self, scores: Tensor) -> Tensor:
        """Scores ``(1, vocabulary)`` by the rules."""
        scores = scores.float()
        if self._penalty != 1.0:
            worse = torch.where(scores < 0, scores * self._penalty, scores / self._penalty)
            scores = torch.where(self._said, worse, scores)
        scores = scores.masked_fill(self._never, float("-inf"))
        if self._frames < self.MIN_FRAMES:
            scores[:, self._end] = float("-inf")
        return scores

    def said(self, code: Tensor) -> None:
        """Remember a choice, shape ``(1,)``."""
        self._frames += 1
        self._said[0, code] = True
