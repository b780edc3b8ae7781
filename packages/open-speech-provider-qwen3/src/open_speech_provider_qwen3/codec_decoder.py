"""From codes to sound: 16 codes become 80 ms at 24 kHz, piece by piece.

Codes are looked up in codebooks and added, mixed over time by a transformer with a window, then
made longer by transposed convolutions, 1920 times in all. Everything looks back only, so a piece
is ready as soon as its codes are; see ``causal`` for what is kept from one piece to the next.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .causal import (
    Attention,
    CausalConv,
    CausalTransposedConv,
    LayerScale,
    RMSNorm,
    Stream,
    turns,
)
from .configuration import CodecDecoder as Sizes
from .weights import Tensor

UNUSED = {"quantizer.rvq_*.input_proj.weight": "training alone makes codes with this half"}
"""Tensors of the file that nothing reads, and why."""
_SILENT_USAGE = 1e-5
_NEVER_ZERO = 1e-9


class CodecDecoder(nn.Module):
    """Makes sound of codes."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        latent, width = sizes.latent_dim, sizes.decoder_dim
        self.quantizer = SplitQuantizer(sizes)
        self.pre_conv = CausalConv(sizes.codebook_dim, latent, 3)
        self.pre_transformer = Transformer(sizes)
        self.upsample = nn.ModuleList(
            Chain(CausalTransposedConv(latent, latent, factor, factor), ConvNeXt(latent))
            for factor in sizes.upsampling_ratios
        )
        widths = [width // 2**step for step in range(len(sizes.upsample_rates) + 1)]
        blocks = [
            Upsampling(wide, narrow, rate)
            for wide, narrow, rate in zip(widths, widths[1:], sizes.upsample_rates, strict=False)
        ]
        self.decoder = Chain(
            CausalConv(latent, width, 7), *blocks, Snake(widths[-1]), CausalConv(widths[-1], 1, 7)
        )

    def forward(self, codes: Tensor, stream: Stream) -> Tensor:
        """From ``(frames, codes per frame)`` to samples ``(frames * samples_per_frame,)``.

        Samples are float in [-1, 1]. Later frames of the same speech go with the same stream.
        """
        x = self.pre_conv(self.quantizer(codes.T[None]), stream)
        x = self.pre_transformer(x.transpose(1, 2), stream).transpose(1, 2)
        for stage in self.upsample:
            x = stage(x, stream)
        return self.decoder(x, stream).clamp(-1.0, 1.0)[0, 0]


class Chain(nn.ModuleList):
    """Layers one after another, with the stream."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(layers)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """Run each layer on what the one before made."""
        for layer in self:
            x = layer(x, stream)
        return x


class SplitQuantizer(nn.Module):
    """The first code, which carries the meaning, has a codebook apart from the others."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.rvq_first = Quantizer(sizes, 1)
        self.rvq_rest = Quantizer(sizes, sizes.num_quantizers - 1)

    def forward(self, codes: Tensor) -> Tensor:
        """From ``(1, codes, n)`` to ``(1, codebook_dim, n)``."""
        return self.rvq_first(codes[:, :1]) + self.rvq_rest(codes[:, 1:])


class Quantizer(nn.Module):
    """Adds up what each code means."""

    def __init__(self, sizes: Sizes, count: int) -> None:
        super().__init__()
        inner = sizes.codebook_dim // 2
        self.vq = nn.Module()
        self.vq.layers = nn.ModuleList(Codebook(sizes.codebook_size, inner) for _ in range(count))
        self.output_proj = nn.Conv1d(inner, sizes.codebook_dim, 1, bias=False)

    def forward(self, codes: Tensor) -> Tensor:
        """From ``(1, count, n)`` to ``(1, codebook_dim, n)``."""
        meant = sum(book(codes[:, place]) for place, book in enumerate(self.vq.layers))
        return self.output_proj(meant.transpose(1, 2))


class Codebook(nn.Module):
    """Vectors by number, kept as training left them: a sum and how often it was added to."""

    def __init__(self, entries: int, size: int) -> None:
        super().__init__()
        self._codebook = nn.Module()
        self._codebook.cluster_usage = nn.Parameter(torch.ones(entries))
        self._codebook.embedding_sum = nn.Parameter(torch.zeros(entries, size))

    def forward(self, codes: Tensor) -> Tensor:
        """From ``(1, n)`` to ``(1, n, size)``."""
        book = self._codebook
        vectors = functional.embedding(codes, book.embedding_sum)
        usage = book.cluster_usage.clamp(min=_SILENT_USAGE)[codes]
        return vectors / usage[..., None]


class Transformer(nn.Module):
    """Mixes frames over time: attention over a window, then a gated network, both scaled."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self._size, self._theta = sizes.head_dim, sizes.rope_theta
        self.input_proj = nn.Linear(sizes.latent_dim, sizes.hidden_size)
        self.layers = nn.ModuleList(TransformerLayer(sizes) for _ in range(sizes.num_hidden_layers))
        self.norm = RMSNorm(sizes.hidden_size, sizes.rms_norm_eps)
        self.output_proj = nn.Linear(sizes.hidden_size, sizes.latent_dim)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """Shape: ``(1, n, latent_dim)`` to the same. The stream counts places from the start."""
        start = stream.get(self, 0)
        stream[self] = start + x.shape[1]
        x = self.input_proj(x)
        turn = turns(start, x.shape[1], self._size, self._theta, x)
        for layer in self.layers:
            x = layer(x, turn, stream)
        return self.output_proj(self.norm(x))


class TransformerLayer(nn.Module):
    """Attention, then a gated network, each beside a shortcut."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        hidden, eps = sizes.hidden_size, sizes.rms_norm_eps
        self.input_layernorm = RMSNorm(hidden, eps)
        self.self_attn = Attention(sizes, sizes.sliding_window)
        self.self_attn_layer_scale = LayerScale(hidden)
        self.post_attention_layernorm = RMSNorm(hidden, eps)
        self.mlp = GatedNetwork(hidden, sizes.intermediate_size)
        self.mlp_layer_scale = LayerScale(hidden)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], stream: Stream) -> Tensor:
        """Shape: ``(1, n, hidden_size)`` to the same."""
        heard = self.self_attn(self.input_layernorm(x), turn, stream)
        x = x + self.self_attn_layer_scale(heard)
        return x + self.mlp_layer_scale(self.mlp(self.post_attention_layernorm(x)))


