"""The talker: reads the prompt and, frame by frame, says the first code of the next.

Text and codes share one sequence: at each place an embedding of text and one of codes are added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from .configuration import Talker as Sizes
from .decoder_stack import DecoderStack, KeyValues
from .weights import BadWeights, Tensor, Weights

_PROJECTION = "talker.text_projection.linear_fc"


class Talker:
    """The talker with its embeddings."""

    def __init__(self, sizes: Sizes, weights: Weights) -> None:
        self.sizes = sizes
        self.stack = DecoderStack(sizes, weights, "talker.model.")
        self._text = weights.take("talker.model.text_embedding.weight")
        self._codes = weights.take("talker.model.codec_embedding.weight")
        self.head = weights.take("talker.codec_head.weight")
        self._projection = [
            tuple(weights.take(f"{_PROJECTION}{n}.{part}") for part in ("weight", "bias"))
            for n in (1, 2)
        ]
        self._check()
        self._fixed: KeyValues | None = None
        self.step: Callable[..., Any] | None = None

    @property
    def like(self) -> Tensor:
        """An embedding ``(1, 1, hidden)`` of the right type on the right device."""
        return self._codes.new_zeros(1, 1, self.sizes.hidden_size)

    def text(self, ids: Sequence[int]) -> Tensor:
        """Embed text. Shape ``(1, n, hidden)``."""
        numbers = torch.as_tensor([list(ids)], dtype=torch.long, device=self._text.device)
        x = functional.embedding(numbers, self._text)
        x = functional.silu(functional.linear(x, *self._projection[0]))
        return functional.linear(x, *self._projection[1])

    def codes(self, ids: Sequence[int]) -> Tensor:
        """Embed first codes and special ones. Shape ``(1, n, hidden)``."""
        return self.embed(torch.as_tensor(list(ids), dtype=torch.long, device=self._codes.device))

    def embed(self, ids: Tensor) -> Tensor:
        """The same for a tensor ``(n,)``."""
        return functional.embedding(ids[None], self._codes)

    def begin(self, prompt: Tensor, longest: int) -> Conversation:
        """Read a prompt ``(1, n, hidden)`` that at most ``longest`` frames will follow."""
        fixed = self._fixed if self.step else None
        if fixed is not None and prompt.shape[1] + longest <= fixed.capacity:
            return Conversation(self, prompt, fixed)
        return Conversation(self, prompt, None)

    def capture(self, capture: Any, places: int) -> None:
        """Capture one step over a cache that is laid out once, for sequences up to ``places``."""
        self._fixed = self.stack.cache(places, fixed=True)
        example = torch.zeros(1, dtype=torch.long, device=self._codes.device)
        self.step = capture(self._fixed_step, self.like, example)

    def release(self) -> None:
        """Forget what was captured."""
        self._fixed = self.step = None

    def _fixed_step(self, x: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        assert self._fixed is not None
        state = self.stack.read_at(x, self._fixed, place)
        return state, functional.linear(state[:, -1], self.head)

    def _check(self) -> None:
        """The tables are no part of a module, so that their shapes are checked here."""
        sizes = self.sizes
        expected = {
            "text_embedding": (self._text, (sizes.text_vocab_size, sizes.text_hidden_size)),
            "codec_embedding": (self._codes, (sizes.vocab_size, sizes.hidden_size)),
            "codec_head": (self.head, (sizes.vocab_size, sizes.hidden_size)),
        }
        for name, (tensor, shape) in expected.items():
            if tuple(tensor.shape) != shape:
                found = tuple(tensor.shape)
                raise BadWeights(f"has a {name} of shape {found} where {shape} is due")


class Conversation:
    """One sequence of the talker."""

    def __init__(self, talker: Talker, prompt: Tensor, fixed: KeyValues | None) -> None:
        self._talker, self._fixed = talker, fixed
        self._length = prompt.shape[1]
        stack = talker.stack
        if fixed is None:
            self._cache = stack.cache()
            state = stack.read(prompt, self._cache)[:, -1:]
        else:
            places = torch.arange(self._length, device=prompt.device)
            state = stack.read_at(prompt, fixed, places)[:, -1:]
        self.state = state
        """What the talker has in mind, shape ``(1, 1, hidden)``."""
        self.scores = functional.linear(state[:, -1], talker.head)
        """How likely each first code is next, shape ``(1, vocabulary)``."""

    def hear(self, x: Tensor) -> None:
        """Go on with one embedding ``(1, 1, hidden)``."""
        talker = self._talker
        if self._fixed is None:
            self.state = talker.stack.read(x, self._cache)
            self.scores = functional.linear(self.state[:, -1], talker.head)
        else:
            assert talker.step is not None
            place = torch.full((1,), self._length, dtype=torch.long, device=x.device)
            self.state, self.scores = talker.step(x, place)
        self._length += 1
