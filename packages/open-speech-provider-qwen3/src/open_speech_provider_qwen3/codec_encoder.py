"""From a recording to codes: the way back through the codec, for cloning with a transcript.

This is the encoder of Mimi. Recordings are encoded whole, so nothing is kept between pieces.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .causal import Attention, LayerScale, turns
from .configuration import CodecEncoder as Sizes
from .weights import Tensor

_MIMI = "the way back to sound is Mimi's own, and Qwen3-TTS has another"
UNUSED = {
    "quantizer.*.codebook.initialized": "says whether training had begun",
    "quantizer.acoustic_*.layers.*": "codebooks beyond those that the talker speaks",
    "quantizer.*.output_proj.weight": _MIMI,
    "decoder.*": _MIMI,
    "decoder_transformer.*": _MIMI,
    "upsample.*": _MIMI,
}
"""Tensors of the file that nothing reads, and why."""
_SILENT_USAGE = 1e-5


class CodecEncoder(nn.Module):
    """Makes codes of a recording."""

    def __init__(self, sizes: Sizes, codes: int) -> None:
        """``codes``: how many of the codebooks are used."""
        super().__init__()
        self.encoder = SeaNet(sizes)
        self.encoder_transformer = Transformer(sizes)
        self.downsample = PaddedConv(
            sizes.hidden_size, sizes.hidden_size, 4, stride=2, bias=False, edge="replicate"
        )
        self.quantizer = nn.Module()
        semantic = sizes.num_semantic_quantizers
        self.quantizer.semantic_residual_vector_quantizer = Quantizer(sizes, semantic)
        self.quantizer.acoustic_residual_vector_quantizer = Quantizer(sizes, codes - semantic)

    def forward(self, samples: Tensor) -> Tensor:
        """From ``(n,)`` at 24 kHz to codes of shape ``(ceil(n / 1920), codes)``."""
        x = self.encoder(samples[None, None])
        x = self.encoder_transformer(x.transpose(1, 2)).transpose(1, 2)
        x = self.downsample(x)
        first = self.quantizer.semantic_residual_vector_quantizer(x)
        rest = self.quantizer.acoustic_residual_vector_quantizer(x)
        return torch.cat((first, rest), dim=-1)


class PaddedConv(nn.Module):
    """A causal convolution with a stride; the end is filled up so that no sample is lost.

    Shape: ``(1, in, n)`` to ``(1, out, ceil(n / stride))``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
        edge: str = "constant",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride, dilation=dilation, bias=bias)
        self._stride, self._edge = stride, edge
        self._before = (kernel - 1) * dilation + 1 - stride

    def forward(self, x: Tensor) -> Tensor:
        """Pad in front by what the kernel reaches back, behind to a whole stride."""
        after = -x.shape[-1] % self._stride
        return self.conv(functional.pad(x, (self._before, after), mode=self._edge))


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, narrower between them."""

    def __init__(self, sizes: Sizes, size: int, dilation: int) -> None:
        super().__init__()
        inner = size // sizes.compress
        self.block = nn.Sequential(
            nn.ELU(),
            PaddedConv(size, inner, sizes.residual_kernel_size, dilation=dilation),
            nn.ELU(),
            PaddedConv(inner, size, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape: ``(1, size, n)`` to the same."""
        return x + self.block(x)


class SeaNet(nn.Module):
    """Convolutions that make the sound shorter and wider, by 960 at the published sizes."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.num_filters
        layers: list[nn.Module] = [PaddedConv(1, width, sizes.kernel_size)]
        for ratio in reversed(sizes.upsampling_ratios):
            steps = range(sizes.num_residual_layers)
            layers += [ResidualBlock(sizes, width, sizes.dilation_growth_rate**s) for s in steps]
            layers += [nn.ELU(), PaddedConv(width, 2 * width, 2 * ratio, stride=ratio)]
            width *= 2
        layers += [nn.ELU(), PaddedConv(width, sizes.hidden_size, sizes.last_kernel_size)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """From ``(1, 1, n)`` to ``(1, hidden_size, ceil(n / 960))``."""
        return self.layers(x)


class Transformer(nn.Module):
    """Attention over all that came before.

    The configuration names a window of 250 places (10 s), which the pinned transformers of
    upstream does not apply in this half; neither is it here, so that long recordings give the
    same codes.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self._size, self._theta = sizes.head_dim, sizes.rope_theta
        self.layers = nn.ModuleList(TransformerLayer(sizes) for _ in range(sizes.num_hidden_layers))

    def forward(self, x: Tensor) -> Tensor:
        """Shape: ``(1, n, hidden_size)`` to the same."""
        turn = turns(0, x.shape[1], self._size, self._theta, x)
        for layer in self.layers:
            x = layer(x, turn)
        return x


class TransformerLayer(nn.Module):
    """Attention, then a network, each beside a shortcut."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        hidden = sizes.hidden_size
        self.input_layernorm = nn.LayerNorm(hidden, eps=sizes.norm_eps)
        self.self_attn = Attention(sizes, None)
        self.self_attn_layer_scale = LayerScale(hidden)
        self.post_attention_layernorm = nn.LayerNorm(hidden, eps=sizes.norm_eps)
        self.mlp = Network(hidden, sizes.intermediate_size)
        self.mlp_layer_scale = LayerScale(hidden)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        """Shape: ``(1, n, hidden_size)`` to the same."""
        x = x + self.self_attn_layer_scale(self.self_attn(self.input_layernorm(x), turn, {}))
        return x + self.mlp_layer_scale(self.mlp(self.post_attention_layernorm(x)))


class Network(nn.Module):
    """Two layers."""

    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(hidden, inner, bias=False)
        self.fc2 = nn.Linear(inner, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: ``(1, n, hidden)`` to the same."""
        return self.fc2(functional.gelu(self.fc1(x)))


class Quantizer(nn.Module):
    """Each codebook names the nearest vector to what the ones before it left over."""

    def __init__(self, sizes: Sizes, count: int) -> None:
        super().__init__()
        inner = sizes.vector_quantization_hidden_dimension
        self.input_proj = nn.Conv1d(sizes.hidden_size, inner, 1, bias=False)
        self.layers = nn.ModuleList(Codebook(sizes) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        """From ``(1, hidden_size, n)`` to codes of shape ``(n, count)``."""
        rest = self.input_proj(x)[0].T
        codes = []
        for book in self.layers:
            vectors = book.vectors()
            nearest = torch.cdist(rest[None], vectors[None])[0].argmin(dim=-1)
            rest = rest - vectors[nearest]
            codes.append(nearest)
        return torch.stack(codes, dim=-1)


class Codebook(nn.Module):
    """Vectors by number, kept as training left them: a sum and how often it was added to."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.codebook = nn.Module()
        usage, vectors = torch.ones(sizes.codebook_size), (sizes.codebook_size, sizes.codebook_dim)
        self.codebook.register_buffer("cluster_usage", usage)
        self.codebook.register_buffer("embed_sum", torch.zeros(vectors))

    def vectors(self) -> Tensor:
        """All of them, shape ``(codebook_size, codebook_dim)``."""
        usage = self.codebook.cluster_usage.clamp(min=_SILENT_USAGE)
        return self.codebook.embed_sum / usage[:, None]