class GatedNetwork(nn.Module):
    """Two layers, the inner one gated."""

    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(hidden, inner, bias=False)
        self.up_proj = nn.Linear(hidden, inner, bias=False)
        self.down_proj = nn.Linear(inner, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: ``(1, n, hidden)`` to the same."""
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class ConvNeXt(nn.Module):
    """A block of ConvNeXt: each channel over time, then all channels at each place."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dwconv = CausalConv(size, size, 7, groups=size)
        self.norm = nn.LayerNorm(size, eps=1e-6)
        self.pwconv1 = nn.Linear(size, 4 * size)
        self.pwconv2 = nn.Linear(4 * size, size)
        self.gamma = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """Shape: ``(1, size, n)`` to the same."""
        y = self.norm(self.dwconv(x, stream).transpose(1, 2))
        y = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(y)))
        return x + y.transpose(1, 2)


class Snake(nn.Module):
    """``x + sin(a x)^2 / b`` for each channel, with ``a`` and ``b`` kept as logarithms."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """Shape: ``(1, channels, n)`` to the same; nothing is remembered."""
        frequency, depth = self.alpha.exp()[:, None], self.beta.exp()[:, None]
        return x + torch.sin(x * frequency).pow(2) / (depth + _NEVER_ZERO)


class Upsampling(nn.Module):
    """``rate`` samples of one, in half as many channels, smoothed by three residual units."""

    def __init__(self, wide: int, narrow: int, rate: int) -> None:
        super().__init__()
        self.block = Chain(
            Snake(wide),
            CausalTransposedConv(wide, narrow, 2 * rate, rate),
            *(ResidualUnit(narrow, dilation) for dilation in (1, 3, 9)),
        )

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """From ``(1, wide, n)`` to ``(1, narrow, n * rate)``."""
        return self.block(x, stream)


class ResidualUnit(nn.Module):
    """Two convolutions beside a shortcut, the first one dilated."""

    def __init__(self, size: int, dilation: int) -> None:
        super().__init__()
        self.act1 = Snake(size)
        self.conv1 = CausalConv(size, size, 7, dilation=dilation)
        self.act2 = Snake(size)
        self.conv2 = CausalConv(size, size, 1)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """Shape: ``(1, size, n)`` to the same."""
        y = self.conv1(self.act1(x, stream), stream)
        return x + self.conv2(self.act2(y, stream), stream)
