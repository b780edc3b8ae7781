"""The rest of a frame: from the talker's state and the first code to the other fifteen.

A small transformer reads the state and the first code and names the second; reads that and names
the third; and so on. Every place has embeddings and a head of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from .configuration import CodePredictor as Sizes
from .decoder_stack import DecoderStack
from .sampling import Chance, Sampling, choose
from .weights import Tensor, Weights

_PREFIX = "talker.code_predictor."


class CodePredictor:
    """Completes frames."""

    def __init__(self, sizes: Sizes, codes: int, weights: Weights) -> None:
        """``codes``: per frame, the first included."""
        self._sizes, self._codes = sizes, codes
        self._stack = DecoderStack(sizes, weights, f"{_PREFIX}model.")
        places = range(codes - 1)
        self._embeddings = [
            weights.take(f"{_PREFIX}model.codec_embedding.{place}.weight") for place in places
        ]
        self._heads = [weights.take(f"{_PREFIX}lm_head.{place}.weight") for place in places]
        names = set(weights.names(_PREFIX))
        self._narrow = (
            tuple(
                weights.take(f"{_PREFIX}small_to_mtp_projection.{part}")
                for part in ("weight", "bias")
            )
            if "small_to_mtp_projection.weight" in names
            else None
        )
        self._captured: tuple[Sampling, Callable[..., Any]] | None = None

    def complete(self, state: Tensor, first: Tensor, how: Sampling, chance: Chance) -> Tensor:
        """Name the other codes.

        ``state`` and the embedded ``first`` code are of shape ``(1, 1, hidden)``; the result is of
        shape ``(codes - 1,)``.
        """
        numbers = (
            chance.draw(self._codes - 1, self._sizes.vocab_size)
            if how.sample
            else state.new_ones(self._codes - 1, 1, dtype=torch.float32)
        )
        x = torch.cat((state, first), dim=1)
        if self._captured and self._captured[0] == how:
            return self._captured[1](x, numbers).clone()
        return self._name(x, numbers, how)

    def embed(self, codes: Tensor) -> Tensor:
        """Sum up the embeddings of other codes: ``(n, codes - 1)`` to ``(1, n, hidden)``."""
        parts = (functional.embedding(codes[:, p], e) for p, e in enumerate(self._embeddings))
        return sum(parts)[None]

    def capture(self, capture: Any, how: Sampling, like: Tensor) -> None:
        """Capture ``complete`` for one way to sample. ``like`` ``(1, 1, hidden)`` is an example."""
        columns = self._sizes.vocab_size if how.sample else 1
        numbers = torch.ones(self._codes - 1, columns, device=like.device)
        example = torch.cat((like, like), dim=1)
        self._captured = (how, capture(lambda x, n: self._name(x, n, how), example, numbers))

    def release(self) -> None:
        """Forget what was captured."""
        self._captured = None

    def _name(self, x: Tensor, numbers: Tensor, how: Sampling) -> Tensor:
        """``x`` ``(1, 2, hidden)``, ``numbers`` of chance ``(codes - 1, vocabulary)``."""
        cache = self._stack.cache(self._codes)
        named: list[Tensor] = []
        for place, head in enumerate(self._heads):
            state = self._stack.read(self._narrowed(x), cache)[:, -1]
            code = choose(functional.linear(state, head), how, numbers[place : place + 1])
            named.append(code)
            x = functional.embedding(code[None], self._embeddings[place])
        return torch.cat(named)

    def _narrowed(self, x: Tensor) -> Tensor:
        """The talker may be wider than the predictor."""
        return functional.linear(x, *self._narrow) if self._narrow else x
