"""Layers that can go on where they stopped: causal convolutions and windowed attention.

Each takes a ``Stream``, which remembers by layer what that layer has to see again: a few samples,
or the keys and values of its window. Sound decoded in pieces with one stream is, to the rounding of
the last bit, the sound decoded at once with a fresh one.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from .configuration import Stack
from .weights import Tensor

Stream = dict[Any, Any]
"""What each layer of one run remembers; a fresh run starts with ``{}``."""


class CausalConv(nn.Module):
    """A convolution of stride 1 that looks back only; zeros come before the start.

    Shape: ``(1, in, n)`` to ``(1, out, n)``.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, dilation: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation, groups=groups)
        self._context = (kernel - 1) * dilation

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """Look at ``n`` more places, and at those remembered."""
        return self.conv(_with_past(self, x, stream, self._context))


class CausalTransposedConv(nn.Module):
    """A convolution that makes ``stride`` samples of each; what would come too late is cut off.

    Shape: ``(1, in, n)`` to ``(1, out, n * stride)``. A kernel longer than the stride lets each
    sample also reach into the next ones' outputs, so that a few inputs are looked at again.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(inputs, outputs, kernel, stride=stride)
        self._stride = stride
        self._context = -(-kernel // stride) - 1

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """Make ``n * stride`` places of ``n`` more."""
        length = x.shape[-1] * self._stride
        start = self._context * self._stride
        out = self.conv(_with_past(self, x, stream, self._context))
        return out[..., start : start + length]


def _with_past(layer: Any, x: Tensor, stream: Stream, count: int) -> Tensor:
    """Put the last ``count`` samples of before in front, and remember those for next time."""
    if not count:
        return x
    past = stream.get(layer)
    if past is None:
        past = x.new_zeros((*x.shape[:-1], count))
    whole = torch.cat((past, x), dim=-1)
    stream[layer] = whole[..., -count:]
    return whole


class RMSNorm(nn.Module):
    """Divides by the root of the mean square over the last dimension."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self._eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Any shape whose last dimension is the size."""
        wide = x.float()
        scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self._eps)
        return self.weight * (wide * scale).to(x.dtype)


class LayerScale(nn.Module):
    """Multiplies each channel by a number of its own."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape whose last dimension is the size."""
        return self.scale * x


class Attention(nn.Module):
    """Causal self-attention with rotary positions over the last ``window`` places, or over all.

    Shape: ``(1, n, hidden)`` to the same.
    """

    def __init__(self, config: Stack, window: int | None) -> None:
        super().__init__()
        self._heads, self._kv_heads = config.num_attention_heads, config.num_key_value_heads
        self._size, self._window = config.head_dim, window
        hidden, kv = config.hidden_size, self._kv_heads * self._size
        self.q_proj = nn.Linear(hidden, self._heads * self._size, bias=False)
        self.k_proj = nn.Linear(hidden, kv, bias=False)
        self.v_proj = nn.Linear(hidden, kv, bias=False)
        self.o_proj = nn.Linear(self._heads * self._size, hidden, bias=False)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], stream: Stream) -> Tensor:
        """``turn`` are the cosines and sines of the places of ``x``."""
        query = rotate(self._split(self.q_proj(x), self._heads), turn)
        key = rotate(self._split(self.k_proj(x), self._kv_heads), turn)
        value = self._split(self.v_proj(x), self._kv_heads)
        if self in stream:
            key, value = (
                torch.cat(pair, dim=2) for pair in zip(stream[self], (key, value), strict=True)
            )
        if self._window:
            kept = self._window - 1
            stream[self] = (key[:, :, -kept:], value[:, :, -kept:])
        groups = self._heads // self._kv_heads
        if groups > 1:
            key, value = (t.repeat_interleave(groups, dim=1) for t in (key, value))
        mask = self._mask(query.shape[2], key.shape[2], x.device)
        heard = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.o_proj(heard.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor, heads: int) -> Tensor:
        return x.unflatten(-1, (heads, self._size)).transpose(1, 2)

    def _mask(self, queries: int, keys: int, device: Any) -> Tensor:
        """Which of the keys each query sees; the last key stands where the last query does."""
        at = torch.arange(keys - queries, keys, device=device)[:, None]
        behind = at - torch.arange(keys, device=device)[None, :]
        seen = behind >= 0
        return seen & (behind < self._window) if self._window else seen


def turns(start: int, count: int, size: int, theta: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions ``start`` onwards, each of shape ``(count, size)``."""
    steps = torch.arange(0, size, 2, device=like.device, dtype=torch.float32) / size
    places = torch.arange(start, start + count, device=like.device, dtype=torch.float32)
    angles = torch.outer(places, 1.0 / theta**steps).repeat(1, 2)
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn pairs of numbers by their position. Shape: ``(1, heads, n, size)``."""
    cosine, sine = turn
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine
